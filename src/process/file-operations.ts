import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  mkdirSync,
  openSync,
  realpathSync,
  renameSync,
  type Stats,
  statSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { errorCode } from "../lib/errors.ts";
import { describeFailure } from "./system-error.ts";

/** One change of a patch; paths are absolute. `mode` is for a new file. */
export type FileOperation =
  | { readonly type: "write"; readonly path: string; readonly content: string; readonly mode?: number }
  | { readonly type: "delete"; readonly path: string };

export type FileResult =
  | { readonly ok: true }
  | { readonly ok: false; readonly done: number; readonly path: string; readonly message: string };

/** One after the other; what was written before a failure stays. */
export function applyFileOperations(operations: readonly FileOperation[]): FileResult {
  for (const [done, operation] of operations.entries()) {
    const message = operation.type === "write" ? write(operation) : remove(operation.path);
    if (message !== undefined) return { ok: false, done, path: operation.path, message };
  }
  return { ok: true };
}

function remove(file: string): string | undefined {
  return attempt(`Failed to delete file ${file}`, () => unlinkSync(file));
}

function write(operation: FileOperation & { type: "write" }): string | undefined {
  const file = operation.path;
  const failure = `Failed to write file ${file}`;
  const existing = resolveExisting(file);
  if (existing !== undefined) {
    if (!existing.stats.isFile() && !existing.stats.isDirectory()) return `${failure}: Not a regular file`;
    return attempt(failure, () => replace(existing.path, existing.stats, operation.content));
  }
  const folder = path.dirname(file);
  return (
    attempt(`Failed to create parent directories for ${file}`, () => makeFolder(folder)) ??
    attempt(failure, () => create(file, operation))
  );
}

function attempt(trying: string, action: () => void): string | undefined {
  try {
    action();
    return undefined;
  } catch (error) {
    return `${trying}: ${describeFailure(error)}`;
  }
}

/** Links are followed, as an editor does; undefined when nothing is there or nothing can be known about it. */
function resolveExisting(file: string): { readonly path: string; readonly stats: Stats } | undefined {
  try {
    const target = realpathSync.native(file);
    return { path: target, stats: statSync(target) };
  } catch {
    // The write that follows meets the same cause and names it.
    return undefined;
  }
}

/**
 * Asks first: where the folder is there, a sandbox's refusal to make one would hide the refusal to write. Not by Node's
 * own `recursive`, which says of a read-only file system that there is no such file.
 */
function makeFolder(folder: string): void {
  const isThere = () => statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true;
  if (isThere()) return;
  const parent = path.dirname(folder);
  if (parent !== folder) makeFolder(parent);
  try {
    mkdirSync(folder);
  } catch (error) {
    if (!isThere()) throw error; // somebody else was faster
  }
}

function create(file: string, operation: { readonly content: string; readonly mode?: number }): void {
  writeFileSync(file, operation.content, { mode: operation.mode ?? 0o666 });
  if (operation.mode !== undefined) chmodSync(file, operation.mode);
}

/**
 * By a new file under the old name: nobody sees half a file, and another hard link of the old one, perhaps outside
 * of the sandbox's folders, keeps its content.
 */
function replace(file: string, old: Stats, content: string): void {
  // What may not be written is not replaced either.
  closeSync(openSync(file, constants.O_WRONLY));
  try {
    swap(file, old, content);
  } catch (error) {
    if (old.nlink > 1 || !placeRefused.includes(errorCode(error) ?? "")) throw error;
    writeFileSync(file, content);
  }
}

/** A folder that takes no new file, a file that is a mount point, an owner we cannot give away. */
const placeRefused = ["EACCES", "EPERM", "EBUSY", "EXDEV", "ENAMETOOLONG"];

function swap(file: string, old: Stats, content: string): void {
  const unique = `${process.pid}-${process.hrtime.bigint().toString(36)}`;
  const temporary = path.join(path.dirname(file), `.${path.basename(file)}.${unique}.tmp`);
  const fd = openSync(temporary, "wx", 0o600);
  try {
    writeFileSync(fd, content);
    const { uid, gid } = fstatSync(fd);
    if (uid !== old.uid || gid !== old.gid) fchownSync(fd, old.uid, old.gid);
    fchmodSync(fd, old.mode & 0o7777);
    renameSync(temporary, file);
  } catch (error) {
    unlinkSync(temporary);
    throw error;
  } finally {
    closeSync(fd);
  }
}
