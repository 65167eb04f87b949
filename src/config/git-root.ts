import { existsSync } from "node:fs";
import path from "node:path";

/** The nearest folder from `cwd` upwards that holds `.git`, as a folder or (worktrees, submodules) as a file. */
export function findGitRoot(cwd: string): string | undefined {
  for (let folder = cwd; ; folder = path.dirname(folder)) {
    if (existsSync(path.join(folder, ".git"))) return folder;
    if (folder === path.dirname(folder)) return undefined;
  }
}
