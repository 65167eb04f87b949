import { Chalk, type ChalkInstance } from "chalk";
import type { Event } from "../protocol/event.ts";
import { BufferedOutput } from "./buffered-output.ts";
import { formatDuration } from "./format-duration.ts";
import { type LogBlock, LogBlocks } from "./log-blocks.ts";
import { stripControls } from "./printable.ts";
import type { Output, Renderer, RunOutcome, RunSummary } from "./renderer.ts";
import { RunTally } from "./run-tally.ts";
import { type Spinner, withSpinner } from "./spinner.ts";
import { StreamedText } from "./streamed-text.ts";
import { waitText } from "./wait-text.ts";

/** Too short to be seen; a write for each of many thousand deltas would cost more than all the rest. */
const gatherMs = 10;

/** The three kinds of text that come from the model in pieces. */
type Prose = "message" | "reasoning" | "raw_reasoning";

/**
 * What a person sees: the log of the run on stderr, the answer alone on stdout.
 *
 * When both are terminals the model's messages go to stdout as they come, below their headers in the log, so that nothing
 * stands there twice. Otherwise the log holds every message, and stdout gets the last one when the task is complete.
 */
export class HumanRenderer implements Renderer {
  readonly #output: BufferedOutput;
  readonly #spinner: Spinner | undefined;
  readonly #now: () => number;
  readonly #paint: ChalkInstance;
  readonly #blocks: LogBlocks;
  readonly #tally = new RunTally();
  readonly #startedAt: number;
  readonly #isStdoutTerminal: boolean;
  readonly #messageStream: "stdout" | "stderr";
  readonly #hidden = new Set<Prose>();
  readonly #streamed: Readonly<Record<Prose, StreamedText>> = {
    message: new StreamedText(),
    reasoning: new StreamedText(),
    raw_reasoning: new StreamedText(),
  };
  /** What is being streamed, and whether its last line has ended. */
  #open: Prose | undefined;
  #isAtLineStart = true;
  #hasMessage = false;

  constructor(output: Output, options: { readonly now?: () => number; readonly spinner?: Spinner } = {}) {
    this.#spinner = options.spinner;
    const target = options.spinner === undefined ? output : withSpinner(output, options.spinner);
    this.#output = new BufferedOutput(target, { gatherMs });
    this.#now = options.now ?? Date.now;
    this.#paint = new Chalk({ level: output.hasColour ? 1 : 0 });
    this.#blocks = new LogBlocks(this.#paint, this.#now);
    this.#startedAt = this.#now();
    this.#isStdoutTerminal = output.isStdoutTerminal;
    this.#messageStream = output.isStdoutTerminal && output.isStderrTerminal ? "stdout" : "stderr";
  }

  start(run: RunSummary): void {
    if (run.config.hideAgentReasoning) this.#hidden.add("reasoning");
    if (!run.config.showRawAgentReasoning) this.#hidden.add("raw_reasoning");
    for (const block of this.#blocks.head(run)) this.#write(block);
  }

  show({ msg }: Event): void {
    switch (msg.type) {
      case "agent_message_delta":
        this.#showDelta("message", msg.delta);
        return;
      case "agent_reasoning_delta":
        this.#showDelta("reasoning", msg.delta);
        return;
      case "agent_reasoning_raw_content_delta":
        this.#showDelta("raw_reasoning", msg.delta);
        return;
      case "agent_reasoning_section_break":
        this.#breakSection();
        return;
      case "agent_message":
        this.#hasMessage = true;
        this.#showWhole("message", msg.message);
        break;
      case "agent_reasoning":
        this.#showWhole("reasoning", msg.text);
        break;
      case "agent_reasoning_raw_content":
        this.#showWhole("raw_reasoning", msg.text);
        break;
      case "token_count":
      case "error":
      case "stream_error":
      case "turn_aborted":
        // What a response left unfinished is not continued by the next one.
        for (const streamed of Object.values(this.#streamed)) streamed.clear();
    }
    this.#tally.add(msg);
    const block = this.#blocks.of(msg);
    if (block !== undefined) this.#write(block);
    const wait = waitText(msg);
    if (wait === null) this.#spinner?.stop();
    else if (wait !== undefined) this.#spinner?.wait(wait);
  }

  finish(outcome: RunOutcome): void {
    this.#spinner?.stop();
    this.#write({ title: this.#summary(outcome) });
    if (outcome.reason === "completed") this.#writeAnswer(outcome.lastAgentMessage);
    this.#output.flush();
  }

  #showDelta(prose: Prose, delta: string): void {
    if (delta === "" || this.#hidden.has(prose)) return;
    this.#streamed[prose].add(delta);
    if (this.#open !== prose) {
      this.#spinner?.stop();
      this.#write({ title: this.#proseTitle(prose), body: "\n" });
      this.#open = prose;
    }
    const text = stripControls(delta);
    if (text === "") return;
    this.#output.write(this.#streamOf(prose), text);
    this.#isAtLineStart = text.endsWith("\n");
  }

  #showWhole(prose: Prose, text: string): void {
    if (this.#hidden.has(prose)) return;
    if (this.#streamed[prose].take(text)) {
      this.#endOpenLine();
    } else if (text.trim() !== "") {
      this.#write({ title: this.#proseTitle(prose) });
      this.#output.write(this.#streamOf(prose), withLineEnd(stripControls(text)));
    }
  }

  #breakSection(): void {
    if (this.#open !== "reasoning") return; // also comes before the first part
    this.#output.write("stderr", this.#isAtLineStart ? "\n" : "\n\n");
    this.#isAtLineStart = true;
  }

  #write({ title, body = "" }: LogBlock): void {
    this.#endOpenLine();
    const time = new Date(this.#now()).toISOString().slice(0, 19);
    this.#output.write("stderr", `${this.#paint.dim(`[${time}]`)} ${title}\n${withLineEnd(body)}`);
  }

  #endOpenLine(): void {
    if (this.#open === undefined) return;
    if (!this.#isAtLineStart) this.#output.write(this.#streamOf(this.#open), "\n");
    this.#open = undefined;
    this.#isAtLineStart = true;
  }

  /** A program gets the answer unchanged; a terminal must not be steered by it. */
  #writeAnswer(answer: string | null): void {
    if (answer === null || answer === "") return;
    if (this.#messageStream === "stdout" && this.#hasMessage) return; // shown as it came
    this.#output.write("stdout", withLineEnd(this.#isStdoutTerminal ? stripControls(answer) : answer));
  }

  #summary({ reason }: RunOutcome): string {
    const paint = reason === "completed" ? this.#paint.green : this.#paint.red;
    const duration = formatDuration(this.#now() - this.#startedAt);
    const done = this.#tally.text();
    return `${paint(verdicts[reason])} ${duration}${done === "" ? "" : `: ${done}`}`;
  }

  #proseTitle(prose: Prose): string {
    return this.#paint.magenta.italic(prose === "message" ? "codex" : "thinking");
  }

  #streamOf(prose: Prose): "stdout" | "stderr" {
    return prose === "message" ? this.#messageStream : "stderr";
  }
}

const verdicts: Readonly<Record<RunOutcome["reason"], string>> = {
  completed: "completed in",
  failed: "failed after",
  interrupted: "interrupted after",
  limit: "stopped by a limit after",
};

function withLineEnd(text: string): string {
  return text === "" || text.endsWith("\n") ? text : `${text}\n`;
}
