import { AsyncQueue } from "./async-queue.ts";

/**
 * One writer, any number of readers. Each reader sees every value published after it subscribed, in order, at its own
 * pace: none can steal from or stall another.
 */
export class Broadcast<T> {
  readonly #readers = new Set<AsyncQueue<T>>();
  #isClosed = false;

  publish(value: T): void {
    for (const reader of this.#readers) reader.push(value);
  }

  /** Readers get what is queued for them, then the end. */
  close(): void {
    this.#isClosed = true;
    for (const reader of this.#readers) reader.end();
    this.#readers.clear();
  }

  /** Subscribed from the moment of the call, not from the first read; leaving a `for await` loop unsubscribes. */
  subscribe(): AsyncIterableIterator<T> {
    const reader = new AsyncQueue<T>(() => this.#readers.delete(reader));
    if (this.#isClosed) reader.end();
    else this.#readers.add(reader);
    return reader;
  }
}
