import { setImmediate } from "node:timers/promises";
import type { Output } from "../render/renderer.ts";

/** This process's stdout and stderr. */
export class ProcessOutput implements Output {
  readonly isStdoutTerminal = process.stdout.isTTY === true;
  readonly isStderrTerminal = process.stderr.isTTY === true;
  readonly hasColour: boolean;
  readonly #closed = new AbortController();

  constructor(hasColour: boolean) {
    this.hasColour = hasColour;
    process.stdout.on("error", () => this.#closed.abort()); // EPIPE: the reader went away
    process.stderr.on("error", () => {}); // a log that nobody reads is no reason to stop
  }

  /** Fires when the reader of stdout is gone. */
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

  #drained(stream: NodeJS.WriteStream): Promise<void> | undefined {
    if (stream.writableLength === 0 || stream.destroyed) return undefined;
    return new Promise((resolve) => {
      stream.once("error", () => resolve());
      stream.write("", () => resolve());
    });
  }
}
