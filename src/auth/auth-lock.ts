import { lstatSync, mkdirSync, readlinkSync, renameSync, rmdirSync, rmSync, symlinkSync, unlinkSync } from "node:fs";
import os from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { errorCode, explainSystemError, UserError } from "../lib/errors.ts";
import { log } from "../lib/log.ts";
import { authFilePath } from "./auth-file.ts";
import { linkTarget } from "./link-target.ts";

const pollMs = 20;
/** After so long a person would like to know what it waits for. */
const silentMs = 2_000;

interface LockOptions {
  /** Ends the wait; without one it has a limit of its own, for people who wait for it. */
  readonly signal?: AbortSignal;
  /** A holder that lives on another machine, or under another id, may be dead without our knowing. */
  readonly staleMs?: number;
  readonly longestWaitMs?: number;
}

/**
 * Runs `action` while no other process changes auth.json: a refresh token is good for one use, and whoever loses the race
 * would log everybody out. Nobody waits for it at a start. A home that takes no lock is used without one.
 */
export async function withAuthLock<T>(
  codexHome: string,
  action: () => T | Promise<T>,
  options: LockOptions = {},
): Promise<T> {
  const release = await acquire(lockFile(codexHome), options);
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

/** Rejects when the wait ends first: with a UserError where a person waits. */
async function acquire(
  lock: string,
  { signal, staleMs = 90_000, longestWaitMs = 120_000 }: LockOptions,
): Promise<() => void> {
  locks += 1;
  const holder = `${machineName()} ${process.pid} ${locks}`;
  const start = performance.now();
  let seen = { holder, since: start };
  let isTold = false;
  for (;;) {
    try {
      symlinkSync(holder, lock); // a link to nothing: unlike a file, it is never there without saying whose it is
      return () => releaseLock(lock, holder);
    } catch (error) {
      if (errorCode(error) !== "EEXIST") return () => {}; // nobody can write there; whoever must, will say so
    }
    const found = readLock(lock);
    if (found === undefined) continue;
    const now = performance.now();
    if (found.holder !== seen.holder) seen = { holder: found.holder, since: now };
    // Of two clocks one may be wrong: a lock from the future gets old here.
    if (isDead(found.holder) || Math.max(found.ageMs, now - seen.since) > staleMs) {
      removeStale(lock, found.holder);
      continue;
    }
    const problem = `Another process does not let go of "${lock}" (${describeHolder(found.holder)})`;
    if (signal?.aborted) throw new Error(problem, { cause: signal.reason });
    if (signal === undefined && now - start > longestWaitMs) throw new UserError(problem);
    if (!isTold && now - start > silentMs) {
      log("warn", "auth", `${problem}; waiting`);
      isTold = true;
    }
    await sleep(pollMs);
  }
}

function releaseLock(lock: string, holder: string): void {
  if (readLock(lock)?.holder === holder) rmSync(lock, { force: true }); // else it was taken from us as stale
}

/** Afterwards it is worth trying again at once. Throws a UserError for what is not ours to remove. */
function removeStale(lock: string, holder: string): void {
  if (lstatSync(lock, { throwIfNoEntry: false })?.isDirectory()) {
    removeFolder(lock);
    return;
  }
  const aside = `${lock}.${process.pid}-${locks}`;
  try {
    renameSync(lock, aside); // of all who see it stale, one moves it
    if (readLock(aside)?.holder !== holder) symlinkSync(readlinkSync(aside), lock); // a new one: put it back
  } catch {
    // somebody else was faster
  }
  try {
    unlinkSync(aside);
  } catch {
    // somebody else has moved it
  }
}

function removeFolder(folder: string): void {
  try {
    rmdirSync(folder); // with something in it, it is somebody's
  } catch (cause) {
    if (errorCode(cause) === "ENOENT" || errorCode(cause) === "ENOTDIR") return; // somebody else was faster
    throw new UserError(`"${folder}" is in the way of a lock: ${explainSystemError(cause)}`, { cause });
  }
}

interface Lock {
  /** Empty: it is no link, and so none of ours. */
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

function isDead(holder: string): boolean {
  const [host, id] = holder.split(" ");
  return holder === "" || (host === machineName() && !isRunning(Number(id)));
}

function describeHolder(holder: string): string {
  const [, host, id] = /^([^/ ]+)\S* (\d+) /.exec(holder) ?? [];
  return id === undefined ? `"${holder}"` : `process ${id} of ${host}`;
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
