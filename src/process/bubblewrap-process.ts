import { closeSync } from "node:fs";
import { constants } from "node:os";
import { messageOf } from "../lib/errors.ts";
import { type BubblewrapCommand, bubblewrapArgv, type Confinement, openOptions } from "./bubblewrap.ts";
import type { ChildExit } from "./child-exit.ts";
import { receiveAvailable } from "./descriptors.ts";
import { withoutCoreDumps } from "./exec-in-place.ts";
import { controlFd } from "./helper-request.ts";
import type { Libc } from "./libc.ts";
import { failedMountCheck } from "./mount-check.ts";
import { type PipedChild, startPiped } from "./piped-child.ts";
import { bubblewrapFailure, SandboxSetupError, sandboxFailure } from "./sandbox-error.ts";
import { describeErrno } from "./system-error.ts";

export interface BubblewrapProcess extends Omit<PipedChild, "process" | "control"> {
  /** After its exit: whether bubblewrap has run a program to its end. Ends the connection. */
  takeStatus(): boolean;
}

/** Throws a SandboxSetupError when it cannot be started. */
export function startBubblewrap(
  libc: Libc,
  confinement: Confinement,
  { argv, cwd, env }: BubblewrapCommand,
): BubblewrapProcess {
  const descriptors = openOptions(libc, confinement, { cwd, env });
  try {
    const first = controlFd + 1;
    const args = [
      "--json-status-fd",
      String(controlFd),
      ...bubblewrapArgv([first, first + 1, first + 2], { check: confinement.rules.check, argv }),
    ];
    const file = confinement.bubblewrap.program;
    const child = withoutCoreDumps(libc, () => startPiped(libc, { name: "bwrap", file, args, descriptors }));
    const { pid, exited, stdout, stderr, control } = child;
    const takeStatus = () => {
      const status = receiveAvailable(libc, control);
      closeSync(control);
      return status.includes('"exit-code"');
    };
    return { pid, exited, stdout, stderr, takeStatus };
  } finally {
    for (const fd of descriptors) closeSync(fd);
  }
}

/** Why a command never ran, from what was said in its place. Throws a SandboxSetupError as `failureBeforeStart` does. */
export function failureOfCheck(exit: ChildExit, stderr: string): string | undefined {
  const failure = exit.started ? failedMountCheck(exit.code, stderr) : undefined;
  if (failure === "replaced") {
    throw new SandboxSetupError(sandboxFailure("a writable folder was replaced since the session began."));
  }
  return failure && describeErrno(failure.errno);
}

/**
 * Why a command never ran, from what bubblewrap said: undefined when somebody killed it first. Throws a
 * SandboxSetupError when that was not for a fault of the command's own.
 */
export function failureBeforeStart(exit: ChildExit, stderr: string): string | undefined {
  if (exit.started && exit.signal !== null) return undefined;
  const words = /^bwrap: (?:execvp|Can't chdir to) .*: ([^:]+)$/s.exec(stderr.trimEnd())?.[1];
  const errno = Object.values(constants.errno).find((value) => describeErrno(value).startsWith(`${words} (`));
  if (errno !== undefined) return describeErrno(errno);
  const said = exit.started ? stderr.trim() || `exit code ${exit.code}` : messageOf(exit.error);
  throw new SandboxSetupError(bubblewrapFailure(`bubblewrap ended too early (${said}).`));
}
