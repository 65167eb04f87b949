import { closeSync, constants, existsSync, fstatSync, openSync, readlinkSync, realpathSync } from "node:fs";
import path from "node:path";
import { errorCode } from "./errors.ts";
import { pathOnly } from "./open-pinned.ts";
import { isInside } from "./path-inside.ts";

/** macOS: no link anywhere on the way. */
const noFollowAny = 0x20000000;
const maxLinks = 40;

interface NamedFile {
  /** As open(2) has them; O_NOFOLLOW is added. */
  readonly flags: number;
  readonly mode?: number;
  /** Folders, with all links resolved, in which a command may have left a link, in this run or an earlier one. */
  readonly exposed: readonly string[];
}

/**
 * Opens a file that the user names, outside of any sandbox, and follows no link that a command could have made: neither
 * the file itself may be a link, nor a folder on the way that stands in an exposed folder. It goes from folder to opened
 * folder, so that nothing can be exchanged on the way. What the system itself offers as files (/dev/stdout, /dev/fd/3) is
 * opened as it is. Throws an Error that says what is wrong, or the system's own.
 */
export function openNamedFile(name: string, { flags, mode, exposed }: NamedFile): number {
  const file = path.resolve(name);
  if (isOfSystem(file)) return openSync(file, flags, mode);
  switch (process.platform) {
    case "linux":
      return existsSync("/proc/self/fd")
        ? openByDescriptors(file, { flags, mode, exposed })
        : openByName(file, { flags, mode, exposed });
    case "win32":
      return openSync(file, flags, mode);
    default:
      return openByName(file, { flags, mode, exposed });
  }
}

type Opening = Omit<NamedFile, "mode"> & { readonly mode: number | undefined };

/** Devices and the descriptors of this process. What lies in /dev/shm are ordinary files of anybody. */
function isOfSystem(file: string): boolean {
  return /^\/(?:dev|proc)\//.test(file) && !file.startsWith("/dev/shm/");
}

function openByDescriptors(file: string, { flags, mode, exposed }: Opening): number {
  const parts = file.split("/").filter((part) => part !== "");
  let folder = openSync("/", pathOnly | constants.O_DIRECTORY);
  let links = 0;
  try {
    for (let part = parts.shift(); part !== undefined; part = parts.shift()) {
      const place = `/proc/self/fd/${folder}/${part}`;
      if (parts.length === 0) return openLast(place, { flags, mode, exposed });
      const next = openSync(place, pathOnly | constants.O_NOFOLLOW);
      const stat = fstatSync(next);
      if (!stat.isSymbolicLink()) {
        closeSync(folder);
        folder = next;
        continue;
      }
      closeSync(next);
      const parent = readlinkSync(`/proc/self/fd/${folder}`);
      refuseIfExposed(path.join(parent, part), exposed);
      links += 1;
      if (links > maxLinks) throw new Error("Too many levels of symbolic links (os error 40)");
      const target = readlinkSync(place);
      parts.unshift(...target.split("/").filter((name) => name !== "" && name !== "."));
      if (!target.startsWith("/")) continue;
      closeSync(folder);
      folder = openSync("/", pathOnly | constants.O_DIRECTORY);
    }
    throw new Error("Is a directory (os error 21)");
  } finally {
    closeSync(folder);
  }
}

/** macOS and a Linux without /proc: the folder is judged first, and on macOS no link that comes later is followed. */
function openByName(file: string, opening: Opening): number {
  for (const folder of foldersTo(path.dirname(file))) {
    const parent = realpathSync.native(path.dirname(folder));
    if (isLink(folder)) refuseIfExposed(path.join(parent, path.basename(folder)), opening.exposed);
  }
  const extra = process.platform === "darwin" ? noFollowAny : 0;
  const place = path.join(realpathSync.native(path.dirname(file)), path.basename(file));
  return openLast(place, { ...opening, flags: opening.flags | extra });
}

function* foldersTo(folder: string): Iterable<string> {
  const parent = path.dirname(folder);
  if (parent === folder) return;
  yield* foldersTo(parent);
  yield folder;
}

function isLink(file: string): boolean {
  try {
    return readlinkSync(file) !== undefined;
  } catch {
    return false;
  }
}

function openLast(place: string, { flags, mode }: Opening): number {
  try {
    return openSync(place, flags | constants.O_NOFOLLOW, mode);
  } catch (error) {
    if (errorCode(error) !== "ELOOP") throw error;
    throw new Error("it is a symbolic link, which a command may have made: name the file itself", { cause: error });
  }
}

function refuseIfExposed(link: string, exposed: readonly string[]): void {
  if (!exposed.some((folder) => isInside(path.dirname(link), folder))) return;
  throw new Error(`"${link}" is a symbolic link, which a command may have made: name the real folder`);
}
