import { readdirSync, readFileSync } from "node:fs";
import { type Libc, succeeds } from "./libc.ts";

/** In the environment of a command and of all it starts, unless a program of it empties its environment. */
export const markVariable = "CODEX_COMMAND_ID";

/**
 * RLIMIT_LOCKS, which no kernel has looked at since 2003: a limit that is the mark. Everything a command starts has it,
 * and cannot raise it; the filter keeps it from being lowered.
 */
export const markResource = 10;

/** A number that no other command has, of this process or another. */
export function newMark(): string {
  return String((BigInt(process.pid) << 40n) + (process.hrtime.bigint() & 0xff_ffff_ffffn));
}

/** Within another command's sandbox that command's mark stays. */
export function setMark(libc: Libc, mark: string): void {
  const limit = Buffer.alloc(16);
  limit.writeBigUInt64LE(BigInt(mark), 0);
  limit.writeBigUInt64LE(BigInt(mark), 8);
  succeeds(() => libc.call("int setrlimit(int, void *)", markResource, limit));
}

/**
 * For a program that is started as it is: the mark is the soft half of the limit only, which it could change. What was
 * started within another command's sandbox cannot have one of its own.
 */
export function withMark<T>(libc: Libc, mark: string, start: () => T): T {
  const limit = Buffer.alloc(16);
  libc.call("int getrlimit(int, void *)", markResource, limit);
  const marked = Buffer.from(limit);
  marked.writeBigUInt64LE(BigInt(mark), 0);
  const isMarked = succeeds(() => libc.call("int setrlimit(int, void *)", markResource, marked));
  try {
    return start();
  } finally {
    if (isMarked) libc.call("int setrlimit(int, void *)", markResource, limit);
  }
}

/** The processes that have a command's mark; those of others are not ours to read, nor to end. */
export function findMarked(mark: string): readonly number[] {
  const variable = Buffer.from(`${markVariable}=${mark}\0`);
  const limit = Buffer.from(`Max file locks            ${mark} `);
  return readdirSync("/proc").flatMap((name) => {
    const pid = Number(name);
    if (!Number.isInteger(pid)) return [];
    return holds(`/proc/${name}/limits`, limit) || holds(`/proc/${name}/environ`, variable) ? [pid] : [];
  });
}

function holds(file: string, wanted: Buffer): boolean {
  try {
    return readFileSync(file).includes(wanted);
  } catch {
    return false; // it has ended, or is another user's
  }
}
