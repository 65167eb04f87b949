import { defineConfig } from "vitest/config";
import { SlowestFiles } from "./tests/support/slowest-files.ts";

export default defineConfig({
  test: {
    include: ["tests/**/*.test.ts"],
    // Against what never ends. A machine that is busy with something else must not come near them.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 60_000 } },
    maxWorkers: 2,
    retry: 0,
    pool: "forks",
    reporters: ["default", new SlowestFiles()],
  },
});
