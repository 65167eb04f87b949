import { AsyncQueue } from "./async-queue.ts";

/**
 * One writer, any number of readers. Each reader sees every value published after it subscribed, in order, at its own
 * pace: none can steal from or stall another.
 */
export class Broadcast<T> {
  readonly #readers = new Set<AsyncQueue<T>>();
  readonly #pacing = new Set<AsyncQueue<T>>();
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

  /**
   * Subscribed from the moment of the call, not from the first read; leaving a `for await` loop unsubscribes. Only a
   * reader that is pacing can make anybody wait, and then only one who asks for `pressure`.
   */
  subscribe({ isPacing = false } = {}): AsyncIterableIterator<T> {
    const reader = new AsyncQueue<T>(() => {
      this.#readers.delete(reader);
      this.#pacing.delete(reader);
    });
    if (this.#isClosed) reader.end();
    else this.#readers.add(reader);
    if (isPacing) this.#pacing.add(reader);
    return reader;
  }

  /** Undefined while the pacing readers keep up; otherwise ends when they have caught up. For those who can wait. */
  pressure(limit: number): Promise<unknown> | undefined {
    const slow = [...this.#pacing].flatMap((reader) => reader.whenBelow(limit) ?? []);
    return slow.length === 0 ? undefined : Promise.all(slow);
  }
}
