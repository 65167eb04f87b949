import { type ChildProcess, spawn } from "node:child_process";
import net from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { type ChildExit, waitForExit } from "./child-exit.ts";
import { killGroup } from "./kill-tree.ts";
import type { OrphanGuard } from "./orphan-guard.ts";
import { keepStderrBlocking } from "./output-pipe.ts";

interface ServerCommand {
  readonly program: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** The whole environment; nothing else is inherited. */
  readonly env: Readonly<Record<string, string>>;
}

interface ServerOptions {
  readonly guard: OrphanGuard;
  readonly onOutput: (chunk: Buffer) => void;
  /** Without it the server's stderr goes nowhere. */
  readonly onStderr: ((chunk: Buffer) => void) | undefined;
}

/** Between the end of the process and the end of its output, which a child of its own may hold open for ever. */
const settleMs = 200;
/** A server that is told to end has this long after each step. */
const closing = [
  { graceMs: 300, signal: "SIGTERM" },
  { graceMs: 700, signal: "SIGKILL" },
  { graceMs: 500, signal: undefined },
] as const;

/** A program that serves us over its stdin and stdout, in a process group of its own, which does not outlive us. */
export class ServerProcess {
  /** Says in words how it ended, once nothing more can come from it; its whole group is gone then. Never rejects. */
  readonly ended: Promise<string>;
  readonly #child: ChildProcess;
  readonly #pid: number;
  readonly #stdin: net.Socket;
  #closed: Promise<void> | undefined;

  private constructor(child: ChildProcess, { pid, stdin, ended }: Parts) {
    this.#child = child;
    this.#pid = pid;
    this.#stdin = stdin;
    this.ended = ended;
  }

  /** Rejects with the system's own error when the program cannot be started. */
  static async start(command: ServerCommand, { guard, onOutput, onStderr }: ServerOptions): Promise<ServerProcess> {
    const mark = `server-${process.hrtime.bigint().toString(36)}`;
    guard.add(mark);
    try {
      const child = spawn(command.program, command.args, {
        cwd: command.cwd,
        env: command.env,
        detached: process.platform !== "win32",
        stdio: ["pipe", "pipe", onStderr === undefined ? "ignore" : "pipe"],
        windowsHide: true,
      });
      const exited = waitForExit(child);
      const { pid } = child;
      if (pid === undefined) {
        const exit = await exited;
        throw exit.started ? new Error("ended before it began") : exit.error;
      }
      guard.setGroup(mark, pid);
      const stdin = socketOf(child.stdin);
      const stdout = socketOf(child.stdout);
      stdin.on("error", () => {}); // it went away; `ended` tells that
      stdout.on("data", onOutput);
      if (onStderr !== undefined) socketOf(child.stderr).on("data", onStderr);
      const ended = watch({ pid, exited, stdout }).finally(() => guard.remove(mark));
      return new ServerProcess(child, { pid, stdin, ended });
    } catch (error) {
      guard.remove(mark);
      throw error;
    }
  }

  /** What is written to a server that has ended is lost. */
  write(text: string): void {
    if (this.#stdin.writable) this.#stdin.write(text);
  }

  /** Ends its input, then asks it to terminate, then kills it with all it has started. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#stdin.end();
    for (const { graceMs, signal } of closing) {
      if ((await atMost(graceMs, this.ended)) !== undefined) return;
      if (signal === "SIGTERM") terminateGroup(this.#pid);
      else if (signal === "SIGKILL") killGroup(this.#pid);
    }
    this.#child.unref(); // not even that ended it, and we need not wait
  }
}

interface Parts {
  readonly pid: number;
  readonly stdin: net.Socket;
  readonly ended: Promise<string>;
}

interface Watched {
  readonly pid: number;
  readonly exited: Promise<ChildExit>;
  readonly stdout: net.Socket;
}

async function watch({ pid, exited, stdout }: Watched): Promise<string> {
  const outputEnded = new Promise<void>((resolve) => {
    for (const name of ["end", "error", "close"]) stdout.on(name, () => resolve());
  });
  await Promise.race([exited, outputEnded]);
  await atMost(settleMs, Promise.all([exited, outputEnded]));
  killGroup(pid);
  const exit = await atMost(0, exited);
  stdout.destroy();
  return describeEnd(exit);
}

function describeEnd(exit: ChildExit | undefined): string {
  if (!exit?.started) return "the server closed its output";
  return exit.signal === null ? `the server exited with code ${exit.code}` : `the server was ended by ${exit.signal}`;
}

function terminateGroup(pid: number): void {
  try {
    process.kill(process.platform === "win32" ? pid : -pid, "SIGTERM");
  } catch {
    // Already gone, or another user's by now: SIGKILL comes next.
  }
}

function socketOf(stream: unknown): net.Socket {
  if (!(stream instanceof net.Socket)) throw new Error("a server's pipe is not a socket");
  keepStderrBlocking(stream);
  return stream;
}

/** Undefined when the time was over first. */
async function atMost<T>(ms: number, promise: Promise<T>): Promise<T | undefined> {
  const timer = new AbortController();
  try {
    return await Promise.race([promise, delay(ms, undefined, { signal: timer.signal })]);
  } finally {
    timer.abort();
  }
}
