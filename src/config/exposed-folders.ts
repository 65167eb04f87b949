import { realpathSync } from "node:fs";
import os from "node:os";
import type { Config } from "./config.ts";
import { findGitRoot } from "./git-root.ts";

/**
 * Folders in which a command of this run or of an earlier one, whose policy may have been wider, can have left a link. With
 * all links resolved.
 */
export function exposedFolders({ cwd, env, sandboxPolicy }: Config): readonly string[] {
  const roots = sandboxPolicy.mode === "workspace-write" ? sandboxPolicy.writable_roots : [];
  const workspaces = [cwd, process.cwd()].map((folder) => findGitRoot(folder) ?? folder);
  return [...workspaces, ...roots, "/tmp", env["TMPDIR"] ?? "/tmp", os.tmpdir()].flatMap(realFolder);
}

function realFolder(folder: string): readonly string[] {
  try {
    return [realpathSync.native(folder)];
  } catch {
    return []; // where nothing is, nothing was left
  }
}
