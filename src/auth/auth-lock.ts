import { lstatSync, mkdirSync, readlinkSync, renameSync, rmSync, symlinkSync } from "node:fs";
import os from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { errorCode } from "../lib/errors.ts";
import { authFilePath } from "./auth-file.ts";
import { linkTarget } from "./link-target.ts";

const pollMs = 20;
/** A holder that lives on another machine, or under another id, may be dead without our knowing. */
const staleMs = 90_000;

/**
 * Runs `action` while no other process changes auth.json: a refresh token is good for one use, and whoever loses the race
 * would log everybody out. Nobody waits for it at a start. A home that takes no lock is used without one.
 */
export async function withAuthLock<T>(
  codexHome: string,
  action: () => T | Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const release = await acquire(lockFile(codexHome), signal);
  try {
    return await action();
  } finally {
    release();
  }
}

/** Beside the file itself, which links of several homes may lead to. */
function lockFile(codexHome: string): string {
  const file = authFilePath(codexHome);
  try {
    mkdirSync(codexHome, { recursive: true, mode: 0o700 });
    return `${linkTarget(file)}.lock`;
  } catch {
    return `${file}.lock`; // whoever must write will say what is wrong with the home or the link
  }
}

let locks = 0;

/** Rejects when the signal comes first. */
async function acquire(lock: string, signal: AbortSignal | undefined): Promise<() => void> {
  locks += 1;
  const holder = `${machineName()} ${process.pid} ${locks}`;
  for (;;) {
    try {
      symlinkSync(holder, lock); // a link to nothing: unlike a file, it is never there without saying whose it is
      return () => releaseLock(lock, holder);
    } catch (error) {
      if (errorCode(error) !== "EEXIST") return () => {}; // nobody can write there; whoever must, will say so
    }
    if (removeStale(lock)) continue;
    if (signal?.aborted) throw new Error(`Another process does not let go of "${lock}"`, { cause: signal.reason });
    await sleep(pollMs);
  }
}

function releaseLock(lock: string, holder: string): void {
  if (readLock(lock)?.holder === holder) rmSync(lock, { force: true }); // else it was taken from us as stale
}

/** True when it is worth trying again at once. */
function removeStale(lock: string): boolean {
  const found = readLock(lock);
  if (found === undefined) return true;
  if (!isStale(found)) return false;
  const aside = `${lock}.${process.pid}-${locks}`;
  try {
    renameSync(lock, aside); // of all who see it stale, one moves it
    if (readLock(aside)?.holder !== found.holder) symlinkSync(readlinkSync(aside), lock); // a new one: put it back
  } catch {
    // somebody else was faster
  }
  rmSync(aside, { force: true, recursive: true });
  return true;
}

interface Lock {
  readonly holder: string;
  readonly ageMs: number;
}

function readLock(lock: string): Lock | undefined {
  const stats = lstatSync(lock, { throwIfNoEntry: false });
  if (stats === undefined) return undefined;
  const ageMs = Date.now() - stats.mtimeMs;
  try {
    return { holder: readlinkSync(lock), ageMs };
  } catch {
    return { holder: "", ageMs }; // gone this moment, or nothing of ours
  }
}

function isStale({ holder, ageMs }: Lock): boolean {
  const [host, id] = holder.split(" ");
  return holder === "" || ageMs > staleMs || (host === machineName() && !isRunning(Number(id)));
}

/** Containers may share the name of their host, and number their processes themselves. */
export function machineName(): string {
  try {
    return `${os.hostname()}/${readlinkSync("/proc/self/ns/pid")}`;
  } catch {
    return os.hostname(); // no Linux
  }
}

function isRunning(id: number): boolean {
  try {
    process.kill(id, 0);
    return true;
  } catch (error) {
    return errorCode(error) !== "ESRCH";
  }
}
