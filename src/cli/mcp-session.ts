import { messageOf } from "../lib/errors.ts";
import { log } from "../lib/log.ts";
import { readLines } from "../lib/read-lines.ts";
import { McpServer } from "../mcp-server/server.ts";
import { watchReader } from "../process/reader-watch.ts";
import { BufferedOutput } from "../render/buffered-output.ts";
import { holdWhenIdle } from "./hold-when-idle.ts";
import type { ProcessOutput } from "./process-output.ts";
import { closeMs, type Signal, signalStatus, timeLimit } from "./run-end.ts";

/** Longer than any message that makes sense, and short enough to be a string. */
const maxLineBytes = 256 * 1024 * 1024;
/** A client that does not read is still heard, until so much is written that it has not taken. */
const maxUnreadBytes = 16 * 1024 * 1024;
/** A client that has only asked what there is is gone by then. */
const idleMs = 500;
/** How long the reader of the log is waited for at the end. */
const logMs = 500;

type McpOutput = Pick<
  ProcessOutput,
  "stdout" | "stderr" | "pressure" | "losePatience" | "flush" | "stdoutClosed" | "stopWriting"
>;

interface SessionOptions extends Omit<ConstructorParameters<typeof McpServer>[0], "output" | "onLoaded"> {
  readonly output: McpOutput;
}

/** The server between its two pipes, from the first line to the exit status. */
export class McpSession {
  readonly #server: McpServer;
  readonly #output: McpOutput;
  readonly #lines: BufferedOutput;
  readonly #exitGraceMs: number;
  /** The end has been waited for long enough. */
  readonly #killed: Promise<void>;
  #kill = () => {};
  #closed: Promise<void> | undefined;
  #signal: Signal | undefined;
  /** A signal came, or nobody reads stdout any more. */
  readonly #stopped: Promise<void>;
  #stop = () => {};

  constructor({ output, ...options }: SessionOptions) {
    this.#output = output;
    this.#lines = new BufferedOutput(output);
    this.#exitGraceMs = options.config.mcp.exitGraceMs;
    this.#server = new McpServer({
      ...options,
      output: {
        write: (line) => this.#lines.write("stdout", line),
        writeParts: (parts) => {
          this.#lines.flush();
          for (const part of parts) output.stdout(part);
        },
        pressure: () => output.pressure(),
      },
      onLoaded: ({ commandHost }) => watchReader(1, { host: commandHost, onGone: () => output.stopWriting() }),
    });
    this.#killed = new Promise((resolve) => {
      this.#kill = resolve;
    });
    this.#stopped = new Promise((resolve) => {
      this.#stop = resolve;
    });
  }

  /** Returns the exit status. */
  async serve(input: AsyncIterable<Uint8Array>): Promise<number> {
    this.#listen();
    setTimeout(() => this.#server.warmUp(), idleMs).unref();
    holdWhenIdle();
    await Promise.race([this.#read(input), this.#stopped]);
    if (this.#signal === undefined && !this.#output.stdoutClosed.aborted) {
      log("info", "mcp", "stdin has ended");
      await Promise.race([this.#server.finish(), timeLimit(this.#exitGraceMs), this.#stopped]);
    }
    this.#close();
    await Promise.race([this.#closed, this.#killed]);
    this.#lines.flush();
    await Promise.race([this.#output.flush(logMs), this.#killed]);
    return this.#signal === undefined ? 0 : signalStatus[this.#signal];
  }

  async #read(input: AsyncIterable<Uint8Array>): Promise<void> {
    try {
      for await (const line of readLines(input, { maxBytes: maxLineBytes })) {
        this.#server.receive(line);
        if (process.stdout.writableLength > maxUnreadBytes) await this.#output.pressure();
      }
    } catch (error) {
      log("error", "mcp", `Cannot read stdin: ${messageOf(error)}`);
    }
  }

  /** The first signal ends everything in order, the next one at once. */
  #listen(): void {
    for (const signal of Object.keys(signalStatus) as Signal[]) {
      process.on(signal, () => {
        log("info", "mcp", `received ${signal}`);
        if (this.#signal !== undefined) this.#kill();
        this.#signal ??= signal;
        this.#stop();
      });
    }
    this.#output.stdoutClosed.addEventListener("abort", () => this.#stop(), { once: true });
  }

  #close(): void {
    if (this.#closed !== undefined) return;
    this.#output.losePatience();
    this.#closed = this.#server.close();
    void timeLimit(closeMs).then(this.#kill);
  }
}
