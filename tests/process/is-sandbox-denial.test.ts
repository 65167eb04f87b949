import { expect, test } from "vitest";
import { looksDenied } from "../../src/process/is-sandbox-denial.ts";
import type { CommandOutcome } from "../../src/process/run-command.ts";

const failed: CommandOutcome = {
  kind: "exited",
  exitCode: 1,
  signal: null,
  timedOut: false,
  aborted: false,
  durationMs: 1,
  stdout: "",
  stderr: "",
  aggregatedOutput: "",
};

test.each<[string, Partial<CommandOutcome & { kind: "exited" }>, boolean]>([
  ["a failing test run", { aggregatedOutput: "3 tests failed" }, false],
  ["the words of EACCES", { aggregatedOutput: "bash: x: Permission denied\n" }, true],
  ["the words of EPERM", { aggregatedOutput: "chmod: changing x: Operation not permitted\n" }, true],
  ["the words of EROFS", { aggregatedOutput: "touch: Read-only file system\n" }, true],
  ["the words of ENOSYS", { aggregatedOutput: "flock: 9: Function not implemented\n" }, true],
  ["the code as Node prints it", { aggregatedOutput: "Error: EACCES: permission denied, open 'x'" }, true],
  ["a word that only contains the code", { aggregatedOutput: "REACCESS" }, false],
  ["a system call that is not allowed", { exitCode: 159, signal: "SIGSYS" }, true],
  ["another signal", { exitCode: 139, signal: "SIGSEGV" }, false],
  ["success all the same", { exitCode: 0, aggregatedOutput: "Permission denied" }, false],
  ["a time-out", { exitCode: 124, timedOut: true, aggregatedOutput: "Permission denied" }, false],
  ["an abort", { exitCode: 130, aborted: true, aggregatedOutput: "Permission denied" }, false],
])("%s", (_, outcome, expected) => {
  expect(looksDenied({ ...failed, ...outcome })).toBe(expected);
});

test("a command that did not start was not denied", () => {
  expect(looksDenied({ kind: "not_started", message: "Permission denied (os error 13)" })).toBe(false);
});
