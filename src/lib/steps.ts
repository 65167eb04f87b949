import { setImmediate } from "node:timers/promises";

/** Work that can pause at each `yield`. */
export type Steps<T> = Generator<void, T>;

/** The longest that others wait for a part of the work; there may be a few such works at once. */
const sliceMs = 5;

/** Without a pause. */
export function runThrough<T>(steps: Steps<T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/** With pauses, for a process that has others to serve meanwhile. */
export async function runInSteps<T>(steps: Steps<T>): Promise<T> {
  for (;;) {
    const end = performance.now() + sliceMs;
    do {
      const step = steps.next();
      if (step.done === true) return step.value;
    } while (performance.now() < end);
    await setImmediate();
  }
}
