import { spawn } from "node:child_process";
import { accessSync, constants as fsConstants, statSync } from "node:fs";
import { constants } from "node:os";
import path from "node:path";
import tty from "node:tty";
import { messageOf, UserError } from "../lib/errors.ts";
import { waitForExit } from "./child-exit.ts";
import { execInPlace, type Program, undoNode, withholdRest } from "./exec-in-place.ts";
import { SystemCallError } from "./libc.ts";
import { giveUpPrivileges, restrictSelf } from "./restrict.ts";
import type { LinuxSandbox, Sandbox } from "./sandbox.ts";
import { explainRefusal, sandboxFailure } from "./sandbox-error.ts";
import { seatbeltCommand } from "./seatbelt.ts";
import { errnoOf } from "./system-error.ts";

export type ForegroundEnd =
  | { readonly kind: "exited"; readonly exitCode: number }
  | { readonly kind: "not_started"; readonly errno: number };

/**
 * Lets a command have this process's place, terminal and streams. Where the FFI is, it becomes this very process, so
 * that nothing returns but a failure; a UserError when the sandbox could not be had. Nobody may have touched
 * `process.stdin`, `stdout` or `stderr` before: that would change their flags for the command too.
 */
export async function runInForeground(program: Program, sandbox: Sandbox): Promise<ForegroundEnd> {
  switch (sandbox.type) {
    case "LinuxSeccomp":
      return notStarted(execRestricted(program, sandbox));
    case "None": {
      const libc = sandbox.host.tryLibc();
      if (libc === undefined) return runAsChild(program);
      undoNode(libc);
      return notStarted(execInPlace(libc, program));
    }
    case "MacosSeatbelt": {
      const errno = findProblem(program);
      if (errno !== undefined) return notStarted(errno);
      const argv = seatbeltCommand(sandbox.profile, program.argv);
      return runAsChild({ argv, env: { ...program.env, CODEX_SANDBOX: "seatbelt" } });
    }
    default:
      return sandbox satisfies never;
  }
}

function notStarted(errno: number): ForegroundEnd {
  return { kind: "not_started", errno };
}

const setParentDeathSignal = 1;

function execRestricted(program: Program, sandbox: LinuxSandbox): number {
  const libc = sandbox.host.loadLibc();
  try {
    giveUpPrivileges(libc);
    // It is no child of ours, and nobody but the user ends it.
    libc.syscall("prctl", setParentDeathSignal, 0, 0, 0, 0);
    undoNode(libc);
    withholdRest(libc);
    restrictSelf(libc, sandbox.restrictions);
  } catch (cause) {
    const text = cause instanceof SystemCallError ? explainRefusal(cause.call, cause.errno) : `${messageOf(cause)}.`;
    throw new UserError(sandboxFailure(text), { cause });
  }
  return execInPlace(libc, program);
}

/** Why a program cannot be run; sandbox-exec would report it as a failing one. */
function findProblem({ argv: [file = ""], env }: Program): number | undefined {
  const folders = file.includes("/") ? [""] : (env["PATH"] ?? "/usr/bin:/bin").split(":");
  const found = folders.map((folder) => path.resolve(folder, file)).filter((candidate) => isFile(candidate));
  if (found.length === 0) return constants.errno.ENOENT;
  return found.some((candidate) => isExecutable(candidate)) ? undefined : constants.errno.EACCES;
}

function isFile(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false })?.isFile() === true;
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, fsConstants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** A terminal sends these to the child as well. */
const keyboardSignals = ["SIGINT", "SIGQUIT"] as const;
const forwardedSignals = [...keyboardSignals, "SIGHUP", "SIGTERM", "SIGUSR2"] as const;

/** The next best: a child with our streams that gets our signals, and whose end is ours. */
async function runAsChild({ argv: [file = "", ...args], env }: Program): Promise<ForegroundEnd> {
  const hasKeyboard = tty.isatty(0);
  const forward = (signal: NodeJS.Signals) => {
    if (!hasKeyboard || !keyboardSignals.some((other) => other === signal)) child.kill(signal);
  };
  for (const signal of forwardedSignals) process.on(signal, forward); // first: it may send us one at once
  const child = spawn(file, args, { env, stdio: "inherit" });
  const exit = await waitForExit(child);
  for (const signal of forwardedSignals) process.off(signal, forward);
  if (!exit.started) return notStarted(errnoOf(exit.error) ?? constants.errno.ENOENT);
  if (exit.signal === null) return { kind: "exited", exitCode: exit.code ?? 1 };
  process.kill(process.pid, exit.signal);
  return { kind: "exited", exitCode: 128 + constants.signals[exit.signal] }; // if that signal is ignored here
}
