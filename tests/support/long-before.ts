/**
 * Ends as `action` does, and fails unless that is long before `limitMs`, the time after which it would have ended by itself:
 * within a tenth of it. Limits are minutes, so that no other work on the machine can make it fail.
 */
export async function longBefore<T>(limitMs: number, action: () => Promise<T> | T): Promise<T> {
  if (limitMs < 300_000) throw new Error("a limit of less than five minutes leaves a slow machine too little time");
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not over after a tenth of its own ${limitMs} ms`)), limitMs / 10);
  });
  try {
    return await Promise.race([action(), tooLate]);
  } finally {
    clearTimeout(timer);
  }
}
