import { closeSync, constants, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import path from "node:path";

/** O_TMPFILE without O_DIRECTORY, which differs between the CPUs and is one of Node's constants. */
const withoutName = 0o20000000;

/**
 * A copy of a file that only this process can reach, as a descriptor: it has no name in any folder. Another process
 * gets it by inheriting the descriptor. Of the folders the first is taken for which `use` does not throw.
 */
export function makePrivateCopy<T>(
  file: string,
  options: { readonly folders: readonly string[]; readonly use: (fd: number) => T },
): { readonly fd: number; readonly result: T } | undefined {
  const content = readFileSync(file);
  for (const open of [openUnnamed, openRemoved]) {
    for (const folder of options.folders) {
      let fd: number | undefined;
      try {
        fd = open(folder);
        for (let offset = 0; offset < content.length; ) offset += writeSync(fd, content, offset);
        return { fd, result: options.use(fd) };
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
  try {
    return openSync(path.join(own, "copy"), "wx+", 0o600);
  } finally {
    rmSync(own, { recursive: true });
  }
}
