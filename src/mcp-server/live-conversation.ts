import type { Config } from "../config/config.ts";
import type { Conversation } from "../conversation/conversation.ts";
import type { InitializedCodex } from "../conversation/init-codex.ts";
import { messageOf } from "../lib/errors.ts";
import { log } from "../lib/log.ts";
import type { Event, EventMsg } from "../protocol/event.ts";
import type { Op } from "../protocol/submission.ts";
import { ApprovalDesk, type Asker, type Decision, type Question } from "./approval-desk.ts";
import { EventLog, KeptEvent } from "./kept-event.ts";
import type { Outgoing } from "./outgoing.ts";
import { withLimitedOutput } from "./output-limit.ts";
import type { ServerState } from "./server-state.ts";

/** How a turn ended; what the call that started it is answered with. */
export type TurnOutcome = { readonly ok: true; readonly text: string } | ({ readonly ok: false } & TurnFailure);

interface TurnFailure {
  readonly message: string;
  /** What the server or the system said, where the message does not hold it. */
  readonly detail?: string;
}

/** Somebody who follows one turn from its first event to its end. */
export interface TurnWatcher {
  event(event: KeptEvent): void;
  ended(outcome: TurnOutcome): void;
  /** Puts the turn's questions to a person; undefined: it has nobody to ask. */
  readonly asker: Asker | undefined;
}

/** Somebody who follows everything from now on. */
export interface EventListener {
  event(event: KeptEvent): void;
  readonly asker: Asker | undefined;
  /** It is the one that `conversationCreate` leaves behind, for good. */
  readonly isOfStructuredTool?: boolean;
}

export type StartOp = Extract<Op, { type: "user_input" | "user_turn" }>;

interface Turn {
  /** Of the submission that started it; all its events carry this id. */
  readonly id: string;
  readonly watchers: TurnWatcher[];
  readonly onEnd: (() => void)[];
  /** It was told to stop: what is submitted now starts a turn of its own. */
  isStopping: boolean;
  failure: TurnFailure | undefined;
}

interface WaitingTurn {
  readonly op: StartOp;
  readonly watcher: TurnWatcher;
}

/** What an interrupted turn is answered with; clients of the old wire know it with its blank. */
const interruptedText = " Turn interrupted";

/**
 * A conversation as this server has it: one reader of its events that hands them on to everybody who follows it, the
 * turns under way and those that wait, and the questions that are open.
 */
export class LiveConversation {
  readonly id: string;
  readonly config: Config;
  readonly firstEvent: InitializedCodex["firstEvent"];
  readonly rolloutPath: string | undefined;
  /** Set by `conversationSendMessage` until that turn has ended. */
  isMarkedRunning = false;
  /** Answers once the conversation has ended and its last event is handed on. */
  readonly ended: Promise<void>;
  readonly #conversation: Conversation;
  readonly #outgoing: Outgoing;
  readonly #maxOutputBytes: number | undefined;
  readonly #desk: ApprovalDesk;
  readonly #log = new EventLog();
  readonly #listeners = new Set<EventListener>();
  /** Submitted and not ended, as the core has it this very moment. */
  readonly #coreTurns: Turn[] = [];
  /** The same, as far as their events were handed on; later than the core where a client reads slowly. */
  readonly #shownTurns: Turn[] = [];
  readonly #waiting: WaitingTurn[] = [];
  #idle: (() => void)[] = [];

