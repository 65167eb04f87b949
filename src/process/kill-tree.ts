import { setTimeout as delay } from "node:timers/promises";
import { findMarked } from "./mark.ts";

const scans = 20;
const scanIntervalMs = 10;

/** Ends a command's process group at once, then whatever of it had moved elsewhere. */
export async function killTree(pid: number, mark: string): Promise<void> {
  killGroup(pid);
  if (process.platform !== "linux") return;
  // A killed process may stay readable for a moment, and one may have been starting while we looked.
  for (let scan = 0; scan < scans; scan++) {
    const left = findMarked(mark);
    if (left.length === 0) return;
    for (const straggler of left) kill(straggler);
    await delay(scanIntervalMs);
  }
}

export function killGroup(pid: number): void {
  kill(process.platform === "win32" ? pid : -pid);
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // Already gone, or another user's by now (sudo): there is nothing more we could do.
  }
}
