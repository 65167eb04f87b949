import path from "node:path";
import { isInside } from "../lib/path-inside.ts";
import { readRegularFile } from "../lib/read-regular-file.ts";
import { canonicalPath } from "./canonical-path.ts";

/**
 * What belongs to git of the folders given, whether it exists or not: what a command planted there would run outside of
 * the sandbox, at the next use of git. Looks upwards too, as far as that is writable at all, and into submodules, whose
 * settings `git status` of the whole obeys.
 */
export function gitParts(folders: readonly string[], writableRoots: readonly string[]): readonly string[] {
  const isWritable = (file: string) => writableRoots.some((root) => isInside(file, root));
  const parts = new Set<string>();
  const seen = new Set<string>();
  const addRepository = (folder: string) => {
    if (seen.has(folder)) return;
    seen.add(folder);
    const git = path.join(folder, ".git");
    for (const part of [git, canonicalPath(git), ...namedByGitFile(git)]) parts.add(part);
    for (const submodule of submodulesOf(folder)) addRepository(submodule);
  };
  for (const folder of [...folders.map(canonicalPath), ...writableRoots]) {
    for (let parent = folder; isWritable(parent); parent = path.dirname(parent)) {
      addRepository(parent);
      if (parent === path.dirname(parent)) break;
    }
  }
  return [...parts].filter(isWritable);
}

/** In a worktree or submodule `.git` is a file that names the real folder, which may name another for the rest. */
function namedByGitFile(git: string): readonly string[] {
  const named = readName(git, /^gitdir: (.+)$/m);
  if (named === undefined) return [];
  const common = readName(path.join(named, "commondir"), /^(.+)$/m);
  return common === undefined ? [named] : [named, common];
}

function readName(file: string, pattern: RegExp): string | undefined {
  const name = pattern.exec(readText(file))?.[1];
  return name === undefined ? undefined : canonicalPath(path.resolve(path.dirname(file), name));
}

function submodulesOf(folder: string): readonly string[] {
  const names = readText(path.join(folder, ".gitmodules")).matchAll(
    /^[ \t]*path[ \t]*=[ \t]*"?([^"\r\n]+?)"?[ \t]*$/gm,
  );
  return [...names]
    .map(([, name = ""]) => path.resolve(folder, name))
    .filter((submodule) => isInside(submodule, folder));
}

const mostBytes = 1024 * 1024;

/** Empty for a folder, for nothing, and for what is no file of this kind. */
function readText(file: string): string {
  try {
    return readRegularFile(file, mostBytes).toString();
  } catch {
    return "";
  }
}
