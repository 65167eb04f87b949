import { closeSync, constants, mkdtempSync, openSync, readFileSync, rmdirSync, unlinkSync, writeSync } from "node:fs";
import path from "node:path";

/** O_TMPFILE without O_DIRECTORY, which differs between the CPUs and is one of Node's constants. */
const withoutName = 0o20000000;

/** Folders for a copy, in order of preference. */
export interface CopyFolders {
  /** For a file that never has a name. */
  readonly unnamed: readonly string[];
  /** For one that has a name for a moment: no command may write there. */
  readonly named: readonly string[];
}

/**
 * A copy of a file that only this process can reach, as a descriptor: it has no name in any folder. Another process
 * gets it by inheriting the descriptor. Of the folders the first is taken for which `use` does not throw.
 */
export function makePrivateCopy<T>(
  file: string,
  { unnamed, named, use }: CopyFolders & { readonly use: (fd: number) => T },
): { readonly fd: number; readonly result: T } | undefined {
  const content = readFileSync(file);
  const ways = [
    { open: openUnnamed, folders: unnamed },
    { open: openRemoved, folders: named },
  ];
  for (const { open, folders } of ways) {
    for (const folder of folders) {
      let fd: number | undefined;
      try {
        fd = open(folder);
        for (let offset = 0; offset < content.length; ) offset += writeSync(fd, content, offset);
        return { fd, result: use(fd) };
      } catch {
        // No such folder, a full one, one whose files must not run, no files without a name there: the next one.
        if (fd !== undefined) closeSync(fd);
      }
    }
  }
  return undefined;
}

function openUnnamed(folder: string): number {
  const flags = constants.O_RDWR | constants.O_EXCL | constants.O_DIRECTORY | withoutName;
  return openSync(folder, flags, 0o600);
}

function openRemoved(folder: string): number {
  const own = mkdtempSync(path.join(folder, "codex-"));
  const copy = path.join(own, "copy");
  try {
    const fd = openSync(copy, "wx+", 0o600);
    unlinkSync(copy);
    return fd;
  } finally {
    rmdirSync(own);
  }
}
