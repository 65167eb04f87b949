import { closeSync, constants, fstatSync, ftruncateSync, mkdirSync, readSync, writeSync } from "node:fs";
import path from "node:path";
import { explainSystemError, UserError } from "../lib/errors.ts";
import { parseDeepJson } from "../lib/parse-json.ts";
import { createLocked, isLocked, lockFile, openLocked } from "../process/file-lock.ts";
import type { Libc } from "../process/libc.ts";
import type { ConversationId } from "../protocol/conversation-id.ts";
import type { EventMsg, TurnContext } from "../protocol/event.ts";
import type { ResponseItem } from "../protocol/response-item.ts";
import type { GitInfo } from "./git-info.ts";
import { checkRolloutFile, type FileIdentity, lineText } from "./rollout-file.ts";

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
  /** Told in a sentence for people when recording has to stop, and when it is back; the conversation goes on without. */
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

interface ResumedRollout extends RecorderOptions {
  /** The file that was read: no other one is written to, whatever stands under its name by now. */
  readonly origin: FileIdentity;
}

/** Bytes that wait for a disk that has no room; with more of them recording ends. */
const mostUnwritten = 4 * 1024 * 1024;

/** A conversation on disk: one line and one write for each thing told, so a crash loses at most the line being written. */
export class RolloutRecorder {
  /** Where the file is, or would be. */
  readonly path: string;
  readonly #now: () => Date;
  readonly #onProblem: (message: string) => void;
  /** Undefined once recording has stopped. */
  #fd: number | undefined;
  /** What the disk would not take so far, from where a write broke off. */
  #unwritten: Buffer = Buffer.alloc(0);

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
      recorder.#fd = createLocked(recorder.path, { flags, mode: 0o600, libc: options.libc });
    });
    const payload: SessionMeta = { id: conversationId, timestamp: start.toISOString(), ...meta };
    recorder.#write("session_meta", payload);
    return recorder;
  }

  /** Goes on with an existing file, whose torn last line is mended first. Throws SessionInUse, or another UserError. */
  static resume(file: string, options: ResumedRollout): RolloutRecorder {
    const recorder = new RolloutRecorder(file, options);
    recorder.#attempt(() => {
      const { O_RDWR, O_APPEND, O_NOFOLLOW, O_NONBLOCK, O_NOCTTY } = constants;
      const flags = O_RDWR | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
      const opened = openLocked(file, { flags, libc: options.libc });
      if (!("fd" in opened)) throw new SessionInUse(`The session is in use by ${describeHolder(opened)}: "${file}"`);
      const { fd } = opened;
      recorder.#fd = fd;
      checkRolloutFile(fstatSync(fd), { file, origin: options.origin });
      if (mendLastLine(fd) === "end it") recorder.#append(Buffer.from("\n"));
    });
    return recorder;
  }

  /** Bytes in the file; undefined when nothing is recorded. */
  get size(): number | undefined {
    return this.#fd === undefined ? undefined : fstatSync(this.#fd).size;
  }

  /** For a new session that could not pay for this lock while it started, where being the writer is not one already. */
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
    this.#append(text);
  }

  /** Readers that do not know `replacement_history` make their own of the summary. */
  recordCompaction(message: string, replacement_history: readonly ResponseItem[]): void {
    this.#write("compacted", { message, replacement_history });
  }

  /** After a last try at what waits; what is lost then is told. */
  close(): void {
    const error = this.#unwritten.length > 0 ? this.#append(Buffer.alloc(0)) : undefined;
    if (error !== undefined) this.#tellLost(error);
    this.#unwritten = Buffer.alloc(0);
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }

  #write(type: string, payload: unknown): void {
    if (this.#fd === undefined) return;
    this.#append(Buffer.from(`${JSON.stringify({ timestamp: this.#now().toISOString(), type, payload })}\n`));
  }

  /**
   * What cannot be written, as on a full disk, is tried again with whatever comes next. It goes on right where the write
   * broke off, so that each line is there once, whole and in its place. Returns what the system has against it.
   */
  #append(text: Buffer): unknown {
    const fd = this.#fd;
    if (fd === undefined) return undefined;
    const isBehind = this.#unwritten.length > 0;
    this.#unwritten = isBehind ? Buffer.concat([this.#unwritten, text]) : text;
    try {
      while (this.#unwritten.length > 0) this.#unwritten = this.#unwritten.subarray(writeSync(fd, this.#unwritten));
      if (isBehind) this.#onProblem(`This session is recorded again, and nothing is missing: "${this.path}"`);
      return undefined;
    } catch (error) {
      const isTooMuch = this.#unwritten.length > mostUnwritten;
      if (isTooMuch) this.#unwritten = Buffer.alloc(0);
      if (isTooMuch) this.close();
      if (!isBehind || isTooMuch) this.#tell(error, isTooMuch ? " (not tried again)" : " (tried again as it goes on)");
      return error;
    }
  }

  /** For what cannot be made up for later. Mistakes of the user are thrown on. */
  #attempt(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.close();
      if (error instanceof UserError) throw error;
      this.#tell(error);
    }
  }

  #tellLost(error: unknown): void {
    const lines = this.#unwritten.filter((byte) => byte === 10).length;
    const amount = `${lines} ${lines === 1 ? "line" : "lines"} (${this.#unwritten.length} bytes)`;
    this.#onProblem(
      `The end of this session is lost: cannot write the last ${amount} of "${this.path}": ${explainSystemError(error)}`,
    );
  }

  #tell(error: unknown, outlook = ""): void {
    const problem = `cannot write "${this.path}": ${explainSystemError(error)}`;
    this.#onProblem(`This session is not recorded: ${problem}${outlook}`);
  }
}

/** Whether some process goes on with the session just now; false where that cannot be known. */
export function isInUse(file: string, libc: Libc | undefined): boolean {
  try {
    return isLocked(file, libc);
  } catch {
    return false; // whoever wants the file will meet the same problem, and tell it
  }
}

function describeHolder({ holder }: { readonly holder: number | undefined }): string {
  return holder === undefined ? "another process" : `another process (${holder})`;
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

/** A last line without its end gets one if it is whole; if not, it can tell nobody anything and is cut off. */
function mendLastLine(fd: number): "end it" | "as it is" {
  const { size } = fstatSync(fd);
  const lastLine = readLastLine(fd, size);
  if (lastLine.length === 0) return "as it is";
  if (lastLine.length === size || parseDeepJson(lineText(lastLine)).ok) return "end it";
  ftruncateSync(fd, size - lastLine.length);
  return "as it is";
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
