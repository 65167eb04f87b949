import { readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";

/**
 * Until a process that has more to write than its reader takes waits for that reader: it has written something, and a
 * while later still no more. Needs /proc.
 */
export async function untilStalled(pid: number | undefined): Promise<void> {
  const written = () => Number(/^wchar: (\d+)$/m.exec(readFileSync(`/proc/${pid}/io`, "latin1"))?.[1]);
  const before = written();
  for (let last = before, quiet = 0; quiet < 5; ) {
    await pause(50);
    const now = written();
    quiet = now === last && now > before ? quiet + 1 : 0;
    last = now;
  }
}
