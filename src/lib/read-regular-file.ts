import { Buffer } from "node:buffer";
import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readlinkSync,
  readSync,
  realpathSync,
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
 * Judges the place that an opened file really has, whatever links led to it; throws an Error that says what is wrong with
 * it. It looks at the opened file, so that nobody can exchange it after the check.
 */
export type PlaceCheck = (realPath: string) => void;

/**
 * Reads a file that a repository or the model names. Nothing else is read: a FIFO or device would keep us waiting for
 * ever, and what the kernel shows as files holds secrets of ours (/proc/self/environ) that no sandbox keeps from ourselves.
 * Undefined without such a file; throws for everything that is there and no file.
 */
export function readFileStart(file: string, maxBytes: number, check?: PlaceCheck): FileStart | undefined {
  if (statSync(file, { throwIfNoEntry: false }) === undefined) return undefined; // an exception costs more than the rest
  return withRegularFile(file, { check }, (fd, stat) => readStart(fd, { size: stat.size, maxBytes }));
}

/** The whole file; throws when there is none, or one of more than `maxBytes`. */
export function readRegularFile(file: string, maxBytes: number = defaultMaxBytes, check?: PlaceCheck): Buffer {
  return withRegularFile(file, { check }, (fd, { size }) => readAll(fd, { size, maxBytes }));
}

/** The same of a file that is open already; leaves it open. */
export function readOpenFile(fd: number, maxBytes: number): Buffer {
  return readAll(fd, { size: checkedStat(fd).size, maxBytes });
}

/** A file that commands may exchange while it is opened: a link in its place throws. `bytes` is undefined above `maxBytes`. */
export function readUnlinkedFile(
  file: string,
  maxBytes: number,
): { readonly stat: Stats; readonly bytes: Buffer | undefined } {
  return withRegularFile(file, { flags: constants.O_NOFOLLOW }, (fd, stat) => {
    return { stat, bytes: readWhole(fd, { size: stat.size, maxBytes }) };
  });
}

interface Opening {
  readonly flags?: number;
  readonly check?: PlaceCheck | undefined;
}

function withRegularFile<T>(file: string, { flags = 0, check }: Opening, read: (fd: number, stat: Stats) => T): T {
  const fd = openSync(file, flags | constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  try {
    const stat = checkedStat(fd);
    check?.(realPathOf(fd, file));
    return read(fd, stat);
  } finally {
    closeSync(fd);
  }
}

function checkedStat(fd: number): Stats {
  const stat = fstatSync(fd);
  if (stat.isDirectory()) throw new Error("Is a directory (os error 21)");
  if (!stat.isFile() || isOfKernel(fd)) throw new Error("not a regular file");
  return stat;
}

/** What the kernel calls the opened file; elsewhere than on Linux what its name leads to a moment later. */
function realPathOf(fd: number, file: string): string {
  if (process.platform !== "linux") return realpathSync.native(file);
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return realpathSync.native(file); // no /proc here
  }
}

interface Amount {
  readonly size: number;
  readonly maxBytes: number;
}

function readAll(fd: number, amount: Amount): Buffer {
  const bytes = readWhole(fd, amount);
  if (bytes === undefined) throw new Error(`larger than ${Math.floor(amount.maxBytes / 1024 / 1024)} MiB`);
  return bytes;
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
