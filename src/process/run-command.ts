import { spawn } from "node:child_process";
import { closeSync, existsSync } from "node:fs";
import net from "node:net";
import { constants } from "node:os";
import path from "node:path";
import { type BubblewrapProcess, failureBeforeStart, failureOfCheck, startBubblewrap } from "./bubblewrap-process.ts";
import { type ChildExit, waitForExit } from "./child-exit.ts";
import { makePipe, type Pipe } from "./descriptors.ts";
import { killTree } from "./kill-tree.ts";
import { markVariable, newMark, withMark } from "./mark.ts";
import { CommandOutput, type OutputStream } from "./output-capture.ts";
import { type ChunkHandler, OutputPipe } from "./output-pipe.ts";
import type { BubblewrapSandbox, LandlockSandbox, NoSandbox, Sandbox, SeatbeltSandbox } from "./sandbox.ts";
import { reportAfterSetup } from "./sandbox-error.ts";
import { seatbeltCommand } from "./seatbelt.ts";
import { describeErrno, describeFailure, errnoOf } from "./system-error.ts";

export interface CommandRequest {
  readonly argv: readonly string[];
  readonly cwd: string;
  /** All of it: nothing else is inherited. */
  readonly env: Readonly<Record<string, string>>;
  /** Undefined: none. */
  readonly timeoutMs: number | undefined;
  readonly signal: AbortSignal;
  readonly sandbox: Sandbox;
  /** Pieces of at most 8192 bytes, only good during the call. The command has to wait with more output until what is
   * returned has ended.
   */
  readonly onOutput?: (stream: OutputStream, chunk: Buffer) => Promise<unknown> | undefined;
  /** After so many pieces of a stream no more are handed on; default: ten thousand. */
  readonly maxPieces?: number;
}

export type CommandOutcome =
  | {
      readonly kind: "exited";
      /** 124 after a time-out, 130 after an abort, 128 + N when signal N ended it. */
      readonly exitCode: number;
      /** Null when it was us who ended it. */
      readonly signal: string | null;
      readonly timedOut: boolean;
      readonly aborted: boolean;
      readonly durationMs: number;
      readonly stdout: string;
      readonly stderr: string;
      readonly aggregatedOutput: string;
    }
  | { readonly kind: "not_started"; readonly message: string };

const timeoutExitCode = 124;
const abortExitCode = 130;
const pieceBytes = 8192;
const defaultMaxPieces = 10_000;
/** For the end of the pipes after the command's own end: what it left behind may hold them for ever. */
const outputGraceMs = 500;
/** For the end of a command that was killed: one in the kernel, or another user's, may outlive that. */
const killGraceMs = 2000;
/** Node takes a longer time for no time at all. */
const maxTimerMs = 2 ** 31 - 1;

type StopReason = "timed_out" | "aborted";

/**
 * Runs a command to its end, its time limit or the signal, and then nothing of it is left but what it put into the
 * background on purpose. Rejects with a SandboxSetupError when the sandbox could not be had; nothing has run then.
 */
export async function runCommand(request: CommandRequest): Promise<CommandOutcome> {
  const problem = findProblem(request);
  if (problem !== undefined) return { kind: "not_started", message: problem };
  await request.sandbox.host.turns.next();
  if (request.signal.aborted) {
    return exited(undefined, { stopped: "aborted", durationMs: 0, output: new CommandOutput() });
  }

  const { guard } = request.sandbox.host;
  const mark = newMark();
  guard.add(mark);
  try {
    return await runMarked({ ...request, env: { ...request.env, [markVariable]: mark } }, mark);
  } finally {
    guard.remove(mark);
  }
}

async function runMarked(request: CommandRequest, mark: string): Promise<CommandOutcome> {
  const startedAt = performance.now();
  const child = await launch(request, mark);
  if (child.kind === "not_started") return child;
  request.sandbox.host.guard.setGroup(mark, child.pid);
  const output = new CommandOutput();
  const pipes = (["stdout", "stderr"] as const).map((stream) => {
    const show = pieceHandler(request, stream);
    return new OutputPipe(child[stream], (chunk) => {
      output.add(stream, chunk);
      return show(chunk);
    });
  });

  const first = await firstOf(child.exited, request);
  const stopped = typeof first === "string" ? first : undefined;
  if (stopped !== undefined) await killTree(child.pid, mark);
  const exit = typeof first === "string" ? await atMost(killGraceMs, child.exited) : first;
  const durationMs = performance.now() - startedAt;
  for (const pipe of pipes) pipe.hurry();
  await atMost(outputGraceMs, Promise.all(pipes.map((pipe) => pipe.ended)));
  for (const pipe of pipes) {
    if (stopped === undefined) pipe.release();
    else pipe.close();
  }
  const failure = await child.findFailure(exit, { stopped, output });
  return failure === undefined ? exited(exit, { stopped, durationMs, output }) : notStarted(failure);
}

