import { defineConfig } from "vitest/config";

/** Figures of the built program, by the harness of the tests; one after another, so that they do not measure each other. */
export default defineConfig({
  test: {
    include: ["bench/**/*.figures.ts"],
    testTimeout: 600_000,
    maxWorkers: 1,
    fileParallelism: false,
    pool: "forks",
  },
});