  constructor(
    { conversation, firstEvent, config, rolloutPath }: InitializedCodex,
    { outgoing, settings }: Pick<ServerState, "outgoing" | "settings">,
  ) {
    this.id = conversation.id;
    this.config = config;
    this.firstEvent = firstEvent;
    this.rolloutPath = rolloutPath;
    this.#conversation = conversation;
    this.#outgoing = outgoing;
    this.#maxOutputBytes = settings.maxOutputBytes;
    this.#desk = new ApprovalDesk({
      answer: (question, answer) => this.#answer(question, answer),
      timeoutMs: settings.approvalTimeoutMs,
    });
    void this.#track(conversation.events());
    this.ended = this.#show(conversation.events({ isPacing: true }));
  }

  /** It was told to end, or has ended: nobody can go on with it. */
  get isEnding(): boolean {
    return this.#conversation.isEnding;
  }

  /** Nothing runs and nothing waits. */
  get isIdle(): boolean {
    return this.#shownTurns.length === 0 && this.#waiting.length === 0;
  }

  /** Resolves as soon as nothing runs and nothing waits. */
  whenIdle(): Promise<void> {
    if (this.isIdle) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  /** Hands it to the core now: it joins the running turn, or starts one. Throws when the conversation has ended. */
  submit(op: StartOp, { id, watcher }: { readonly id?: string; readonly watcher?: TurnWatcher } = {}): void {
    const turnId = this.#conversation.submit(op, id);
    const [running] = this.#coreTurns;
    const joins = running !== undefined && this.#coreTurns.length === 1 && !running.isStopping;
    const turn = joins ? running : { id: turnId, watchers: [], onEnd: [], isStopping: false, failure: undefined };
    if (watcher !== undefined) turn.watchers.push(watcher);
    if (joins) {
      this.#askUnasked();
      return;
    }
    this.#coreTurns.push(turn);
    this.#shownTurns.push(turn);
  }

  /** A turn of its own, after those that run and wait. */
  enqueue(op: StartOp, watcher: TurnWatcher): void {
    this.#waiting.push({ op, watcher });
    this.#startNext();
    this.#askUnasked();
  }

  /** Interrupts the turn that is followed by `watcher`, or takes it out of the queue. */
  cancel(watcher: TurnWatcher): void {
    const at = this.#waiting.findIndex((waiting) => waiting.watcher === watcher);
    if (at !== -1) {
      this.#waiting.splice(at, 1);
      this.#desk.askOthers(watcher.asker, () => this.#asker());
      watcher.ended({ ok: false, message: interruptedText });
      this.#tellIdle();
      return;
    }
    const turnAt = this.#coreTurns.findIndex(({ watchers }) => watchers.includes(watcher));
    if (turnAt === 0) this.#interruptCore("interrupt");
    else this.#coreTurns[turnAt - 1]?.onEnd.push(() => this.cancel(watcher)); // it has not begun
  }

  /** Interrupts the running turn; resolves when its end was told, at once without one. */
  interrupt(): Promise<void> {
    const [turn] = this.#coreTurns;
    if (turn === undefined) return Promise.resolve();
    return new Promise((resolve) => {
      turn.onEnd.push(resolve);
      this.#interruptCore();
    });
  }

  /** Called when the turn that runs or was submitted last has ended. */
  onTurnEnd(callback: () => void): void {
    const turn = this.#coreTurns.at(-1);
    if (turn === undefined) callback();
    else turn.onEnd.push(callback);
  }

  /** Follows all events from now on; `untold`: and those before that nobody has been told. */
  listen(listener: EventListener, from: "now" | "untold"): () => void {
    const past = from === "untold" ? this.#log.takeUntold() : [];
    this.#listeners.add(listener);
    for (const event of past) listener.event(event);
    this.#askUnasked();
    return () => {
      this.#listeners.delete(listener);
      this.#desk.askOthers(listener.asker, () => this.#asker());
    };
  }

  /** The client follows all events for having created it with a structured tool. */
  get hasStructuredListener(): boolean {
    return [...this.#listeners].some((listener) => listener.isOfStructuredTool);
  }

  /** What is known of its past, oldest first. */
  get pastEvents(): readonly KeptEvent[] {
    return this.#log.all();
  }

  /** The client cannot answer any more: what is asked, and will be, interrupts its turn. */
  leaveUnattended(): void {
    this.#desk.leaveUnattended();
  }

  /** Ends as the client of a single conversation would end it: the last event says so. */
  async shutDown(): Promise<void> {
    this.#cancelWaiting();
    try {
      this.#conversation.submit({ type: "shutdown" });
    } catch {
      // it has ended already
    }
    await this.#conversation.ended;
    await this.ended;
  }

  /** Interrupts what runs and lets everything go. */
  close(): Promise<void> {
    this.#cancelWaiting();
    return this.#conversation.close();
  }

  #cancelWaiting(): void {
    for (const { watcher } of this.#waiting.splice(0)) watcher.ended({ ok: false, message: interruptedText });
  }

  /** Never waits for anything but the next event, so that at the next line of the client it has seen them all. */
  async #track(events: AsyncIterable<Event>): Promise<void> {
    for await (const { id, msg } of events) {
      if (isEnd(msg) && this.#coreTurns[0]?.id === id) this.#coreTurns.shift();
    }
    this.#coreTurns.length = 0;
  }

  async #show(events: AsyncIterable<Event>): Promise<void> {
    try {
      for await (const event of events) {
        const pressure = this.#showOne(event) ? this.#outgoing.pressure() : undefined;
        if (pressure !== undefined) await pressure;
      }
    } catch (error) {
      // A fault of ours; the server and its other conversations go on.
      log("error", "mcp", `conversation ${this.id} ends, an event cannot be told: ${messageOf(error)}`);
      for (const turn of this.#shownTurns) turn.failure ??= { message: `internal error: ${messageOf(error)}` };
      await this.#conversation.close();
    }
    this.#endAll();
  }

  /** Returns whether anybody was told. */
  #showOne({ id, msg }: Event): boolean {
    const hasReaders = this.#handOn(new KeptEvent({ id, msg: withLimitedOutput(msg, this.#maxOutputBytes) }));
    if (isQuestion(msg)) this.#desk.open({ event: { id, msg }, findAsker: () => this.#asker() });
    const [turn] = this.#shownTurns;
    if (turn?.id === id) {
      if (msg.type === "error") turn.failure = failureOf(msg);
      else if (isEnd(msg)) this.#end(turn, msg);
    }
    return hasReaders;
  }

  #handOn(event: KeptEvent): boolean {
    const watchers = this.#shownTurns[0]?.watchers ?? [];
    for (const watcher of watchers) watcher.event(event);
    for (const listener of this.#listeners) listener.event(event);
    const hasReaders = watchers.length + this.#listeners.size > 0;
    this.#log.add(event, hasReaders);
    return hasReaders;
  }

  #end(turn: Turn, msg: EndMsg): void {
    this.#shownTurns.shift();
    this.#desk.withdrawAll("the turn has ended");
    this.#log.endTurn();
    finish(turn, outcomeOf(turn, msg));
    this.#startNext();
    this.#tellIdle();
  }

  /** The conversation has ended: nobody is left without an answer. */
  #endAll(): void {
    this.#desk.withdrawAll("the conversation has ended");
    const failure = this.#shownTurns[0]?.failure ?? { message: interruptedText };
    const message = this.#conversation.hasFailed ? `Codex runtime error: ${failure.message}` : failure.message;
    const outcome = { ...failure, ok: false, message } as const;
    for (const turn of this.#shownTurns.splice(0)) finish(turn, outcome);
    for (const { watcher } of this.#waiting.splice(0)) watcher.ended(outcome);
    this.#tellIdle();
  }

  #startNext(): void {
    if (this.#shownTurns.length > 0) return;
    const next = this.#waiting.shift();
    if (next === undefined) return;
    try {
      this.submit(next.op, { watcher: next.watcher });
    } catch (error) {
      next.watcher.ended({ ok: false, message: `Failed to submit user input: ${messageOf(error)}` });
      this.#startNext();
    }
  }

  #tellIdle(): void {
    if (!this.isIdle) return;
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  /** Somebody has come who may be asked what nobody could be asked before. */
  #askUnasked(): void {
    this.#desk.askUnasked(() => this.#asker());
  }

  /** Whoever waits for the running turn to end has the same client behind them, and would wait for ever. */
  #asker(): Asker | undefined {
    const running = this.#shownTurns[0]?.watchers ?? [];
    const waiting = this.#waiting.map(({ watcher }) => watcher);
    const askers = [...running, ...this.#listeners, ...waiting].flatMap(({ asker }) => asker ?? []);
    return askers.find((asker) => asker.canAsk) ?? askers[0];
  }

  #answer({ event }: Question, answer: Decision): void {
    const { type, call_id } = event.msg;
    try {
      const op = type === "exec_approval_request" ? "exec_approval" : "patch_approval";
      this.#conversation.submit({ type: op, id: call_id, ...answer });
      if (answer.decision === "abort" && this.#coreTurns[0] !== undefined) this.#coreTurns[0].isStopping = true;
    } catch (error) {
      log("warn", "mcp", `too late for the answer to ${call_id}: ${messageOf(error)}`);
    }
  }

  /** Without an id it takes the next number, as other submissions of the client do. */
  #interruptCore(id?: string): void {
    const [turn] = this.#coreTurns;
    if (turn !== undefined) turn.isStopping = true;
    try {
      this.#conversation.submit({ type: "interrupt" }, id);
    } catch {
      // it has ended, and with it the turn
    }
  }
}

type EndMsg = Extract<EventMsg, { type: "task_complete" | "turn_aborted" }>;

function isEnd(msg: EventMsg): msg is EndMsg {
  return msg.type === "task_complete" || msg.type === "turn_aborted";
}

function isQuestion(msg: EventMsg): msg is Question["event"]["msg"] {
  return msg.type === "exec_approval_request" || msg.type === "apply_patch_approval_request";
}

function failureOf({ message, detail }: Extract<EventMsg, { type: "error" }>): TurnFailure {
  return detail === undefined ? { message } : { message, detail };
}

function outcomeOf(turn: Turn, msg: EndMsg): TurnOutcome {
  if (msg.type === "turn_aborted") return { ok: false, message: interruptedText };
  if (turn.failure !== undefined) return { ok: false, ...turn.failure };
  return { ok: true, text: msg.last_agent_message ?? "" };
}

function finish(turn: Turn, outcome: TurnOutcome): void {
  for (const watcher of turn.watchers) watcher.ended(outcome);
  for (const callback of turn.onEnd) callback();
}
