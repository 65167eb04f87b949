/** Read values are let go in lots, so that a reader that never quite catches up does not keep the whole past. */
const compactAfter = 1024;

/** One writer, one reader; unbounded. A failure arrives behind the values pushed before it. */
export class AsyncQueue<T> implements AsyncIterableIterator<T> {
  #values: T[] = [];
  #next = 0;
  #end: { readonly error?: unknown } | undefined;
  #waiting: { resolve: (result: IteratorResult<T>) => void; reject: (error: unknown) => void } | undefined;
  #paced: { readonly limit: number; readonly resolve: () => void }[] = [];
  readonly #onReturn: (() => void) | undefined;

  /** `onReturn` is called when the reader leaves its `for await` loop early. */
  constructor(onReturn?: () => void) {
    this.#onReturn = onReturn;
  }

  push(value: T): void {
    if (this.#end !== undefined) return;
    const waiting = this.#waiting;
    if (waiting === undefined) {
      this.#values.push(value);
      return;
    }
    this.#waiting = undefined;
    waiting.resolve({ value, done: false });
  }

  /** Undefined unless more than `limit` values wait; then it ends when the reader has taken most of them, or leaves. */
  whenBelow(limit: number): Promise<void> | undefined {
    if (this.#values.length - this.#next <= limit || this.#end !== undefined) return undefined;
    return new Promise((resolve) => this.#paced.push({ limit: limit / 2, resolve }));
  }

  end(): void {
    if (this.#end !== undefined) return;
    this.#end = {};
    this.#waiting?.resolve({ value: undefined, done: true });
    this.#waiting = undefined;
  }

  fail(error: unknown): void {
    if (this.#end !== undefined) return;
    this.#end = { error };
    this.#waiting?.reject(error);
    this.#waiting = undefined;
  }

  next(): Promise<IteratorResult<T>> {
    if (this.#next < this.#values.length) {
      const value = this.#values[this.#next] as T; // the index was checked
      this.#next += 1;
      if (this.#next === this.#values.length || this.#next === compactAfter) {
        this.#values = this.#values.slice(this.#next);
        this.#next = 0;
      }
      if (this.#paced.length > 0) this.#letOn(this.#values.length - this.#next);
      return Promise.resolve({ value, done: false });
    }
    if (this.#end !== undefined) {
      return "error" in this.#end ? Promise.reject(this.#end.error) : Promise.resolve({ value: undefined, done: true });
    }
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
  }

  return(): Promise<IteratorResult<T>> {
    this.#values = [];
    this.#next = 0;
    this.end();
    this.#letOn(0);
    this.#onReturn?.();
    return Promise.resolve({ value: undefined, done: true });
  }

  #letOn(waiting: number): void {
    const ready = this.#paced.filter(({ limit }) => waiting <= limit);
    if (ready.length === 0) return;
    this.#paced = this.#paced.filter(({ limit }) => waiting > limit);
    for (const { resolve } of ready) resolve();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
