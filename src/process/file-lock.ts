import { closeSync, constants, fstatSync, openSync, readFileSync } from "node:fs";
import { constants as osConstants } from "node:os";
import { errorCode } from "../lib/errors.ts";
import { sleepSync } from "../lib/sleep-sync.ts";
import { hasWriter } from "./file-writer.ts";
import { type Libc, SystemCallError } from "./libc.ts";
import { claimWriting } from "./write-claim.ts";

const lockExclusive = 2;
const lockNonBlocking = 4;
/** macOS locks while it opens; Node has no name for the flag. */
const openExclusively = 0x20;

interface LockOptions {
  readonly flags: number;
  readonly libc: Libc | undefined;
}

export type Opened = { readonly fd: number } | { readonly isInUse: true; readonly holder: number | undefined };

/**
 * Opens a file for writing, unless another process, or another opening of this one, has it open for writing: the lock is the
 * open file itself, and ends with the process, however that ends. flock(2) alone would not do, because a command in the
 * sandbox can lock what it may only read, and be left behind. It is taken all the same, for the systems where the kernel does
 * not tell of writers. Where there is neither, the file is opened without a lock. Throws what opening throws.
 */
export function openLocked(file: string, { flags, libc }: LockOptions): Opened {
  if (process.platform === "darwin") return orInUse(openExclusive(file, flags));
  if (libc === undefined) return { fd: openSync(file, flags) };
  const sole = openAsSoleWriter(file, { flags, libc });
  if (sole === "in use") return orInUse(undefined);
  const fd = sole ?? openSync(file, flags);
  if (lockFile(fd, libc) || sole !== undefined) return { fd };
  const holder = lockHolder(fd);
  closeSync(fd);
  return { isInUse: true, holder };
}

/** Opens a file that `flags` make sure is new, and so nobody else's yet, even if somebody else locks it first. */
export function createLocked(file: string, { flags, mode, libc }: LockOptions & { readonly mode: number }): number {
  const { O_CREAT, O_EXCL } = constants;
  if (process.platform === "darwin")
    return openExclusive(file, flags, mode) ?? openSync(file, flags & ~(O_CREAT | O_EXCL));
  const fd = openSync(file, flags, mode);
  if (libc !== undefined) lockFile(fd, libc);
  return fd;
}

/** Whether openLocked would find the file in use; throws what opening throws. */
export function isLocked(file: string, libc: Libc | undefined): boolean {
  const flags = constants.O_RDONLY | constants.O_NONBLOCK;
  const fd = process.platform === "darwin" ? openExclusive(file, flags) : openSync(file, flags);
  if (fd === undefined) return true;
  try {
    return libc !== undefined && process.platform !== "darwin" && (hasWriter(fd, libc) ?? !lockFile(fd, libc));
  } finally {
    closeSync(fd);
  }
}

/** False when somebody else has the lock. */
export function lockFile(fd: number, libc: Libc): boolean {
  try {
    libc.call("int flock(int, int)", fd, lockExclusive | lockNonBlocking);
    return true;
  } catch (error) {
    if (!(error instanceof SystemCallError)) throw error;
    return error.errno !== osConstants.errno.EWOULDBLOCK; // else a file system without locks
  }
}

/** Undefined where the kernel does not tell of writers, or the folder takes no claim. */
function openAsSoleWriter(
  file: string,
  { flags, libc }: { readonly flags: number; readonly libc: Libc },
): number | "in use" | undefined {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK, O_NOCTTY } = constants;
  const reader = openSync(file, O_RDONLY | O_NONBLOCK | O_NOCTTY | (flags & O_NOFOLLOW));
  try {
    const isWritten = hasWriter(reader, libc);
    if (isWritten !== false) return isWritten && "in use";
    const claim = tryClaim(file, libc);
    if (claim === undefined) return undefined;
    if (claim === "in use") return "in use";
    try {
      if (hasWriter(reader, libc) !== false) return "in use";
      // The very file that was looked at, whatever has its name by now.
      return openPatiently(`/proc/self/fd/${reader}`, flags & ~O_NOFOLLOW);
    } finally {
      claim.release();
    }
  } finally {
    closeSync(reader);
  }
}

function tryClaim(file: string, libc: Libc): ReturnType<typeof claimWriting> | "in use" {
  try {
    return claimWriting(file, libc) ?? "in use";
  } catch {
    return undefined; // a read-only or full folder, a file system without unnamed files: flock has to do
  }
}

/** Who looks for writers holds up whoever becomes one, for some microseconds. */
function openPatiently(file: string, flags: number): number | "in use" {
  for (let patience = 200; patience > 0; patience -= 1) {
    try {
      return openSync(file, flags | constants.O_NONBLOCK);
    } catch (error) {
      if (errorCode(error) !== "EAGAIN") throw error;
      sleepSync(5);
    }
  }
  return "in use";
}

const orInUse = (fd: number | undefined): Opened => (fd === undefined ? { isInUse: true, holder: undefined } : { fd });

/** The number of the process that has the lock of flock, where the kernel tells. */
function lockHolder(fd: number): number | undefined {
  try {
    const { ino } = fstatSync(fd);
    const found = new RegExp(`FLOCK +\\S+ +\\S+ +(\\d+) +\\S+:${ino} `).exec(readFileSync("/proc/locks", "utf8"));
    return found === null ? undefined : Number(found[1]);
  } catch {
    return undefined;
  }
}

function openExclusive(file: string, flags: number, mode?: number): number | undefined {
  try {
    return openSync(file, flags | openExclusively | constants.O_NONBLOCK, mode);
  } catch (error) {
    const code = errorCode(error);
    if (code === "EAGAIN" || code === "EWOULDBLOCK") return undefined;
    if (code === "ENOTSUP" || code === "EOPNOTSUPP") return openSync(file, flags, mode);
    throw error;
  }
}
