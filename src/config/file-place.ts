import { realpathSync } from "node:fs";
import { isInside } from "../lib/path-inside.ts";
import type { PlaceCheck } from "../lib/read-regular-file.ts";
import { findGitRoot } from "./git-root.ts";

/** A file whose place forbids to read it, although it is there. */
export class MisplacedFile extends Error {
  override readonly name = "MisplacedFile";
}

interface Places {
  readonly cwd: string;
  readonly codexHome: string;
}

/**
 * Whether a file that is sent to a model may be read. A repository can hold links: what it names must really lie in
 * it. Nothing below CODEX_HOME is sent by any name, for the stored keys are there. `named` is absolute.
 */
export function placeCheckFor(named: string, { cwd, codexHome }: Places): PlaceCheck {
  return (realPath) => {
    if (isInside(realPath, realFolder(codexHome))) throw new MisplacedFile("it lies below CODEX_HOME");
    const root = findGitRoot(cwd) ?? cwd;
    const realRoot = realFolder(root);
    const isOfRepository = isInside(named, root) || isInside(named, realRoot);
    if (isOfRepository && !isInside(realPath, realRoot)) throw new MisplacedFile("it leads out of the repository");
  };
}

/** For a file that the model has named to change it: what lies below CODEX_HOME has to be named so, and not by a link. */
export function homeCheckFor(named: string, codexHome: string): PlaceCheck {
  return (realPath) => {
    if (isInside(realPath, realFolder(codexHome)) && !isInside(named, codexHome)) {
      throw new MisplacedFile("it is a link to a file below CODEX_HOME");
    }
  };
}

function realFolder(folder: string): string {
  try {
    return realpathSync.native(folder);
  } catch {
    return folder;
  }
}
