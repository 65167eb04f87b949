import { closeSync, writeSync } from "node:fs";
import { constants } from "node:os";
import { type Libc, SystemCallError } from "./libc.ts";

const closeOnExec = 0o2000000;
const closeOnExecFile = 1;
const unixFamily = 1;
const streamType = 1;
const shutdownWrite = 1;
const doNotWait = 0x40;

export interface Pipe {
  readonly readEnd: number;
  readonly writeEnd: number;
}

/** A real pipe. Node's own "pipe" is a socket pair, which a command cannot reopen as /dev/stdout. */
export function makePipe(libc: Libc): Pipe {
  const ends = Buffer.alloc(8);
  libc.call("int pipe2(void *, int)", ends, closeOnExec);
  return { readEnd: ends.readInt32LE(0), writeEnd: ends.readInt32LE(4) };
}

/** A file without a name, in memory, at its beginning; passed on to a child only by its stdio. */
export function makeMemoryFile(libc: Libc, content: Buffer): number {
  const fd = libc.call("int memfd_create(const char *, unsigned int)", "codex", closeOnExecFile);
  try {
    for (let offset = 0; offset < content.length; ) offset += writeSync(fd, content, offset, undefined, offset);
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

export function makeSocketPair(libc: Libc): readonly [ours: number, theirs: number] {
  const ends = Buffer.alloc(8);
  libc.call("int socketpair(int, int, int, void *)", unixFamily, streamType | closeOnExec, 0, ends);
  return [ends.readInt32LE(0), ends.readInt32LE(4)];
}

/** Tells the other end that no more will come. */
export function endWriting(libc: Libc, socket: number): void {
  libc.call("int shutdown(int, int)", socket, shutdownWrite);
}

/** All that has arrived on a socket so far, without waiting for more. */
export function receiveAvailable(libc: Libc, socket: number): string {
  const chunks: Buffer[] = [];
  for (;;) {
    const chunk = Buffer.alloc(16_384);
    const length = receive(libc, socket, chunk);
    if (length <= 0) return Buffer.concat(chunks).toString();
    chunks.push(chunk.subarray(0, length));
  }
}

function receive(libc: Libc, socket: number, chunk: Buffer): number {
  const { EAGAIN, ECONNRESET } = constants.errno;
  try {
    return libc.call("long recv(int, void *, size_t, int)", socket, chunk, chunk.length, doNotWait);
  } catch (error) {
    // Nothing there yet, or an end that closed without reading all we sent: either way nothing more to read.
    if (error instanceof SystemCallError && (error.errno === EAGAIN || error.errno === ECONNRESET)) return 0;
    throw error;
  }
}
