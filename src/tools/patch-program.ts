import path from "node:path";
import { programFile } from "../assets.ts";
import type { Environment } from "../lib/environment.ts";

const names = ["apply_patch", "applypatch"] as const;

/** Our environment with a folder first in PATH that holds `apply_patch`, for scripts that call it among other commands. */
export function withPatchProgram(env: Environment): Environment {
  const { PATH } = env;
  return PATH === undefined ? env : { ...env, PATH: `${programFile("path")}${path.delimiter}${PATH}` };
}

/** A login shell makes a PATH of its own, so bash gets functions where a command names the program. */
export function patchFunctions(command: readonly string[]): Readonly<Record<string, string>> {
  if (!command.some((word) => names.some((name) => word.includes(name)))) return {};
  const program = [process.execPath, path.join(programFile(".."), "bin", "codex.js")].map(quote).join(" ");
  return Object.fromEntries(names.map((name) => [`BASH_FUNC_${name}%%`, `() { ${program} apply_patch "$@"; }`]));
}

function quote(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
