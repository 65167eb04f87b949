import { setTimeout } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { Libc } from "./libc.ts";

/**
 * Between the collections. V8 takes back room for new objects only while few are made, which it measures from one
 * collection to the next over five seconds; so the first one ends the busy time, and the second finds a quiet one. The
 * pages of one collection are given back with the next.
 */
const waitsMs = [1_000, 6_000, 1_000];

let collect: (() => void) | undefined;

/**
 * Gives back, after a time, what nothing refers to any more. V8 does that by itself only once a program allocates again,
 * and a server that waits for its next client does not. Ends early, and does nothing, when `signal` fires.
 */
export async function releaseMemory(signal: AbortSignal, libc: Libc | undefined): Promise<void> {
  try {
    for (const waitMs of waitsMs) {
      await setTimeout(waitMs, undefined, { signal, ref: false });
      collectGarbage();
    }
    if (libc !== undefined) trimHeap(libc);
  } catch {
    // something is going on again: what is left waits for the next time
  }
}

/**
 * From now on V8 makes fast code only of what runs for long: in bursts of short turns its compiler takes more time than
 * the fast code saves, and never gives the ten megabytes back that it needs itself. Code cached before is not taken any more.
 */
export function compileSparingly(): void {
  // Instead of 132 kB of bytecode; ten million would save no more, and make long answers half as dear again.
  setFlagsFromString("--interrupt-budget=1000000");
}

/** What V8's compiler and collector have left in the C library's own heaps. */
function trimHeap(libc: Libc): void {
  try {
    libc.call("int malloc_trim(size_t)", 0);
  } catch {
    // a C library that has no such function
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
