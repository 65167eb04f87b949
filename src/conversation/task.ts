import { findGitRoot } from "../config/git-root.ts";
import { messageOf, UserError } from "../lib/errors.ts";
import { log } from "../lib/log.ts";
import { ModelError } from "../model/model-client.ts";
import type { TurnDiff } from "../patch/turn-diff.ts";
import type { ErrorCode, ErrorMessage } from "../protocol/event.ts";
import type { Session } from "./session.ts";
import { runTurnInContext } from "./turn-in-context.ts";
import type { TurnSettings } from "./turn-settings.ts";
import type { UserInput } from "./user-message.ts";

/** Why a task was stopped from outside; the reason of its AbortSignal. */
export class TaskStopped extends Error {
  override readonly name = "TaskStopped";
  readonly reason: "interrupted" | "replaced";

  constructor(reason: "interrupted" | "replaced" = "interrupted") {
    super(`task ${reason}`);
    this.reason = reason;
  }
}

/** A limit that the user set was reached: the task ends with this error. */
export class LimitReached extends Error {
  override readonly name = "LimitReached";
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

export function timeLimitText(timeoutMs: number): string {
  return `time limit reached: ${timeoutMs / 1000} s`;
}

/** The work started by one submission: turns until the model calls no tool, or a compaction. */
export class Task {
  /** The submission that started it; all its events carry this id. */
  readonly id: string;
  readonly settings: TurnSettings;
  readonly isCompaction: boolean;
  readonly #controller = new AbortController();
  readonly #pendingInput: UserInput[] = [];
  readonly #userTexts: string[] = [];
  readonly #warnings: string[] = [];
  #turnDiff: TurnDiff | undefined;
  #lastDiff = "";

  /** Without input it is a compaction. */
  constructor(id: string, settings: TurnSettings, input?: UserInput) {
    this.id = id;
    this.settings = settings;
    this.isCompaction = input === undefined;
    if (input !== undefined) this.#pendingInput.push(input);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** A compaction asks the model nothing that input could join, and a stopped task asks nothing any more. */
  get takesInput(): boolean {
    return !this.isCompaction && !this.signal.aborted;
  }

  /** The first reason counts. */
  stop(reason: TaskStopped | LimitReached): void {
    this.#controller.abort(reason);
  }

  /** Input that arrives while the task runs joins its next request. */
  addInput(input: UserInput): void {
    this.#pendingInput.push(input);
  }

  /** Never throws; its last event is `task_complete` or `turn_aborted`. */
  async run(session: Session): Promise<void> {
    let hasInput = this.#recordInput(session); // the rollout has the input before anybody hears of the task
    if (hasInput) session.recordTurnContext(this.settings);
    const timer = this.#startTimer(session.limits.timeoutMs);
    const servers = session.mcp.settled(this.signal);
    if (servers !== undefined) await servers; // what they have to say comes before the task
    if (this.#recordInput(session)) hasInput = true; // what joined meanwhile
    session.emit(this.id, { type: "task_started", model_context_window: session.contextWindow(this.settings.model) });
    log("info", "session", `task ${this.id} started${this.isCompaction ? " to compact the conversation" : ""}`);
    this.#tellWarnings(session);
    let lastMessage: string | null = null;
    let hasFailed = false;
    try {
      this.signal.throwIfAborted();
      session.mcp.requireAll();
      if (this.isCompaction) await this.#compact(session);
      else if (hasInput) lastMessage = await this.#runTurns(session);
      this.emitDiff(session);
    } catch (error) {
      const cause = this.signal.aborted ? this.signal.reason : error;
      this.#recordInput(session); // what joined and was not sent yet goes out with the next task's first request
      this.#tellWarnings(session);
      this.emitDiff(session);
      if (cause instanceof TaskStopped) {
        log("info", "session", `task ${this.id} stopped: ${cause.reason}`);
        session.endTask(this);
        session.emit(this.id, { type: "turn_aborted", reason: cause.reason });
        return;
      }
      const failure = describe(cause);
      log("warn", "session", `task ${this.id} failed: ${failure.message}`);
      session.emit(this.id, { type: "error", ...failure });
      hasFailed = true;
    } finally {
      clearTimeout(timer);
    }
    session.endTask(this);
    session.emit(this.id, { type: "task_complete", last_agent_message: lastMessage });
    if (!hasFailed && !this.isCompaction)
      await session.notify({ turnId: this.id, inputMessages: this.#userTexts, lastAssistantMessage: lastMessage });
  }

  turnDiff(create: (root: string) => TurnDiff): TurnDiff {
    this.#turnDiff ??= create(findGitRoot(this.settings.cwd) ?? this.settings.cwd);
    return this.#turnDiff;
  }

  /** Tells what this task's patches changed so far, unless that was told already. */
  emitDiff(session: Session): void {
    const diff = this.#turnDiff?.text() ?? "";
    if (diff === this.#lastDiff) return;
    this.#lastDiff = diff;
    if (diff !== "") session.emit(this.id, { type: "turn_diff", unified_diff: diff });
  }

  async #runTurns(session: Session): Promise<string | null> {
    const { sandboxPolicy, cwd } = this.settings;
    session.sandboxes.get(sandboxPolicy, cwd); // before anything is asked of the model, since no command could run
    for (let turn = 1; ; turn += 1) {
      const outcome = await runTurnInContext(session, this);
      this.signal.throwIfAborted();
      const hasInput = this.#recordInput(session);
      this.#tellWarnings(session);
      if (!outcome.hasCalls && !hasInput) return outcome.lastMessage;
      if (turn >= (session.limits.maxTurns ?? Number.POSITIVE_INFINITY)) {
        throw new LimitReached("turn_limit", `turn limit reached: ${turn} ${turn === 1 ? "turn" : "turns"}`);
      }
    }
  }

  /** Records what was put in since the last request; false when that was nothing. */
  #recordInput(session: Session): boolean {
    let hasRecorded = false;
    for (const input of this.#pendingInput.splice(0)) {
      this.#warnings.push(...input.warnings);
      if (input.item.content.length === 0) continue;
      session.record(input.item);
      if (input.event !== undefined) {
        session.recordEvent(input.event);
        this.#userTexts.push(input.event.message);
      }
      hasRecorded = true;
    }
    return hasRecorded;
  }

  #tellWarnings(session: Session): void {
    for (const message of this.#warnings.splice(0)) session.emit(this.id, { type: "background_event", message });
  }

  async #compact(session: Session): Promise<void> {
    const { compactOnRequest } = await import("./compaction.ts");
    await compactOnRequest(session, this);
  }

  #startTimer(timeoutMs: number | undefined): NodeJS.Timeout | undefined {
    if (timeoutMs === undefined) return undefined;
    const stop = () => this.stop(new LimitReached("time_limit", timeLimitText(timeoutMs)));
    return setTimeout(stop, Math.max(0, timeoutMs - performance.now()));
  }
}

function describe(error: unknown): Omit<ErrorMessage, "type"> {
  if (error instanceof UserError) return { message: error.message };
  if (error instanceof LimitReached) return { message: error.message, code: error.code };
  if (error instanceof ModelError) {
    const { message, cause } = error;
    const isNews = cause instanceof Error && cause.message !== "" && !message.includes(cause.message);
    return isNews ? { message, detail: cause.message } : { message };
  }
  return { message: `internal error: ${messageOf(error)}` };
}
