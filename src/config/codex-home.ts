import { realpathSync, statSync } from "node:fs";
import { userInfo } from "node:os";
import path from "node:path";
import type { Environment } from "../lib/environment.ts";
import { explainSystemError, UserError } from "../lib/errors.ts";

/** The folder of our files: CODEX_HOME, which must exist, or `~/.codex`, which need not. */
export function findCodexHome(env: Environment, processCwd: string): string {
  const given = env["CODEX_HOME"];
  if (given === undefined || given === "") return path.join(userHome(env), ".codex");
  try {
    const home = realpathSync.native(path.resolve(processCwd, given));
    if (statSync(home).isDirectory()) return home;
  } catch (cause) {
    // The reference prints the system's words alone, so they come first.
    throw new UserError(`${explainSystemError(cause)}: CODEX_HOME is "${given}"`, { cause });
  }
  throw new UserError(`Not a directory (os error 20): CODEX_HOME is "${given}"`);
}

export function userHome(env: Environment): string {
  const home = env["HOME"];
  if (home !== undefined && home !== "") return home;
  try {
    return userInfo().homedir;
  } catch (cause) {
    throw new UserError("Cannot find your home directory: set HOME or CODEX_HOME.", { cause });
  }
}
