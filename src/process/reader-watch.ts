import { Buffer } from "node:buffer";
import { fstatSync } from "node:fs";
import type { CommandHost } from "./command-host.ts";

interface ReaderWatch {
  /** Has the FFI, safe from commands that could have replaced its file. */
  readonly host: CommandHost;
  readonly onGone: () => void;
}

const lookEveryMs = 500;
/** `struct pollfd`: an int for the descriptor, two shorts for what is asked and what has happened. */
const pollfdBytes = 8;
const happenedAt = 6;
const pollErr = 0x008;
const pollHup = 0x010;

/**
 * Calls `onGone` when nobody reads the pipe or socket `fd` any more, also while nothing is written: only poll(2) tells
 * that, which Node does not offer. Where there is no FFI, the next write has to find out.
 */
export function watchReader(fd: number, { host, onGone }: ReaderWatch): void {
  if (process.platform !== "linux" || !isPipe(fd)) return;
  let look: (() => boolean) | undefined;
  const timer = setInterval(() => {
    try {
      look ??= readerCheck(fd, host); // at the first look: a short session does without
      if (!look()) return;
    } catch {
      clearInterval(timer); // no FFI, or no such descriptor any more
      return;
    }
    clearInterval(timer);
    onGone();
  }, lookEveryMs);
  timer.unref();
}

function readerCheck(fd: number, host: CommandHost): () => boolean {
  const libc = host.loadLibc();
  const pollfd = Buffer.alloc(pollfdBytes);
  pollfd.writeInt32LE(fd);
  return () => {
    libc.call("int poll(long, unsigned long, int)", libc.addressOf(pollfd), 1, 0);
    return (pollfd.readUInt16LE(happenedAt) & (pollErr | pollHup)) !== 0;
  };
}

function isPipe(fd: number): boolean {
  try {
    const stat = fstatSync(fd);
    return stat.isFIFO() || stat.isSocket();
  } catch {
    return false; // it is closed
  }
}
