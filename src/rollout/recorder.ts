import { closeSync, constants, fstatSync, ftruncateSync, mkdirSync, readSync, writeSync } from "node:fs";
import path from "node:path";
import { explainSystemError, UserError } from "../lib/errors.ts";
import { parseJson } from "../lib/parse-json.ts";
import { lockFile, openLocked } from "../process/file-lock.ts";
import type { Libc } from "../process/libc.ts";
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
  /** The session that this one is a copy of; ours as well. */
  readonly forked_from_id?: ConversationId;
}

interface RecorderOptions {
  readonly now: () => Date;
  /** Told once, in a sentence for people, when recording has to stop; the conversation goes on without. */
  readonly onProblem: (message: string) => void;
  /** For the lock that keeps a second process from going on with the same session; undefined: there is none here. */
  readonly libc?: Libc | undefined;
}

/** Another process goes on with the session, or this one does already. */
export class SessionInUse extends UserError {}

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
      const { O_WRONLY, O_APPEND, O_CREAT, O_EXCL } = constants;
      const flags = O_WRONLY | O_APPEND | O_CREAT | O_EXCL;
      recorder.#fd = openLocked(recorder.path, { flags, mode: 0o600, libc: options.libc });
    });
    const payload: SessionMeta = { id: conversationId, timestamp: start.toISOString(), ...meta };
    recorder.#write("session_meta", payload);
    return recorder;
  }

  /** Goes on with an existing file, whose torn last line is mended first. Throws SessionInUse. */
  static resume(file: string, options: RecorderOptions): RolloutRecorder {
    const recorder = new RolloutRecorder(file, options);
    let isInUse = false;
    recorder.#attempt(() => {
      const flags = constants.O_RDWR | constants.O_APPEND;
      recorder.#fd = openLocked(file, { flags, libc: options.libc });
      isInUse = recorder.#fd === undefined;
      if (recorder.#fd !== undefined) mendLastLine(recorder.#fd);
    });
    if (isInUse) throw new SessionInUse(`The session is in use by another process: "${file}"`);
    return recorder;
  }

  /** Bytes in the file; undefined when nothing is recorded. */
  get size(): number | undefined {
    return this.#fd === undefined ? undefined : fstatSync(this.#fd).size;
  }

  /** For a new session that could not pay for the lock while it started: nobody else knows of it so early. */
  lock(libc: Libc | undefined): void {
    if (this.#fd !== undefined && libc !== undefined) lockFile(this.#fd, libc);
  }

  recordItem(item: ResponseItem): void {
    this.#write("response_item", item);
  }

  /** Only what a person said or was told in full is kept; other events are passed over. */
  recordEvent(msg: EventMsg): void {
    if (storedEvents.has(msg.type)) this.#write("event_msg", msg);
  }

  /** `session` is what holds for later tasks, where this one has settings of its own; ours, as the field it becomes. */
  recordTurnContext(context: TurnContext, session?: TurnContext): void {
    this.#write("turn_context", session === undefined ? context : { ...context, session });
  }

  /** Lines of another session, each with its end. */
  copyLines(text: Buffer): void {
    const fd = this.#fd;
    if (fd !== undefined) this.#attempt(() => writeAll(fd, text));
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
    this.#attempt(() =>
      writeAll(fd, Buffer.from(`${JSON.stringify({ timestamp: this.#now().toISOString(), type, payload })}\n`)),
    );
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

/** Whether some process goes on with the session just now; false where that cannot be known. */
export function isInUse(file: string, libc: Libc | undefined): boolean {
  try {
    const fd = openLocked(file, { flags: constants.O_RDONLY | constants.O_NONBLOCK, libc });
    if (fd !== undefined) closeSync(fd);
    return fd === undefined;
  } catch {
    return false; // whoever wants the file will meet the same problem, and tell it
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

function writeAll(fd: number, text: Buffer): void {
  let rest = text;
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
