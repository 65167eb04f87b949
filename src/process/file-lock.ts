import { closeSync, constants, openSync } from "node:fs";
import { constants as osConstants } from "node:os";
import { errorCode } from "../lib/errors.ts";
import { type Libc, SystemCallError } from "./libc.ts";

const lockExclusive = 2;
const lockNonBlocking = 4;
/** macOS locks while it opens; Node has no name for the flag. */
const openExclusively = 0x20;

/**
 * Opens a file and locks it. The lock is the kernel's and belongs to the open file: it ends with the process, however
 * that ends. Undefined when another process, or another opening of this one, has the lock. Where the system cannot
 * lock, the file is opened all the same; throws what opening throws.
 */
export function openLocked(
  file: string,
  { flags, mode, libc }: { readonly flags: number; readonly mode?: number; readonly libc: Libc | undefined },
): number | undefined {
  if (process.platform === "darwin") return openExclusive(file, { flags, mode });
  const fd = openSync(file, flags, mode);
  if (libc === undefined || lockFile(fd, libc)) return fd;
  closeSync(fd);
  return undefined;
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

function openExclusive(
  file: string,
  { flags, mode }: { readonly flags: number; readonly mode: number | undefined },
): number | undefined {
  try {
    return openSync(file, flags | openExclusively | constants.O_NONBLOCK, mode);
  } catch (error) {
    const code = errorCode(error);
    if (code === "EAGAIN" || code === "EWOULDBLOCK") return undefined;
    if (code === "ENOTSUP" || code === "EOPNOTSUPP") return openSync(file, flags, mode);
    throw error;
  }
}
