import { closeSync, constants, fstatSync, ftruncateSync, mkdirSync, openSync, readSync, writeSync } from "node:fs";
import path from "node:path";
import { explainSystemError } from "../lib/errors.ts";
import { parseJson } from "../lib/parse-json.ts";
import type { ConversationId } from "../protocol/conversation-id.ts";
import type { EventMsg, TurnContext } from "../protocol/event.ts";
import type { ResponseItem } from "../protocol/response-item.ts";
import type { GitInfo } from "./git-info.ts";

/** The first line of a rollout, in its wire spelling. */
interface SessionMeta {
  readonly id: ConversationId;
  readonly timestamp: string;
  readonly cwd: string;
  readonly originator: string;
  readonly cli_version: string;
  readonly instructions: string | null;
  readonly git?: GitInfo;
  /** What holds commands to the policy; ours, the reference has no such field. */
  readonly sandbox_backend: string;
}

interface RecorderOptions {
  readonly now: () => Date;
  /** Told once, in a sentence for people, when recording has to stop; the conversation goes on without. */
  readonly onProblem: (message: string) => void;
}

interface NewRollout extends RecorderOptions {
  readonly codexHome: string;
  readonly conversationId: ConversationId;
  readonly meta: Omit<SessionMeta, "id" | "timestamp">;
}

/** A conversation on disk: one line and one write for each thing told, so a crash loses at most the line being written. */
export class RolloutRecorder {
  /** Where the file is, or would be. */
  readonly path: string;
  readonly #now: () => Date;
  readonly #onProblem: (message: string) => void;
  /** Undefined once recording has stopped. */
  #fd: number | undefined;

  private constructor(file: string, { now, onProblem }: RecorderOptions) {
    this.path = file;
    this.#now = now;
    this.#onProblem = onProblem;
  }

  static create(options: NewRollout): RolloutRecorder {
    const { codexHome, conversationId, meta, now } = options;
    const start = now();
    const recorder = new RolloutRecorder(rolloutPath(codexHome, { conversationId, start }), options);
    recorder.#attempt(() => {
      mkdirSync(path.dirname(recorder.path), { recursive: true, mode: 0o700 });
      recorder.#fd = openSync(recorder.path, "ax", 0o600);
    });
    const payload: SessionMeta = { id: conversationId, timestamp: start.toISOString(), ...meta };
    recorder.#write("session_meta", payload);
    return recorder;
  }

  /** Goes on with an existing file, whose torn last line is mended first. */
  static resume(file: string, options: RecorderOptions): RolloutRecorder {
    const recorder = new RolloutRecorder(file, options);
    recorder.#attempt(() => {
      recorder.#fd = openSync(file, constants.O_RDWR | constants.O_APPEND);
      mendLastLine(recorder.#fd);
    });
    return recorder;
  }

  recordItem(item: ResponseItem): void {
    this.#write("response_item", item);
  }

  /** Only what a person said or was told in full is kept; other events are passed over. */
  recordEvent(msg: EventMsg): void {
    if (storedEvents.has(msg.type)) this.#write("event_msg", msg);
  }

  recordTurnContext(context: TurnContext): void {
    this.#write("turn_context", context);
  }

  /** Readers that do not know `replacement_history` make their own of the summary. */
  recordCompaction(message: string, replacement_history: readonly ResponseItem[]): void {
    this.#write("compacted", { message, replacement_history });
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }

  #write(type: string, payload: unknown): void {
    const fd = this.#fd;
    if (fd === undefined) return;
    this.#attempt(() => writeAll(fd, `${JSON.stringify({ timestamp: this.#now().toISOString(), type, payload })}\n`));
  }

  #attempt(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.close();
      this.#onProblem(`This session is not recorded: cannot write "${this.path}": ${explainSystemError(error)}`);
    }
  }
}

const storedEvents: ReadonlySet<EventMsg["type"]> = new Set([
  "user_message",
  "agent_message",
  "agent_reasoning",
  "agent_reasoning_raw_content",
  "token_count",
] as const);

/** Folders and file are named after the local time, as in the reference. */
function rolloutPath(
  codexHome: string,
  { conversationId, start }: { readonly conversationId: ConversationId; readonly start: Date },
): string {
  const two = (number: number): string => String(number).padStart(2, "0");
  const [year, month, day] = [String(start.getFullYear()), two(start.getMonth() + 1), two(start.getDate())];
  const time = [start.getHours(), start.getMinutes(), start.getSeconds()].map(two).join("-");
  const name = `rollout-${year}-${month}-${day}T${time}-${conversationId}.jsonl`;
  return path.join(codexHome, "sessions", year, month, day, name);
}

function writeAll(fd: number, text: string): void {
  let rest = Buffer.from(text);
  while (rest.length > 0) rest = rest.subarray(writeSync(fd, rest)); // more than once only as a disk fills up
}

/** A last line without its end gets one if it is whole; if not, it can tell nobody anything and is cut off. */
function mendLastLine(fd: number): void {
  const { size } = fstatSync(fd);
  const lastLine = readLastLine(fd, size);
  if (lastLine.length === 0) return;
  if (lastLine.length === size || parseJson(lastLine.toString("utf8")).ok) writeSync(fd, "\n");
  else ftruncateSync(fd, size - lastLine.length);
}

/** What follows the last line break. */
function readLastLine(fd: number, size: number): Buffer {
  const parts: Buffer[] = [];
  for (let end = size; end > 0; ) {
    const start = Math.max(0, end - 64 * 1024);
    const chunk = Buffer.alloc(end - start);
    readSync(fd, chunk, 0, chunk.length, start);
    const lineBreak = chunk.lastIndexOf(10);
    parts.unshift(chunk.subarray(lineBreak + 1));
    if (lineBreak !== -1) break;
    end = start;
  }
  return Buffer.concat(parts);
}
