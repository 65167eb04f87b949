import { setTimeout } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** V8 takes back room for new objects only while few are made, which it measures over five seconds. */
const quietMs = 6_000;
/** The pages of one collection are given back with the next. */
const pagesMs = 1_000;

let collect: (() => void) | undefined;

/**
 * Gives back, after a time, what nothing refers to any more. V8 does that by itself only once a program allocates again,
 * and a server that waits for its next client does not. Ends early, and does nothing, when `signal` fires.
 */
export async function releaseMemory(signal: AbortSignal): Promise<void> {
  try {
    await setTimeout(quietMs, undefined, { signal, ref: false });
    collectGarbage();
    for (let again = 1; again <= 2; again += 1) {
      await setTimeout(pagesMs, undefined, { signal, ref: false });
      collectGarbage();
    }
  } catch {
    // something is going on again: what is left waits for the next time
  }
}

function collectGarbage(): void {
  if (collect === undefined) {
    setFlagsFromString("--expose-gc");
    const found: unknown = runInNewContext("gc");
    collect = typeof found === "function" ? () => void found() : () => {};
  }
  collect();
}
