import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  mkdirSync,
  openSync,
  readSync,
  type Stats,
  statSync,
  writeSync,
} from "node:fs";
import path from "node:path";
import { isRecord, parseJson } from "../lib/parse-json.ts";
import { sleepSync } from "../lib/sleep-sync.ts";
import type { ConversationId } from "../protocol/conversation-id.ts";
import type { HistoryEntry } from "../protocol/event.ts";

interface HistoryInfo {
  /** Inode number. */
  readonly logId: number;
  readonly entryCount: number;
}

const none: HistoryInfo = { logId: 0, entryCount: 0 };

/** What people typed, over all sessions: one JSON line each. */
export function historyFile(codexHome: string): string {
  return path.join(codexHome, "history.jsonl");
}

/** Identity and length of the file. */
export function historyInfo(codexHome: string): HistoryInfo {
  const file = historyFile(codexHome);
  try {
    const stat = statSync(file, { throwIfNoEntry: false });
    return stat?.isFile() ? { logId: stat.ino, entryCount: countLines(file) } : none;
  } catch {
    return none; // it is not for us to read
  }
}

/**
 * Appends an entry. No lock is taken, so none can get stuck: with O_APPEND a local file system finds the end and writes in
 * one step, and an entry is one write. A line that a full disk cut short is ended first, so that only itself is lost.
 */
export function addHistoryEntry(
  codexHome: string,
  { conversationId, text, now }: { readonly conversationId: ConversationId; readonly text: string; readonly now: Date },
): void {
  mkdirSync(codexHome, { recursive: true, mode: 0o700 });
  const { O_RDWR, O_APPEND, O_CREAT, O_NONBLOCK } = constants;
  const fd = openSync(historyFile(codexHome), O_RDWR | O_APPEND | O_CREAT | O_NONBLOCK, 0o600);
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) throw new Error("not a regular file");
    if (isOurs(stat) && (stat.mode & 0o077) !== 0) fchmodSync(fd, 0o600); // people type secrets, too
    const entry = { session_id: conversationId, ts: Math.floor(now.getTime() / 1000), text };
    const line = Buffer.from(`${endsInLine(fd) ? "" : "\n"}${JSON.stringify(entry)}\n`);
    if (writeSync(fd, line) < line.length) throw new Error("the entry was cut short");
  } finally {
    closeSync(fd);
  }
}

/** The entry on line `offset` (from 0); undefined when there is none, or when `logId` means another file. */
export function historyEntry(
  codexHome: string,
  { offset, logId }: { readonly offset: number; readonly logId: number },
): HistoryEntry | undefined {
  try {
    const fd = openSync(historyFile(codexHome), constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const stat = fstatSync(fd);
      if (!stat.isFile() || stat.ino !== logId) return undefined;
      return toEntry(readLine(fd, offset));
    } finally {
      closeSync(fd);
    }
  } catch {
    return undefined; // a history that cannot be read has no entries for anybody
  }
}

function isOurs({ uid }: Stats): boolean {
  return uid === process.getuid?.();
}

/** What another process is about to write can be seen in part; a line that does not grow for a while has no writer. */
function endsInLine(fd: number): boolean {
  const last = Buffer.alloc(1);
  let seen = -1;
  for (let patience = 10; patience > 0; patience -= 1) {
    const { size } = fstatSync(fd);
    if (size === 0) return true;
    readSync(fd, last, 0, 1, size - 1);
    if (last[0] === 10) return true;
    if (size !== seen) patience = 10;
    seen = size;
    sleepSync(20); // once for a torn line, which is ended then
  }
  return false;
}

function countLines(file: string): number {
  const fd = openSync(file, "r");
  try {
    let lines = 0;
    for (const chunk of chunksOf(fd)) {
      for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, at + 1)) lines += 1;
    }
    return lines;
  } finally {
    closeSync(fd);
  }
}

function readLine(fd: number, number: number): string {
  const parts: Buffer[] = [];
  let line = 0;
  for (const chunk of chunksOf(fd)) {
    let start = 0;
    while (line < number) {
      const end = chunk.indexOf(10, start);
      if (end === -1) break;
      line += 1;
      start = end + 1;
    }
    if (line < number) continue;
    const end = chunk.indexOf(10, start);
    parts.push(Buffer.from(chunk.subarray(start, end === -1 ? chunk.length : end)));
    if (end !== -1) break;
  }
  return Buffer.concat(parts).toString("utf8");
}

/** From the beginning; each chunk is valid until the next one is asked for. */
function* chunksOf(fd: number): Iterable<Buffer> {
  const buffer = Buffer.allocUnsafe(64 * 1024);
  for (let count = readSync(fd, buffer); count > 0; count = readSync(fd, buffer)) yield buffer.subarray(0, count);
}

function toEntry(line: string): HistoryEntry | undefined {
  const parsed = parseJson(line);
  if (!parsed.ok || !isRecord(parsed.value)) return undefined;
  const { session_id, ts, text } = parsed.value;
  if (typeof session_id !== "string" || typeof ts !== "number" || typeof text !== "string") return undefined;
  return { conversation_id: session_id, ts, text };
}
