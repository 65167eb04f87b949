import { closeSync, openSync, readSync, statSync } from "node:fs";
import path from "node:path";

export interface HistoryInfo {
  /** Inode number. */
  readonly logId: number;
  readonly entryCount: number;
}

const none: HistoryInfo = { logId: 0, entryCount: 0 };

/** Identity and length of history.jsonl, where people's interactive sessions keep what they typed; we only read it. */
export function historyInfo(codexHome: string): HistoryInfo {
  const file = path.join(codexHome, "history.jsonl");
  try {
    const stat = statSync(file, { throwIfNoEntry: false });
    return stat?.isFile() ? { logId: stat.ino, entryCount: countLines(file) } : none;
  } catch {
    return none; // it is not for us to read
  }
}

function countLines(file: string): number {
  const fd = openSync(file, "r");
  try {
    const buffer = Buffer.allocUnsafe(64 * 1024);
    let lines = 0;
    for (let count = readSync(fd, buffer); count > 0; count = readSync(fd, buffer)) {
      const chunk = buffer.subarray(0, count);
      for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, at + 1)) lines += 1;
    }
    return lines;
  } finally {
    closeSync(fd);
  }
}
