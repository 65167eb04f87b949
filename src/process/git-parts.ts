import { lstatSync, readdirSync } from "node:fs";
import path from "node:path";
import { isInside } from "../lib/path-inside.ts";
import { readRegularFile } from "../lib/read-regular-file.ts";
import { canonicalPath } from "./canonical-path.ts";
import { gitlinksOf } from "./git-index.ts";

/**
 * What belongs to git of the folders given, whether it exists or not: what a command planted there would run outside of
 * the sandbox, at the next use of git. Looks upwards too, as far as that is writable at all, into submodules, whose
 * settings `git status` of the whole obeys, and at the other working trees of a repository.
 */
export function gitParts(folders: readonly string[], writableRoots: readonly string[]): readonly string[] {
  const isWritable = (file: string) => writableRoots.some((root) => isInside(file, root));
  const parts = new Set<string>();
  const seen = new Set<string>();
  const addRepository = (folder: string) => {
    if (seen.has(folder)) return;
    seen.add(folder);
    const git = path.join(folder, ".git");
    const real = canonicalPath(git);
    const named = namedByGitFile(git);
    for (const part of [git, real, ...named]) parts.add(part);
    for (const submodule of submodulesOf(named[0] ?? real, named[1] ?? named[0] ?? real)) {
      const subfolder = path.resolve(folder, submodule);
      // Without a repository of its own yet, nothing but git has business there.
      if (!exists(path.join(subfolder, ".git"))) parts.add(subfolder);
      else addRepository(subfolder);
    }
    for (const tree of workingTreesOf(named[1] ?? real)) parts.add(tree);
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

/** Those that the index holds: what .gitmodules says, a command may have written. */
function submodulesOf(gitFolder: string, commonFolder: string): readonly string[] {
  const index = readBytes(path.join(gitFolder, "index"));
  if (index === undefined) return [];
  const config = readBytes(path.join(commonFolder, "config"))?.toString() ?? "";
  const hashBytes = /^\s*objectformat\s*=\s*"?sha256/im.test(config) ? 32 : 20;
  try {
    return gitlinksOf(index, hashBytes);
  } catch {
    return []; // damaged: git will not read it either
  }
}

/** The `.git` files of the working trees that were added to a repository. */
function workingTreesOf(gitFolder: string): readonly string[] {
  const folder = path.join(gitFolder, "worktrees");
  try {
    return readdirSync(folder).flatMap((name) => readName(path.join(folder, name, "gitdir"), /^(.+)$/m) ?? []);
  } catch {
    return [];
  }
}

function readName(file: string, pattern: RegExp): string | undefined {
  const name = pattern.exec(readBytes(file)?.toString() ?? "")?.[1];
  return name === undefined ? undefined : canonicalPath(path.resolve(path.dirname(file), name));
}

/** Undefined for a folder, for nothing, and for what is no regular file. */
function readBytes(file: string): Buffer | undefined {
  try {
    return readRegularFile(file);
  } catch {
    return undefined;
  }
}

function exists(file: string): boolean {
  return lstatSync(file, { throwIfNoEntry: false }) !== undefined;
}
