import type { Duration } from "../protocol/event.ts";

/** `123ms`, from one second on `1.26s`, from one minute on `1m02s`. */
export function formatDuration(ms: number): string {
  if (ms < 1000) return `${Math.max(0, Math.floor(ms))}ms`;
  if (ms < 59_995) return `${(ms / 1000).toFixed(2)}s`;
  const seconds = Math.max(60, Math.floor(ms / 1000)); // 59.997 s is a minute, not "60.00s"
  return `${Math.floor(seconds / 60)}m${String(seconds % 60).padStart(2, "0")}s`;
}

export function durationInMs(duration: Duration): number {
  return duration.secs * 1000 + duration.nanos / 1e6;
}
