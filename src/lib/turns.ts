import { setImmediate } from "node:timers/promises";

/** For what takes milliseconds to start: of a hundred that want to at once, each lets all else that waits go first. */
export class Turns {
  #last: Promise<void> = Promise.resolve();

  next(): Promise<void> {
    this.#last = this.#last.then(() => setImmediate());
    return this.#last;
  }
}
