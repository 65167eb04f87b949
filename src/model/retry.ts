/** Longer than this nobody waits for an answer; a server that asks for more has refused. */
const longestWaitMs = 10 * 60_000;

/** The wait before the n-th repetition (from 1): doubled each time, with a jitter of a tenth. */
export function backoffMs(attempt: number, random: () => number = Math.random): number {
  const jitter = 0.9 + 0.2 * random();
  return Math.min(Math.floor(200 * 2 ** (attempt - 1) * jitter), 60_000);
}

/** `198ms`, `1.5s`. */
export function formatDelay(ms: number): string {
  const whole = Math.round(ms);
  return whole < 1000 ? `${whole}ms` : `${whole / 1000}s`;
}

/** The value of a Retry-After header in milliseconds: whole seconds or a date. */
export function parseRetryAfter(header: string | undefined, now: number = Date.now()): number | undefined {
  const text = header?.trim() ?? "";
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  const date = /[a-z]/i.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

/** The wait that the text of a rate-limit error asks for: "… try again in 1.5s". */
export function delayInText(message: string): number | undefined {
  const [, amount, unit] = /try again in\s*(\d+(?:\.\d+)?)\s*(ms|s)/i.exec(message) ?? [];
  if (amount === undefined || unit === undefined) return undefined;
  return Math.round(Number(amount) * (unit.toLowerCase() === "s" ? 1000 : 1));
}

export function isTooLong(waitMs: number): boolean {
  return waitMs > longestWaitMs;
}
