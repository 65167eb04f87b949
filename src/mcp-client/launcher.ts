import { lstatSync } from "node:fs";
import path from "node:path";
import type { Environment } from "../lib/environment.ts";
import type { Steps } from "../lib/steps.ts";
import { findByLauncher } from "./launch-problem.ts";

interface Started {
  readonly command: string;
  readonly args: readonly string[];
  /** Where the server would start, if the user has not said where. */
  readonly cwd: string;
  /** The server's. */
  readonly env: Environment;
  /** The folder is the choice of a call of `codex mcp`, and not of the user. */
  readonly isCwdOfCall: boolean;
}

/**
 * What of the working directory would run in the place of the server, in words; undefined when nothing would. There a
 * stranger's repository would be the server, outside the sandbox and with the server's token.
 */
export function* foundInstead({ command, args, cwd, env, isCwdOfCall }: Started): Steps<string | undefined> {
  const found = yield* findByLauncher({ command, args }, { cwd, env });
  if (found !== undefined || !isCwdOfCall) return found;
  const file = relativeFile([command, ...args], cwd);
  return file && `${command} would run ${JSON.stringify(file)}`;
}

/** What a relative name of the configuration means in a folder that a call has chosen. A folder is only what is worked on. */
function relativeFile(words: readonly string[], cwd: string): string | undefined {
  for (const [at, word] of words.entries()) {
    const name = /^-[^=]*=(.+)$/.exec(word)?.[1] ?? word;
    if (name === "" || path.isAbsolute(name)) continue;
    const isProgram = at === 0 ? name.includes("/") : !name.startsWith("-");
    if (!isProgram) continue;
    const runsFolders =
      at > 0 && /^(?:node|nodejs|deno|bun|tsx|ts-node|python[\d.]*|ruby|perl|php)$/.test(programName(words[0] ?? ""));
    const file = path.resolve(cwd, name);
    const stat = statOf(file);
    if (stat !== undefined && (runsFolders || !stat.isDirectory())) return file;
  }
  return undefined;
}

/** `/usr/bin/node` and `node.exe` are node. */
function programName(word: string): string {
  return (word.split(/[/\\]/).at(-1) ?? "").toLowerCase().replace(/\.exe$/, "");
}

/** Of a link itself, wherever it leads. */
function statOf(file: string): ReturnType<typeof lstatSync> {
  try {
    return lstatSync(file, { throwIfNoEntry: false });
  } catch {
    return undefined; // behind a folder that is not ours to look into
  }
}
