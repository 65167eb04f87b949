import { execFile } from "node:child_process";
import path from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const root = path.resolve(import.meta.dirname, "..");

test("the demo mends the sample's failing test, and says what was recorded", async () => {
  const { stdout, stderr } = await promisify(execFile)(process.execPath, ["demo/run.mjs"], {
    cwd: root,
    env: { PATH: process.env["PATH"], TERM: "dumb" },
  });
  expect(stdout).toMatch(/^The tests pass now\..*\n$/);
  expect(stderr).toContain("exited 1 in");
  expect(stderr).toContain("+    const free = Math.floor(item.quantity / 3);");
  expect(stderr).toContain("The sample's own test passes now.");
});
