import { readFileSync } from "node:fs";

interface PingedServer {
  readonly pid: number;
  readonly ping: () => Promise<unknown>;
  /** Between two pings; default: none. */
  readonly gapMs?: number;
}

/**
 * How long each `ping` took while `work` went on, in milliseconds, longest first. Where the system tells it, what other
 * programs took from the server's main thread does not count.
 */
export async function pingTimes(
  work: Promise<unknown>,
  { pid, ping, gapMs }: PingedServer,
): Promise<readonly number[]> {
  let isDone = false;
  const markDone = () => {
    isDone = true;
  };
  work.then(markDone, markDone);
  const times: number[] = [];
  do {
    const started = performance.now();
    const before = workedMs(pid) ?? 0;
    await ping();
    times.push(Math.min(performance.now() - started, (workedMs(pid) ?? Number.POSITIVE_INFINITY) - before));
    if (gapMs !== undefined) await new Promise((resolve) => setTimeout(resolve, gapMs));
  } while (!isDone);
  return times.sort((one, other) => other - one);
}

/** CPU time of the main thread; undefined elsewhere than on Linux. */
function workedMs(pid: number): number | undefined {
  try {
    return Number(readFileSync(`/proc/${pid}/schedstat`, "latin1").split(" ")[0]) / 1e6;
  } catch {
    return undefined;
  }
}
