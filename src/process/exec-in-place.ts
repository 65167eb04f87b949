/** What turns this process into another program: the helper of each command, and a command in the foreground. */
import { readdirSync } from "node:fs";
import { constants } from "node:os";
import { type Libc, SystemCallError, succeeds } from "./libc.ts";

const setDescriptorFlags = 2;
const closeOnExec = 4;
const closeOnExecFlag = 1;
const firstOther = 3;
const lastDescriptor = 0xffff_ffff;
const coreSizeLimit = 4;
/** SIGKILL and SIGSTOP have no handler to reset. */
const fixedSignals: readonly number[] = [constants.signals.SIGKILL, constants.signals.SIGSTOP];

/** Undoes what Node did to this process and what a program that it becomes would notice. */
export function undoNode(libc: Libc): void {
  // Node ignores SIGPIPE and SIGXFSZ, and what is ignored stays ignored after an exec.
  for (let signal = 1; signal < 32; signal++) {
    if (!fixedSignals.includes(signal)) libc.call("intptr_t signal(int, intptr_t)", signal, 0);
  }
  // libuv marks the first sixteen descriptors close-on-exec when it starts, the command's stdio among them.
  for (const fd of [0, 1, 2]) keepOnExec(libc, fd);
}

export function keepOnExec(libc: Libc, fd: number): void {
  libc.call("int fcntl(int, int, int)", fd, setDescriptorFlags, 0);
}

/** What a sandboxed command does not get: an image of its memory on the disk, and descriptors beside its stdio. */
export function withholdRest(libc: Libc): void {
  libc.call("int setrlimit(int, void *)", coreSizeLimit, Buffer.alloc(16));
  libc.syscall("close_range", firstOther, lastDescriptor, closeOnExec);
}

/** What this process was started with beside its stdio is nothing for those it starts; on any kernel. */
export function keepDescriptors(libc: Libc): void {
  for (const fd of readdirSync("/proc/self/fd").map(Number)) {
    // One of them was the folder itself, and is closed by now.
    if (fd >= firstOther)
      succeeds(() => libc.call("int fcntl(int, int, int)", fd, setDescriptorFlags, closeOnExecFlag));
  }
}

/** For a child that cannot withhold them itself: it inherits the limit that stands while it starts. */
export function withoutCoreDumps<T>(libc: Libc, start: () => T): T {
  const limit = Buffer.alloc(16);
  libc.call("int getrlimit(int, void *)", coreSizeLimit, limit);
  const none = Buffer.from(limit);
  none.writeBigUInt64LE(0n, 0); // the soft half: the hard one could not be had back
  libc.call("int setrlimit(int, void *)", coreSizeLimit, none);
  try {
    return start();
  } finally {
    libc.call("int setrlimit(int, void *)", coreSizeLimit, limit);
  }
}

export interface Program {
  readonly argv: readonly string[];
  /** All of it: nothing else is inherited. */
  readonly env: Readonly<Record<string, string>>;
}

/** Returns only when it fails: with the errno of the exec. */
export function execInPlace(libc: Libc, { argv, env }: Program): number {
  // The program is looked up in this process's PATH, not in the one it is handed.
  const { PATH } = env;
  if (PATH !== undefined) process.env["PATH"] = PATH;
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  const prototype = "int execvpe(const char *, const char **, const char **)";
  try {
    return libc.call(prototype, argv[0] ?? "", [...argv, null], [...variables, null]);
  } catch (error) {
    if (error instanceof SystemCallError) return error.errno;
    throw error;
  }
}