/** What no kernel would take, in the words it is known by. */
function findProblem({ argv, cwd, env }: CommandRequest): string | undefined {
  if (argv.length === 0) return "command args are empty";
  if (argv[0] === "") return describeErrno(constants.errno.ENOENT);
  const texts = [...argv, cwd, ...Object.entries(env).flat()];
  return texts.some((text) => text.includes("\0")) ? "nul byte found in provided data" : undefined;
}

interface Outcome {
  readonly stopped: StopReason | undefined;
  readonly durationMs: number;
  readonly output: CommandOutput;
}

function exited(exit: ChildExit | undefined, { stopped, durationMs, output }: Outcome): CommandOutcome {
  const signal = stopped === undefined && exit?.started ? exit.signal : null;
  return {
    kind: "exited",
    exitCode: exitCodeOf(exit, stopped),
    signal,
    timedOut: stopped === "timed_out",
    aborted: stopped === "aborted",
    durationMs,
    ...output.texts(),
  };
}

function exitCodeOf(exit: ChildExit | undefined, stopped: StopReason | undefined): number {
  if (stopped === "timed_out") return timeoutExitCode;
  if (stopped === "aborted") return abortExitCode;
  if (!exit?.started) return -1;
  return exit.signal === null ? (exit.code ?? -1) : 128 + constants.signals[exit.signal];
}

interface Launched {
  readonly kind: "launched";
  readonly pid: number;
  readonly exited: Promise<ChildExit>;
  readonly stdout: number | net.Socket;
  readonly stderr: number | net.Socket;
  /** After the end: why the program itself never ran, if it did not. */
  findFailure(exit: ChildExit | undefined, end: Omit<Outcome, "durationMs">): Promise<string | undefined>;
}

type NotStarted = CommandOutcome & { kind: "not_started" };

function launch(request: CommandRequest, mark: string): Promise<Launched | NotStarted> | Launched | NotStarted {
  const { sandbox } = request;
  switch (sandbox.backend) {
    case "landlock":
      return launchByHelper(request, sandbox, mark);
    case "bubblewrap":
      return launchByBubblewrap(request, sandbox);
    case "none":
    case "seatbelt":
      return launchDirectly(request, sandbox, mark);
    default:
      return sandbox satisfies never;
  }
}

function launchByHelper(request: CommandRequest, sandbox: LandlockSandbox, mark: string): Launched {
  const { argv, cwd, env } = request;
  const helper = sandbox.host.startExec({ argv, cwd, env, mark, restrictions: sandbox.restrictions });
  return {
    kind: "launched",
    pid: helper.pid,
    exited: helper.exited,
    stdout: helper.stdout,
    stderr: helper.stderr,
    findFailure: async (exit, { stopped, output }) => {
      const reports = await helper.takeReports();
      // It may have been stopped before it was ready.
      if (stopped !== undefined || exit === undefined) return undefined;
      const report = reportAfterSetup(reports, { exit, readStderr: () => output.texts().stderr });
      return report?.kind === "exec" ? describeErrno(report.errno) : undefined;
    },
  };
}

function launchByBubblewrap(
  { argv, cwd, env }: CommandRequest,
  { host, bubblewrap, rules }: BubblewrapSandbox,
): Launched | NotStarted {
  let child: BubblewrapProcess;
  try {
    child = startBubblewrap(host.loadLibc(), { bubblewrap, rules }, { argv, cwd, env });
  } catch (error) {
    // The one thing about a command that matters before bubblewrap runs.
    if (!(error instanceof Error) || errnoOf(error.cause) !== constants.errno.E2BIG) throw error;
    return notStarted(describeErrno(constants.errno.E2BIG));
  }
  return {
    ...child,
    kind: "launched",
    findFailure: async (exit, { stopped, output }) => {
      const hasRun = child.takeStatus();
      if (stopped !== undefined || exit === undefined) return undefined;
      const { stderr } = output.texts();
      return hasRun ? failureOfCheck(exit, stderr) : failureBeforeStart(exit, stderr);
    },
  };
}

