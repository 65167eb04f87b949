import { readFileSync } from "node:fs";
import path from "node:path";
import type { Environment } from "../lib/environment.ts";
import { canonicalPath } from "./canonical-path.ts";
import { type SeatbeltProfile, type SeatbeltRoot, seatbeltProfile } from "./seatbelt.ts";

export function prepareSeatbelt(
  writableRoots: readonly string[],
  options: { readonly network: boolean; readonly env: Environment },
): { readonly roots: readonly SeatbeltRoot[]; readonly profile: SeatbeltProfile } {
  const roots = writableRoots.map(seatbeltRoot);
  return { roots, profile: seatbeltProfile({ roots, network: options.network, ...cacheFolder(options.env) }) };
}

/** What a command could plant there would run outside of the sandbox, at the next use of git. */
function seatbeltRoot(root: string): SeatbeltRoot {
  const git = path.join(root, ".git");
  return { path: root, readOnly: [git, ...namedByGitFile(git)] };
}

/** In a worktree or submodule `.git` is a file that names the real folder. */
function namedByGitFile(git: string): readonly string[] {
  try {
    const named = /^gitdir: (.+)$/m.exec(readFileSync(git, "utf8"))?.[1];
    return named === undefined ? [] : [canonicalPath(path.resolve(path.dirname(git), named))];
  } catch {
    // A folder, or nothing.
    return [];
  }
}

/** Beside the user's temporary folder, which is the only one of the two that the environment names. */
function cacheFolder(env: Environment): { readonly cacheFolder?: string } {
  const temporary = env["TMPDIR"];
  if (!temporary || !/^(\/private)?\/var\/folders\/[^/]+\/[^/]+\/T\/?$/.test(temporary)) return {};
  return { cacheFolder: canonicalPath(path.join(temporary, "..", "C")) };
}
