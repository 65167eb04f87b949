import { Buffer } from "node:buffer";
import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readlinkSync,
  readSync,
  type Stats,
  statfsSync,
  statSync,
} from "node:fs";

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
  return withRegularFile(file, 0, (fd, stat) => readStart(fd, { size: stat.size, maxBytes }));
}

/** The whole file; throws when there is none, or one of more than `maxBytes`. */
export function readRegularFile(file: string, maxBytes: number = defaultMaxBytes): Buffer {
  return withRegularFile(file, 0, (fd, { size }) => {
    const bytes = readWhole(fd, { size, maxBytes });
    if (bytes === undefined) throw new Error(`larger than ${Math.floor(maxBytes / 1024 / 1024)} MiB`);
    return bytes;
  });
}

/** A file that commands may exchange while it is opened: a link in its place throws. `bytes` is undefined above `maxBytes`. */
export function readUnlinkedFile(
  file: string,
  maxBytes: number,
): { readonly stat: Stats; readonly bytes: Buffer | undefined } {
  return withRegularFile(file, constants.O_NOFOLLOW, (fd, stat) => {
    return { stat, bytes: readWhole(fd, { size: stat.size, maxBytes }) };
  });
}

function withRegularFile<T>(file: string, flags: number, read: (fd: number, stat: Stats) => T): T {
  const fd = openSync(file, flags | constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  try {
    const stat = fstatSync(fd);
    if (stat.isDirectory()) throw new Error("Is a directory (os error 21)");
    if (!stat.isFile() || isOfKernel(fd)) throw new Error("not a regular file");
    return read(fd, stat);
  } finally {
    closeSync(fd);
  }
}

interface Amount {
  readonly size: number;
  readonly maxBytes: number;
}

function readWhole(fd: number, amount: Amount): Buffer | undefined {
  if (amount.size > amount.maxBytes) return undefined;
  const { bytes, isCut } = readStart(fd, amount);
  return isCut ? undefined : bytes;
}

function readStart(fd: number, { size, maxBytes }: Amount): FileStart {
  const content = Buffer.allocUnsafe(Math.min(size, maxBytes) + 1); // one more shows whether there is more
  let length = 0;
  while (length < content.length) {
    const count = readSync(fd, content, length, content.length - length, length);
    if (count === 0) break;
    length += count;
  }
  return { bytes: content.subarray(0, Math.min(length, maxBytes)), isCut: length > maxBytes || length > size };
}

/** What statfs(2) says of a process file system, wherever it is mounted. */
const procMagic = 0x9fa0;

/** Judged by what the open descriptor leads to, whatever links led there. */
function isOfKernel(fd: number): boolean {
  if (process.platform !== "linux") return false;
  const opened = `/proc/self/fd/${fd}`;
  try {
    return statfsSync(opened).type === procMagic || /^\/(?:proc|sys)\//.test(readlinkSync(opened));
  } catch {
    return false; // without a /proc there is nothing of the kind to read
  }
}
