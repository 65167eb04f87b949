import type { ChildProcess } from "node:child_process";
import { closeSync, existsSync, write as writeCallback, writeSync } from "node:fs";
import { promisify } from "node:util";
import { bubblewrapArgv, type Confinement, openOptions } from "./bubblewrap.ts";
import type { ChildExit } from "./child-exit.ts";
import { endWriting, receiveAvailable } from "./descriptors.ts";
import { confined, controlFd, type HelperReport, type HelperRequest } from "./helper-request.ts";
import type { Libc } from "./libc.ts";
import { type PipedChild, startPiped } from "./piped-child.ts";

/** What the helper is started from, and which descriptors it needs for that, from 4 on. */
export interface HelperImage {
  readonly args: readonly string[];
  readonly descriptors: readonly number[];
}

export function encodeRequest(request: HelperRequest): Buffer {
  return Buffer.from(JSON.stringify(request));
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

  private constructor(libc: Libc, child: PipedChild) {
    this.#libc = libc;
    this.#child = child.process;
    this.pid = child.pid;
    this.stdout = child.stdout;
    this.stderr = child.stderr;
    this.#control = child.control;
    this.exited = child.exited;
    void this.exited.then(() => {
      this.#hasEnded = true;
    });
    // While it waits, it holds nothing up.
    child.process.unref();
  }

  /** Throws a SandboxSetupError when it cannot be started. */
  static start(libc: Libc, image: HelperImage): HelperProcess {
    // This very program, even when its file was replaced since: by an update, or by a command.
    const file = existsSync("/proc/self/exe") ? "/proc/self/exe" : process.execPath;
    return new HelperProcess(libc, startPiped(libc, { name: "codex-sandbox-helper", file, ...image }));
  }

  /** Another program that does the work of one request. */
  static startProgram(libc: Libc, { file, args }: { readonly file: string; readonly args: readonly string[] }) {
    return new HelperProcess(libc, startPiped(libc, { name: "codex-sandbox-helper", file, args, descriptors: [] }));
  }

  /** The same within bubblewrap, which holds it to `rules`. */
  static startConfined(libc: Libc, image: HelperImage, confinement: Confinement): HelperProcess {
    const options = openOptions(libc, confinement, { cwd: "/", env: {} });
    try {
      const first = controlFd + 1 + image.descriptors.length;
      const argv = [process.execPath, ...image.args, confined];
      return new HelperProcess(
        libc,
        startPiped(libc, {
          name: "codex-sandbox-helper",
          file: confinement.bubblewrap.program,
          args: bubblewrapArgv([first, first + 1, first + 2], { check: confinement.rules.check, argv }),
          descriptors: [...image.descriptors, ...options],
        }),
      );
    } finally {
      for (const fd of options) closeSync(fd);
    }
  }

  /** False once it has ended, for instance because somebody killed it while it waited. */
  get isWaiting(): boolean {
    return !this.#hasEnded && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** As `encodeRequest` makes it, or in the language of another program that does the helper's work. */
  send(request: Buffer): void {
    this.#child.ref();
    this.#sent = this.#write(request);
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