async function launchDirectly(
  request: CommandRequest,
  sandbox: NoSandbox | SeatbeltSandbox,
  mark: string,
): Promise<Launched | NotStarted> {
  const [program = "", ...args] =
    sandbox.backend === "none" ? request.argv : seatbeltCommand(sandbox.profile, request.argv);
  if (sandbox.backend === "seatbelt" && !isProgram(request)) return notStarted(describeErrno(constants.errno.ENOENT));
  let pipes: readonly Pipe[] = [];
  try {
    pipes = makePipes(sandbox);
    const [out, error] = pipes;
    const start = () =>
      spawn(program, args, {
        cwd: request.cwd,
        env: sandbox.backend === "none" ? request.env : { ...request.env, CODEX_SANDBOX: "seatbelt" },
        detached: process.platform !== "win32",
        stdio: ["ignore", out?.writeEnd ?? "pipe", error?.writeEnd ?? "pipe"],
        windowsHide: true,
      });
    const libc = sandbox.host.tryLibc();
    const child = libc === undefined ? start() : withMark(libc, mark, start);
    const end = waitForExit(child);
    if (child.pid === undefined) return abandon(pipes, await end);
    const stdout = out?.readEnd ?? socketOf(child.stdout);
    const stderr = error?.readEnd ?? socketOf(child.stderr);
    return { kind: "launched", pid: child.pid, exited: end, stdout, stderr, findFailure: async () => undefined };
  } catch (error) {
    return abandon(pipes, { started: false, error });
  } finally {
    for (const pipe of pipes) closeSync(pipe.writeEnd);
  }
}

function abandon(pipes: readonly Pipe[], exit: ChildExit): NotStarted {
  for (const pipe of pipes) closeSync(pipe.readEnd);
  return notStarted(exit.started ? "ended before it began" : describeFailure(exit.error));
}

function notStarted(message: string): NotStarted {
  return { kind: "not_started", message };
}

/** One for each output; none without the FFI, when Node's own have to do. */
function makePipes(sandbox: Sandbox): readonly Pipe[] {
  const libc = sandbox.host.tryLibc();
  if (libc === undefined) return [];
  const out = makePipe(libc);
  try {
    return [out, makePipe(libc)];
  } catch (error) {
    closeSync(out.readEnd);
    closeSync(out.writeEnd);
    throw error;
  }
}

function socketOf(stream: unknown): net.Socket {
  if (stream instanceof net.Socket) return stream;
  throw new Error("a child's pipe is not a socket");
}

/** sandbox-exec would report a missing program as a failing one. */
function isProgram({ argv, cwd, env }: CommandRequest): boolean {
  const [program = ""] = argv;
  if (program.includes("/")) return existsSync(path.resolve(cwd, program));
  return (env["PATH"] ?? "/usr/bin:/bin").split(":").some((folder) => existsSync(path.resolve(cwd, folder, program)));
}

/** Hands an output on in pieces, as far as anybody wants them. */
function pieceHandler({ onOutput, maxPieces = defaultMaxPieces }: CommandRequest, stream: OutputStream): ChunkHandler {
  let left = onOutput === undefined ? 0 : maxPieces;
  return (chunk) => {
    let pressure: Promise<unknown> | undefined;
    for (let at = 0; at < chunk.length && left > 0; at += pieceBytes, left--) {
      pressure = onOutput?.(stream, chunk.subarray(at, at + pieceBytes));
    }
    return pressure;
  };
}

/** The end of the command, or the reason to end it, whichever comes first. */
async function firstOf(exited: Promise<ChildExit>, request: CommandRequest): Promise<ChildExit | StopReason> {
  const { signal, timeoutMs } = request;
  let timer: NodeJS.Timeout | undefined;
  let onAbort = () => {};
  const stop = new Promise<StopReason>((resolve) => {
    onAbort = () => resolve("aborted");
    if (signal.aborted) onAbort(); // between its start and this
    signal.addEventListener("abort", onAbort);
    if (timeoutMs !== undefined) timer = setTimeout(() => resolve("timed_out"), Math.min(timeoutMs, maxTimerMs));
  });
  try {
    return await Promise.race([exited, stop]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
  }
}

/** Undefined when the time was over first. */
async function atMost<T>(ms: number, promise: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ms);
  });
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
