import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, existsSync, write as writeCallback, writeSync } from "node:fs";
import { promisify } from "node:util";
import { messageOf } from "../lib/errors.ts";
import { type ChildExit, waitForExit } from "./child-exit.ts";
import { endWriting, makePipe, makeSocketPair, receiveAvailable } from "./descriptors.ts";
import type { HelperReport, HelperRequest } from "./helper-request.ts";
import type { Libc } from "./libc.ts";
import { SandboxSetupError, sandboxFailure } from "./sandbox-error.ts";

/** What the helper is started from, and which descriptors it needs for that, from 4 on. */
export interface HelperImage {
  readonly args: readonly string[];
  readonly descriptors: readonly number[];
}

/** Fits into an empty socket, so that writing it cannot block. */
const smallRequestBytes = 65_536;
const write = promisify(writeCallback);

/** A helper that waits for its one request; what it becomes has its pid and its pipes. */
export class HelperProcess {
  readonly pid: number;
  readonly exited: Promise<ChildExit>;
  /** Read ends of the pipes; they belong to whoever uses the helper. */
  readonly stdout: number;
  readonly stderr: number;
  readonly #libc: Libc;
  readonly #child: ChildProcess;
  readonly #control: number;
  #hasEnded = false;
  #sent = Promise.resolve();

  private constructor(libc: Libc, child: ChildProcess & { readonly pid: number }, ends: Ends) {
    this.#libc = libc;
    this.#child = child;
    this.pid = child.pid;
    this.stdout = ends.stdout;
    this.stderr = ends.stderr;
    this.#control = ends.control;
    this.exited = waitForExit(child);
    void this.exited.then(() => {
      this.#hasEnded = true;
    });
    // While it waits, it holds nothing up.
    child.unref();
  }

  /** Throws a SandboxSetupError when it cannot be started. */
  static start(libc: Libc, image: HelperImage): HelperProcess {
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
      // This very program, even when its file was replaced since: by an update, or by a command.
      const program = existsSync("/proc/self/exe") ? "/proc/self/exe" : process.execPath;
      const child = spawn(program, image.args, {
        argv0: "codex-sandbox-helper",
        cwd: "/",
        detached: true,
        // Neither a preload of the user's nor a certificate bundle may run or slow it down before it is restricted.
        env: {},
        stdio: ["ignore", ...passed, ...image.descriptors],
      });
      if (!hasStarted(child)) {
        child.once("error", () => {});
        throw new Error(`cannot run "${program}"`);
      }
      return new HelperProcess(libc, child, { stdout: stdout.readEnd, stderr: stderr.readEnd, control });
    } catch (error) {
      for (const fd of opened) closeSync(fd);
      throw new SandboxSetupError(sandboxFailure(`the helper did not start (${messageOf(error)}).`), { cause: error });
    } finally {
      for (const fd of passed) closeSync(fd);
    }
  }

  /** False once it has ended, for instance because somebody killed it while it waited. */
  get isWaiting(): boolean {
    return !this.#hasEnded && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  send(request: HelperRequest): void {
    this.#child.ref();
    this.#sent = this.#write(Buffer.from(JSON.stringify(request)));
  }

  async #write(bytes: Buffer): Promise<void> {
    try {
      if (bytes.length <= smallRequestBytes) writeSync(this.#control, bytes);
      else for (let sent = 0; sent < bytes.length; ) sent += (await write(this.#control, bytes, sent)).bytesWritten;
      endWriting(this.#libc, this.#control);
    } catch {
      // It ended before it had read everything: its exit and its reports tell the rest.
    }
  }

  /** What it said, after its exit. Ends the connection. */
  async takeReports(): Promise<readonly HelperReport[]> {
    if (!this.#hasEnded) return [];
    // Not before the last write is over: it would go to whoever got the descriptor's number next.
    await this.#sent;
    const lines = receiveAvailable(this.#libc, this.#control).split("\n");
    closeSync(this.#control);
    return lines.filter((line) => line !== "").map((line): HelperReport => JSON.parse(line)); // our own helper's
  }

  /** Ends a helper that was not used. */
  discard(): void {
    for (const fd of [this.#control, this.stdout, this.stderr]) closeSync(fd);
  }
}

interface Ends {
  readonly stdout: number;
  readonly stderr: number;
  readonly control: number;
}

function hasStarted(child: ChildProcess): child is ChildProcess & { readonly pid: number } {
  return child.pid !== undefined;
}
