import type { CommandOutcome } from "./run-command.ts";

/** The words of EACCES, EPERM, EROFS and ENOSYS, as the C library, Node and others print them. */
const refusal =
  /permission denied|operation not permitted|read-only file system|function not implemented|\b(EACCES|EPERM|EROFS|ENOSYS)\b/i;

/** True when a failed command shows signs of the sandbox; for commands that ran in one. */
export function looksDenied(outcome: CommandOutcome): boolean {
  if (outcome.kind !== "exited" || outcome.exitCode === 0 || outcome.timedOut || outcome.aborted) return false;
  return outcome.signal === "SIGSYS" || refusal.test(outcome.aggregatedOutput);
}
