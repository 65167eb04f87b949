import { setImmediate } from "node:timers/promises";
import { errorCode, explainSystemError } from "../lib/errors.ts";
import type { Output } from "../render/renderer.ts";

/** This process's stdout and stderr. */
export class ProcessOutput implements Output {
  readonly isStdoutTerminal = process.stdout.isTTY === true;
  readonly isStderrTerminal = process.stderr.isTTY === true;
  readonly hasColour: boolean;
  readonly #closed = new AbortController();
  #problem: string | undefined;

  constructor(hasColour: boolean) {
    this.hasColour = hasColour;
    process.stdout.on("error", (error) => this.#fail(error));
    process.stderr.on("error", () => {}); // a log that nobody reads is no reason to stop
  }

  /** Why stdout could not be written, other than that nobody reads it any more; the run cannot be told a success. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** A promise while much has been written that nobody has taken yet. */
  pressure(): Promise<void> | undefined {
    const { stdout } = process;
    if (!stdout.writableNeedDrain || this.#closed.signal.aborted) return undefined;
    return new Promise((resolve) => {
      stdout.once("drain", resolve);
      this.#closed.signal.addEventListener("abort", () => resolve(), { once: true });
    });
  }

  /** Fires when the reader of stdout is gone, or cannot take anything. */
  get stdoutClosed(): AbortSignal {
    return this.#closed.signal;
  }

  stdout(text: string): void {
    if (!this.#closed.signal.aborted) process.stdout.write(text);
  }

  stderr(text: string): void {
    process.stderr.write(text);
  }

  /** Ends when everything written has been taken, or when nobody will take it any more. */
  async flush(): Promise<void> {
    await setImmediate(); // a reader that went away is reported a moment after the write
    await Promise.all([this.#drained(process.stdout), this.#drained(process.stderr)]);
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
