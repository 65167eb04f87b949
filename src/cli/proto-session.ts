import type { Conversation } from "../conversation/conversation.ts";
import { messageOf } from "../lib/errors.ts";
import { log } from "../lib/log.ts";
import { readLines } from "../lib/read-lines.ts";
import type { Event } from "../protocol/event.ts";
import type { ClientSubmission } from "../protocol/submission-schema.ts";
import { BufferedOutput } from "../render/buffered-output.ts";
import { holdWhenIdle } from "./hold-when-idle.ts";
import type { ProcessOutput } from "./process-output.ts";
import { closeMs, type Signal, signalStatus, timeLimit } from "./run-end.ts";

/** The part of the log, as the reference names it. */
const target = "codex_cli::proto";

const maxLineBytes = 64 * 1024 * 1024;
/**
 * A client that has stopped reading is still heard, but not for ever, for what it asks for has to be kept: so many
 * submissions (the length of the reference's queue) and so much text.
 */
const unreadLimit = { lines: 64, characters: maxLineBytes };

/** How long the reader of the log is waited for at the end. */
const logMs = 500;

/** So many tasks make a long session. */
const longSessionTasks = 10;

type ProtoOutput = Pick<ProcessOutput, "stdout" | "stderr" | "pressure" | "losePatience" | "flush" | "stdoutClosed">;

/** Submissions in, events out, until one of the two sides has had enough. */
export class ProtoSession {
  readonly #conversation: Conversation;
  readonly #output: ProtoOutput;
  readonly #events: AsyncIterable<Event>;
  readonly #lines: BufferedOutput;
  /** The end of the conversation has been waited for long enough. */
  readonly #killed: Promise<void>;
  #kill = () => {};
  #hasInput = true;
  #signal: Signal | undefined;
  #task: "running" | "interrupted" | undefined;
  #endedTasks = 0;
  #unread = { lines: 0, characters: 0 };

  constructor(conversation: Conversation, output: ProtoOutput) {
    this.#conversation = conversation;
    this.#output = output;
    this.#events = conversation.events({ isPacing: true });
    this.#lines = new BufferedOutput(output);
    this.#killed = new Promise((resolve) => {
      this.#kill = resolve;
    });
  }

  /** The only way to stdout. */
  print(event: Event): void {
    this.#lines.write("stdout", `${JSON.stringify(event)}\n`);
  }

  /** Returns the exit status. */
  async serve(input: AsyncIterable<Uint8Array>): Promise<number> {
    this.#lines.flush(); // the client has the first event before anything else is loaded
    this.#listen();
    void this.#read(input);
    holdWhenIdle();
    await Promise.race([this.#printEvents(), this.#killed]);
    this.#lines.flush();
    await Promise.race([this.#output.flush(logMs), this.#killed]);
    if (this.#signal !== undefined) return signalStatus[this.#signal];
    return this.#conversation.hasFailed ? 1 : 0;
  }

  async #printEvents(): Promise<void> {
    for await (const event of this.#events) {
      const { type } = event.msg;
      if (type === "task_started") this.#task = "running";
      else if (type === "task_complete" || type === "turn_aborted") this.#endTask();
      this.print(event);
      const pressure = this.#output.pressure();
      if (pressure !== undefined) await pressure;
    }
  }

  #endTask(): void {
    this.#task = undefined;
    this.#endedTasks += 1;
    if (this.#endedTasks === longSessionTasks) void preferMemory();
  }

  async #read(input: AsyncIterable<Uint8Array>): Promise<void> {
    const { decodeSubmission } = await import("../protocol/submission-schema.ts");
    try {
      for await (const line of readLines(input, { maxBytes: maxLineBytes })) {
        if (!line.ok) this.#refuse({ id: "", problem: line.problem });
        else if (line.text !== "") {
          const decoded = decodeSubmission(line.text);
          if (decoded.ok) this.#take(decoded.submission);
          else this.#refuse(decoded);
        }
        await this.#waitForReader(line.ok ? line.text.length : 0);
      }
      log("info", target, "stdin has ended");
    } catch (error) {
      log("error", target, `Cannot read stdin: ${messageOf(error)}`);
    }
    this.#hasInput = false;
    await this.#conversation.finish();
  }

  #take({ id, op }: ClientSubmission): void {
    if (op.type === "configure_session") {
      const message = "configure_session has no effect: the command line and config.toml configure the session";
      this.print({ id, msg: { type: "background_event", message } });
      return;
    }
    try {
      this.#conversation.submit(op, id);
    } catch (error) {
      log("error", target, `too late for ${op.type}: ${messageOf(error)}`);
    }
  }

  #refuse({ id, problem }: { readonly id: string; readonly problem: string }): void {
    const message = `invalid submission: ${problem}`;
    log("error", target, message);
    this.print({ id, msg: { type: "error", message } });
  }

  async #waitForReader(characters: number): Promise<void> {
    const pressure = this.#output.pressure();
    if (pressure === undefined) {
      this.#unread = { lines: 0, characters: 0 };
      return;
    }
    this.#unread.lines += 1;
    this.#unread.characters += characters;
    const { lines, characters: total } = this.#unread;
    if (lines >= unreadLimit.lines || total >= unreadLimit.characters) await pressure;
  }

  /** SIGINT interrupts the task; without one, and like the others, it ends the program in order, and a further one at once. */
  #listen(): void {
    for (const signal of Object.keys(signalStatus) as Signal[]) {
      process.on(signal, () => {
        log("info", target, `received ${signal}`);
        if (this.#signal !== undefined) this.#kill();
        else if (signal === "SIGINT" && this.#task === "running" && this.#hasInput) this.#interrupt();
        else {
          this.#signal = signal;
          this.#close();
        }
      });
    }
    this.#output.stdoutClosed.addEventListener("abort", () => this.#close(), { once: true });
  }

  #interrupt(): void {
    this.#task = "interrupted";
    try {
      this.#conversation.submit({ type: "interrupt" });
    } catch {
      // it has ended already, and with it the task
    }
  }

  #close(): void {
    this.#output.losePatience();
    void this.#conversation.close();
    void timeLimit(closeMs).then(this.#kill);
  }
}

/**
 * Garbage is collected sooner from here on: a quarter less memory for a twentieth more CPU. Not from the start, because
 * the code that the build has compiled for us is refused once a flag of V8 has changed.
 */
async function preferMemory(): Promise<void> {
  const { setFlagsFromString } = await import("node:v8");
  setFlagsFromString("--optimize-for-size");
}
