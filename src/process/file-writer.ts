import { statfsSync } from "node:fs";
import { constants } from "node:os";
import { sleepSync } from "../lib/sleep-sync.ts";
import { type Libc, SystemCallError } from "./libc.ts";

/** File systems of this machine alone, whose kernel sees every writer: ext, xfs, btrfs, f2fs, tmpfs, overlayfs, zfs. */
const localFileSystems: readonly number[] = [
  ...[0xef53, 0x58465342, 0x9123683e, 0xf2f52010],
  ...[0x01021994, 0x794c7630, 0x2fc12fc1],
];

const setSignal = 10;
const setLease = 1024;
const readLease = 0;
const noLease = 2;

/** An open that is refused counts as a writer for a moment; one that goes on writing is there each time. */
const rounds = 20;
const looksPerRound = 10;

/**
 * Whether any process has the file open for writing. The kernel gives a read lease on a file only while nobody has. Undefined
 * where that cannot be known: another file system, another user's file, no regular file. `fd` is open for reading only.
 */
export function hasWriter(fd: number, libc: Libc): boolean | undefined {
  if (!isLocal(fd)) return undefined;
  for (let round = 0; round < rounds; round += 1) {
    if (round > 0) sleepSync(1);
    for (let look = 0; look < looksPerRound; look += 1) {
      const found = looksWritten(fd, libc);
      if (found !== true) return found;
    }
  }
  return true;
}

function looksWritten(fd: number, libc: Libc): boolean | undefined {
  const control = (command: number, value: number) => libc.call("int fcntl(int, int, int)", fd, command, value);
  try {
    // Whoever opens the file while we have the lease makes the kernel signal us: SIGIO would end us, SIGURG is ignored.
    control(setSignal, constants.signals.SIGURG);
    control(setLease, readLease);
  } catch (error) {
    if (!(error instanceof SystemCallError)) throw error;
    return error.errno === constants.errno.EAGAIN ? true : undefined;
  }
  control(setLease, noLease);
  return false;
}

function isLocal(fd: number): boolean {
  try {
    return localFileSystems.includes(statfsSync(`/proc/self/fd/${fd}`).type);
  } catch {
    return false; // no /proc
  }
}
