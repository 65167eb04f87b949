import { closeSync, constants, fstatSync, openSync, readlinkSync, realpathSync } from "node:fs";

/** O_PATH is not among Node's constants; it has one value on both CPUs. A descriptor that is good for being looked at. */
export const pathOnly = 0o10000000;

/**
 * Opens the file that has this canonical path now; throws when a link leads elsewhere, although none was there when the path
 * was resolved. Linux only.
 */
export function openPinned(file: string): number {
  const fd = openSync(file, pathOnly | constants.O_NOFOLLOW);
  // A link in its own place is opened as such, under its own name.
  if (!fstatSync(fd).isSymbolicLink() && realPathOf(fd, file) === file) return fd;
  closeSync(fd);
  throw new Error(`"${file}" was replaced`);
}

function realPathOf(fd: number, file: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return realpathSync.native(file); // no /proc here
  }
}
