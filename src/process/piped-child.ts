import { type ChildProcess, spawn } from "node:child_process";
import { closeSync } from "node:fs";
import { messageOf } from "../lib/errors.ts";
import { type ChildExit, waitForExit } from "./child-exit.ts";
import { makePipe, makeSocketPair } from "./descriptors.ts";
import type { Libc } from "./libc.ts";
import { SandboxSetupError, sandboxFailure } from "./sandbox-error.ts";

/** A program of ours that becomes, or holds, a command: with real pipes, and a socket between it and us. */
export interface PipedChild {
  readonly process: ChildProcess;
  readonly pid: number;
  readonly exited: Promise<ChildExit>;
  /** Read ends of the pipes; they belong to whoever uses the child. */
  readonly stdout: number;
  readonly stderr: number;
  /** Our end of the socket. */
  readonly control: number;
}

export interface PipedProgram {
  readonly name: string;
  readonly file: string;
  readonly args: readonly string[];
  /** What it gets behind the control descriptor; they stay the caller's. */
  readonly descriptors: readonly number[];
}

/** It starts in the root folder, as the leader of a group, without any environment. Throws a SandboxSetupError. */
export function startPiped(libc: Libc, program: PipedProgram): PipedChild {
  const opened: number[] = [];
  const passed: number[] = [];
  try {
    const stdout = makePipe(libc);
    opened.push(stdout.readEnd);
    passed.push(stdout.writeEnd);
    const stderr = makePipe(libc);
    opened.push(stderr.readEnd);
    passed.push(stderr.writeEnd);
    const [control, theirs] = makeSocketPair(libc);
    opened.push(control);
    passed.push(theirs);
    const child = spawn(program.file, program.args, {
      argv0: program.name,
      cwd: "/",
      detached: true,
      // Neither a preload of the user's nor a certificate bundle may run or slow it down before it is restricted.
      env: {},
      stdio: ["ignore", ...passed, ...program.descriptors],
    });
    if (!hasStarted(child)) {
      child.once("error", () => {});
      throw new Error(`cannot run "${program.file}"`);
    }
    const { pid } = child;
    return { process: child, pid, exited: waitForExit(child), stdout: stdout.readEnd, stderr: stderr.readEnd, control };
  } catch (error) {
    for (const fd of opened) closeSync(fd);
    throw new SandboxSetupError(sandboxFailure(`${program.name} did not start (${messageOf(error)}).`), {
      cause: error,
    });
  } finally {
    for (const fd of passed) closeSync(fd);
  }
}

function hasStarted(child: ChildProcess): child is ChildProcess & { readonly pid: number } {
  return child.pid !== undefined;
}
