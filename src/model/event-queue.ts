import type { ModelEvent } from "./model-client.ts";

/**
 * The events of one answer on the way to their reader, handed over in the lots they arrived in: a promise for each event
 * would cost a third of all the work of reading a stream.
 */
export class EventQueue implements AsyncIterableIterator<readonly ModelEvent[]> {
  #events: ModelEvent[] = [];
  #end: { readonly error?: unknown } | undefined;
  #wake: (() => void) | undefined;
  readonly #onLeave: () => void;

  /** `onLeave` is called when the reader goes away before the end. */
  constructor(onLeave: () => void) {
    this.#onLeave = onLeave;
  }

  push(event: ModelEvent): void {
    if (this.#end !== undefined) return;
    this.#events.push(event);
    if (this.#wake !== undefined) this.#rouse();
  }

  end(): void {
    this.#close({});
  }

  /** The error comes behind the events pushed before it. */
  fail(error: unknown): void {
    this.#close({ error });
  }

  /** The error comes at once; what was not read yet is dropped. */
  abort(error: unknown): void {
    this.#events = [];
    this.#end = undefined;
    this.#close({ error });
  }

  async next(): Promise<IteratorResult<readonly ModelEvent[]>> {
    if (this.#events.length === 0 && this.#end === undefined) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const value = this.#events;
    this.#events = [];
    if (value.length > 0) return { value, done: false };
    if (this.#end !== undefined && "error" in this.#end) throw this.#end.error;
    return { value: undefined, done: true };
  }

  async return(): Promise<IteratorResult<readonly ModelEvent[]>> {
    const isEarly = this.#end === undefined;
    this.#events = [];
    this.end();
    if (isEarly) this.#onLeave();
    return { value: undefined, done: true };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #close(end: { readonly error?: unknown }): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    this.#rouse();
  }

  #rouse(): void {
    this.#wake?.();
    this.#wake = undefined;
  }
}
