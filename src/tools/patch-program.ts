import path from "node:path";
import { programFile } from "../assets.ts";

const names = ["apply_patch", "applypatch"] as const;

/**
 * Variables that let a script call `apply_patch` among other commands. A login shell makes a PATH of its own (spec core
 * D20), so bash gets a function instead of a folder. Empty for commands that name no such program.
 */
export function patchProgramVariables(command: readonly string[]): Readonly<Record<string, string>> {
  if (!command.some((word) => names.some((name) => word.includes(name)))) return {};
  const program = [process.execPath, path.join(programFile(".."), "bin", "codex.js")].map(quote).join(" ");
  return Object.fromEntries(names.map((name) => [`BASH_FUNC_${name}%%`, `() { ${program} apply_patch "$@"; }`]));
}

function quote(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
