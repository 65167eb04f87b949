import path from "node:path";
import { isInside } from "../lib/path-inside.ts";
import { readRegularFile } from "../lib/read-regular-file.ts";
import { canonicalPath } from "./canonical-path.ts";

/**
 * What belongs to git of the folders given, whether it exists or not: what a command planted there would run outside of
 * the sandbox, at the next use of git. Looks upwards too, as far as that is writable at all.
 */
export function gitParts(folders: readonly string[], writableRoots: readonly string[]): readonly string[] {
  const parts = new Set<string>();
  for (const folder of [...folders.map(canonicalPath), ...writableRoots]) {
    for (let parent = folder; writableRoots.some((root) => isInside(parent, root)); parent = path.dirname(parent)) {
      const git = path.join(parent, ".git");
      for (const part of [git, ...namedByGitFile(git)]) parts.add(part);
      if (parent === path.dirname(parent)) break;
    }
  }
  return [...parts].filter((part) => writableRoots.some((root) => isInside(part, root)));
}

/** In a worktree or submodule `.git` is a file that names the real folder, which may name another for the rest. */
function namedByGitFile(git: string): readonly string[] {
  const named = readName(git, /^gitdir: (.+)$/m);
  if (named === undefined) return [];
  const common = readName(path.join(named, "commondir"), /^(.+)$/m);
  return common === undefined ? [named] : [named, common];
}

function readName(file: string, pattern: RegExp): string | undefined {
  try {
    const name = pattern.exec(readRegularFile(file).toString())?.[1];
    return name === undefined ? undefined : canonicalPath(path.resolve(path.dirname(file), name));
  } catch {
    // A folder, or nothing.
    return undefined;
  }
}
