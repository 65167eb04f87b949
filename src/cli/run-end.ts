/** What a program exits with that a signal has ended; the same for every command. */
export const signalStatus = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;
export type Signal = keyof typeof signalStatus;

/** How long a conversation may take to let go of everything. */
export const closeMs = 2_000;

export function timeLimit(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
