import { constants } from "node:os";
import { messageOf } from "../lib/errors.ts";
import type { ChildExit } from "./child-exit.ts";
import type { HelperReport } from "./helper-request.ts";
import { describeErrno } from "./system-error.ts";

/** The command was not run, and not for a fault of its own: the sandbox could not be had. */
export class SandboxSetupError extends Error {
  override readonly name = "SandboxSetupError";
}

const remedy =
  "Nothing was run. To go on without a sandbox, use --sandbox danger-full-access, and only inside a container or " +
  "machine you can lose.";

/** What is missing, how to check, and what the choices are. */
export function sandboxFailure(cause: string): string {
  return `cannot sandbox commands: ${cause}\n${remedy}`;
}

/** The same where the other sandbox of Linux may do. */
export function landlockFailure(cause: string): string {
  return otherFailure(cause, "With bubblewrap installed, -c linux_sandbox=bwrap may work instead");
}

export function bubblewrapFailure(cause: string): string {
  return otherFailure(cause, "-c linux_sandbox=landlock does without it");
}

function otherFailure(cause: string, other: string): string {
  return sandboxFailure(`${cause}\n${other}; \`codex doctor\` shows what this machine can enforce.`);
}

/** Why the kernel refused a step of the setup, in words that say what to change. */
export function explainRefusal(call: string, errno: number): string {
  const { ENOSYS, EOPNOTSUPP, EPERM, EACCES, E2BIG } = constants.errno;
  if (call === "landlock_create_ruleset") {
    if (errno === ENOSYS) {
      return "this kernel has no Landlock (Linux 5.13 or newer is needed) or a container profile hides it.";
    }
    if (errno === EOPNOTSUPP) {
      return 'Landlock is built into this kernel but not enabled. Add "landlock" to the kernel\'s lsm= list.';
    }
    if (errno === EPERM || errno === EACCES) return "a container's seccomp profile blocks Landlock.";
  }
  if (call === "landlock_restrict_self" && errno === E2BIG) return "too many nested sandboxes (16 at most).";
  return `${call} failed: ${describeErrno(errno)}.`;
}

/**
 * What the helper said after it had restricted itself: nothing when it became the command. Throws a SandboxSetupError
 * when it never came so far.
 */
export function reportAfterSetup(
  reports: readonly HelperReport[],
  end: { readonly exit: ChildExit; readonly readStderr: () => string },
): HelperReport | undefined {
  const [first, second] = reports;
  if (first?.kind === "restricted") return second;
  if (first?.kind === "exec") return first;
  if (first?.kind === "setup") {
    const cause = first.call === "" ? `${first.message}.` : explainRefusal(first.call, first.errno);
    throw new SandboxSetupError(landlockFailure(cause));
  }
  const { exit } = end;
  const how = exit.started ? (exit.signal ?? `exit code ${exit.code}`) : messageOf(exit.error);
  throw new SandboxSetupError(sandboxFailure(`the helper ended too early (${how}). ${end.readStderr()}`.trim()));
}
