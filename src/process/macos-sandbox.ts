import path from "node:path";
import type { Environment } from "../lib/environment.ts";
import { isInside } from "../lib/path-inside.ts";
import { canonicalPath } from "./canonical-path.ts";
import { gitParts } from "./git-parts.ts";
import { type SeatbeltProfile, type SeatbeltRoot, seatbeltProfile } from "./seatbelt.ts";

export function prepareSeatbelt(
  writableRoots: readonly string[],
  options: { readonly folders: readonly string[]; readonly network: boolean; readonly env: Environment },
): { readonly roots: readonly SeatbeltRoot[]; readonly profile: SeatbeltProfile } {
  const parts = gitParts(options.folders, writableRoots);
  const roots = writableRoots.map((root) => ({ path: root, readOnly: parts.filter((part) => isInside(part, root)) }));
  return { roots, profile: seatbeltProfile({ roots, network: options.network, ...cacheFolder(options.env) }) };
}

/** Beside the user's temporary folder, which is the only one of the two that the environment names. */
function cacheFolder(env: Environment): { readonly cacheFolder?: string } {
  const temporary = env["TMPDIR"];
  if (!temporary || !/^(\/private)?\/var\/folders\/[^/]+\/[^/]+\/T\/?$/.test(temporary)) return {};
  return { cacheFolder: canonicalPath(path.join(temporary, "..", "C")) };
}
