import type { Event, EventMsg } from "../protocol/event.ts";

/** An event on its way to any number of readers: its body is turned into JSON once, when the first of them wants it. */
export class KeptEvent {
  readonly id: string;
  readonly msg: EventMsg;
  #json: string | undefined;

  constructor({ id, msg }: Event) {
    this.id = id;
    this.msg = msg;
  }

  get isDelta(): boolean {
    return this.msg.type.endsWith("_delta");
  }

  /** Of the body alone. */
  get json(): string {
    this.#json ??= JSON.stringify(this.msg);
    return this.#json;
  }
}

/** So much of the past is kept for those who come later; the oldest goes first. */
const mostCharacters = 1024 * 1024;

/** What a conversation has told, for listeners that come late. */
export class EventLog {
  #events: KeptEvent[] = [];
  #characters = 0;
  /** Of the events that nobody has been told yet. */
  #firstUntold = 0;
  #turnStart = 0;

  add(event: KeptEvent, isTold: boolean): void {
    if (event.msg.type === "task_started") this.#turnStart = this.#events.length;
    this.#events.push(event);
    this.#characters += event.json.length;
    if (isTold && this.#firstUntold === this.#events.length - 1) this.#firstUntold += 1;
    if (this.#characters > mostCharacters) this.#shrink();
  }

  /** The turn has ended: what its deltas said stands in whole messages by now. */
  endTurn(): void {
    this.#keep((event, at) => !event.isDelta || at >= this.#firstUntold);
    this.#turnStart = this.#events.length;
  }

  /** Everything that is still known. */
  all(): readonly KeptEvent[] {
    return this.#events;
  }

  /** What nobody has been told, and in any case the running turn from its beginning. */
  takeUntold(): readonly KeptEvent[] {
    const events = this.#events.slice(Math.min(this.#firstUntold, this.#turnStart));
    this.#firstUntold = this.#events.length;
    return events;
  }

  #shrink(): void {
    this.#keep((event) => !event.isDelta);
    let excess = this.#characters - mostCharacters / 2;
    if (excess <= 0) return;
    this.#keep((event) => {
      if (excess > 0) excess -= event.json.length;
      return excess <= 0;
    });
  }

  #keep(isKept: (event: KeptEvent, at: number) => boolean): void {
    const kept: KeptEvent[] = [];
    let [firstUntold, turnStart] = [0, 0];
    this.#characters = 0;
    for (const [at, event] of this.#events.entries()) {
      if (!isKept(event, at)) continue;
      if (at < this.#firstUntold) firstUntold += 1;
      if (at < this.#turnStart) turnStart += 1;
      kept.push(event);
      this.#characters += event.json.length;
    }
    this.#events = kept;
    this.#firstUntold = firstUntold;
    this.#turnStart = turnStart;
  }
}
