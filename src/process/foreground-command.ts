import { spawn } from "node:child_process";
import { constants } from "node:os";
import tty from "node:tty";
import { messageOf, UserError } from "../lib/errors.ts";
import { type BubblewrapDescriptors, bubblewrapArgv, openOptions } from "./bubblewrap.ts";
import { waitForExit } from "./child-exit.ts";
import { execInPlace, keepOnExec, type Program, undoNode, withholdRest } from "./exec-in-place.ts";
import { findProgram } from "./find-program.ts";
import { SystemCallError } from "./libc.ts";
import { giveUpPrivileges, restrictSelf } from "./restrict.ts";
import type { BubblewrapSandbox, LandlockSandbox, Sandbox } from "./sandbox.ts";
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
  switch (sandbox.backend) {
    case "landlock":
      return notStarted(execRestricted(program, sandbox));
    case "bubblewrap":
      return notStarted(findProblem(program) ?? execBubblewrap(program, sandbox));
    case "none": {
      const libc = sandbox.host.tryLibc();
      if (libc === undefined) return runAsChild(program);
      undoNode(libc);
      return notStarted(execInPlace(libc, program));
    }
    case "seatbelt": {
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

function execRestricted(program: Program, sandbox: LandlockSandbox): number {
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

/** Ends with its parent, or a signal to bubblewrap alone would leave the command behind. */
function execBubblewrap({ argv, env }: Program, { host, bubblewrap, rules }: BubblewrapSandbox): number {
  const libc = host.loadLibc();
  undoNode(libc);
  withholdRest(libc);
  let descriptors: BubblewrapDescriptors;
  try {
    descriptors = openOptions(libc, { bubblewrap, rules }, { cwd: process.cwd(), env });
  } catch (cause) {
    throw new UserError(messageOf(cause), { cause });
  }
  for (const fd of descriptors) keepOnExec(libc, fd);
  return execInPlace(libc, {
    argv: [bubblewrap.program, ...bubblewrapArgv(descriptors, { check: rules.check, argv })],
    env: {},
  });
}

/** Why a program cannot be run; sandbox-exec and bubblewrap would report it as a failing one. */
function findProblem({ argv: [file = ""], env }: Program): number | undefined {
  const found = findProgram(file, { cwd: process.cwd(), env });
  return "errno" in found ? found.errno : undefined;
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
