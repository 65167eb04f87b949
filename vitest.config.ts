import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["tests/**/*.test.ts"],
    testTimeout: 20_000,
    hookTimeout: 20_000,
    maxWorkers: 2,
    // CI shares its machine: what only stalled there passes the second time, and its log says "(retry x1)".
    retry: process.env["CI"] === undefined ? 0 : 1,
    pool: "forks",
  },
});
