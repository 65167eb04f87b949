import { setImmediate } from "node:timers/promises";
import { errorCode, explainSystemError } from "../lib/errors.ts";
import type { Output } from "../render/renderer.ts";
import { timeLimit } from "./run-end.ts";

/** This process's stdout and stderr; opened when they are first used, which a run does when its request is on its way. */
export class ProcessOutput implements Output {
  readonly #colourOn: (isTerminal: boolean) => boolean;
  readonly #closed = new AbortController();
  #problem: string | undefined;
  #isOpen = false;
  #isPatient = true;
  /** One for all that wait, for a long session has many of them. */
  #drain: Promise<void> | undefined;
  #letOn = () => {};

  /** `colourOn` says whether the log has colours, on a terminal or elsewhere. */
  constructor(colourOn: (isTerminal: boolean) => boolean = () => false) {
    this.#colourOn = colourOn;
  }

  get isStdoutTerminal(): boolean {
    return this.#open().stdout.isTTY === true;
  }

  get isStderrTerminal(): boolean {
    return this.#open().stderr.isTTY === true;
  }

  get hasColour(): boolean {
    return this.#colourOn(this.isStderrTerminal);
  }

  /** Why stdout could not be written, other than that nobody reads it any more; the run cannot be told a success. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** A promise while much has been written that nobody has taken yet. */
  pressure(): Promise<void> | undefined {
    if (!this.#open().stdout.writableNeedDrain || this.#closed.signal.aborted || !this.#isPatient) return undefined;
    this.#drain ??= this.#waitForDrain();
    return this.#drain;
  }

  /** From now on there is no pressure: what must end soon waits for no reader. */
  losePatience(): void {
    this.#isPatient = false;
    this.#letOn();
  }

  /** Fires when the reader of stdout is gone, or cannot take anything. */
  get stdoutClosed(): AbortSignal {
    return this.#closed.signal;
  }

  /** The reader of stdout is known to be gone, although no write has told it. */
  stopWriting(): void {
    this.#closed.abort();
  }

  stdout(text: string | Uint8Array): void {
    if (!this.#closed.signal.aborted) this.#open().stdout.write(text);
  }

  stderr(text: string): void {
    this.#open().stderr.write(text);
  }

  /**
   * Ends when everything written has been taken, or when nobody will take it any more. With `logMs` the log is not waited
   * for any longer than that: many a program never reads what its children say there.
   */
  async flush(logMs?: number): Promise<void> {
    await setImmediate(); // a reader that went away is reported a moment after the write
    const { stdout, stderr } = this.#open();
    const log = this.#drained(stderr);
    const logLimit = logMs === undefined ? [] : [timeLimit(logMs)];
    await Promise.all([this.#drained(stdout), Promise.race([log, ...logLimit])]);
  }

  #open(): Pick<NodeJS.Process, "stdout" | "stderr"> {
    if (!this.#isOpen) {
      this.#isOpen = true;
      process.stdout.on("error", (error) => this.#fail(error));
      process.stderr.on("error", () => {}); // a log that nobody reads is no reason to stop
    }
    return process;
  }

  #waitForDrain(): Promise<void> {
    const { stdout } = this.#open();
    const { signal } = this.#closed;
    return new Promise((resolve) => {
      this.#letOn = () => {
        stdout.off("drain", this.#letOn);
        signal.removeEventListener("abort", this.#letOn);
        this.#drain = undefined;
        resolve();
      };
      stdout.on("drain", this.#letOn);
      signal.addEventListener("abort", this.#letOn);
    });
  }

  #fail(error: Error): void {
    const code = errorCode(error);
    if (code !== "EPIPE" && code !== "ECONNRESET") this.#problem ??= explainSystemError(error);
    this.#closed.abort();
  }

  #drained(stream: NodeJS.WriteStream): Promise<void> | undefined {
    if (stream.writableLength === 0 || stream.destroyed) return undefined;
    return new Promise((resolve) => {
      stream.once("error", () => resolve());
      stream.write("", () => resolve());
    });
  }
}
