import { Buffer } from "node:buffer";
import { closeSync, constants, fstatSync, openSync, readlinkSync, readSync, statSync } from "node:fs";

/** More than any text that a model could make sense of. */
const defaultMaxBytes = 64 * 1024 * 1024;

/** The beginning of a file. */
export interface FileStart {
  /** At most `maxBytes`. */
  readonly bytes: Buffer;
  /** True when the file holds more. */
  readonly isCut: boolean;
}

/**
 * Reads a file that a repository or the model names. Nothing else is read: a FIFO or device would keep us waiting for
 * ever, and what the kernel shows as files holds secrets of ours (/proc/self/environ) that no sandbox keeps from ourselves.
 * Undefined without such a file; throws for everything that is there and no file.
 */
export function readFileStart(file: string, maxBytes: number): FileStart | undefined {
  if (statSync(file, { throwIfNoEntry: false }) === undefined) return undefined; // an exception costs more than the rest
  const fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  try {
    const stat = fstatSync(fd);
    if (stat.isDirectory()) throw new Error("Is a directory (os error 21)");
    if (!stat.isFile() || isOfKernel(fd)) throw new Error("not a regular file");
    const content = Buffer.allocUnsafe(Math.min(stat.size, maxBytes) + 1); // one more shows whether there is more
    let length = 0;
    while (length < content.length) {
      const count = readSync(fd, content, length, content.length - length, length);
      if (count === 0) break;
      length += count;
    }
    const isCut = length > maxBytes || length > stat.size;
    return { bytes: content.subarray(0, Math.min(length, maxBytes)), isCut };
  } finally {
    closeSync(fd);
  }
}

/** The whole file; throws when there is none, or one of more than `maxBytes`. */
export function readRegularFile(file: string, maxBytes: number = defaultMaxBytes): Buffer {
  const start = readFileStart(file, maxBytes);
  if (start === undefined) throw Object.assign(new Error("no such file"), { code: "ENOENT" });
  if (start.isCut) throw new Error(`larger than ${Math.floor(maxBytes / 1024 / 1024)} MiB`);
  return start.bytes;
}

/** Judged by the place the open descriptor leads to, whatever links led there. */
function isOfKernel(fd: number): boolean {
  if (process.platform !== "linux") return false;
  try {
    return /^\/(?:proc|sys|dev)\//.test(readlinkSync(`/proc/self/fd/${fd}`));
  } catch {
    return false; // without a /proc there is nothing of the kind to read
  }
}
