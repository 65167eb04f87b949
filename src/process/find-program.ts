import { accessSync, constants as fsConstants, statSync } from "node:fs";
import { constants } from "node:os";
import path from "node:path";
import type { Environment } from "../lib/environment.ts";
import { isInside } from "../lib/path-inside.ts";
import { readFileStart } from "../lib/read-regular-file.ts";
import { canonicalPath } from "./canonical-path.ts";

/** The file that would be run, looked for as execvp does, or the number of the error with which that would end. */
export function findProgram(
  file: string,
  { cwd, env }: { readonly cwd: string; readonly env: Environment },
): { readonly program: string } | { readonly errno: number } {
  const folders = file.includes("/") ? [""] : (env["PATH"] ?? "/usr/bin:/bin").split(":");
  const found = folders.map((folder) => path.resolve(cwd, folder, file)).filter((candidate) => isFile(candidate));
  if (found.length === 0) return { errno: constants.errno.ENOENT };
  const program = found.find((candidate) => isExecutable(candidate));
  if (program === undefined) return { errno: constants.errno.EACCES };
  const interpreter = interpreterOf(program);
  return interpreter === undefined || isFile(path.resolve(cwd, interpreter))
    ? { program }
    : { errno: constants.errno.ENOENT };
}

/** The program that the first line of a script names; undefined for other programs. */
function interpreterOf(file: string): string | undefined {
  try {
    return /^#![ \t]*([^ \t\n]+)/.exec(readFileStart(file, 256)?.bytes.toString("latin1") ?? "")?.[1];
  } catch {
    return undefined; // one that may be run but not read
  }
}

function isFile(file: string): boolean {
  try {
    return statSync(file, { throwIfNoEntry: false })?.isFile() === true;
  } catch {
    return false; // behind a folder that is not ours to look into
  }
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, fsConstants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The folders of PATH without the relative ones and those below `root`, where a repository's programs would be found. */
export function pathOutside(folders: string, root: string): string {
  const real = canonicalPath(root);
  const isOutside = (folder: string) =>
    path.isAbsolute(folder) && !isInside(folder, root) && !isInside(canonicalPath(folder), real);
  return folders.split(path.delimiter).filter(isOutside).join(path.delimiter);
}
