import { lstatSync } from "node:fs";
import path from "node:path";
import type { Environment } from "../lib/environment.ts";
import { parseJson } from "../lib/parse-json.ts";
import { readFileStart } from "../lib/read-regular-file.ts";
import { splitWords } from "../lib/split-words.ts";

// A launcher is named a package and prefers what the working directory holds of that name. There a stranger's repository
// would be the server, outside the sandbox and with the server's token. What is preferred, and when, was tried out with
// npm 11; the others are taken to do as their documentation says.

interface Started {
  readonly command: string;
  readonly args: readonly string[];
  /** Where the server would start, if the user has not said where. */
  readonly cwd: string;
  readonly env: Environment;
  /** The folder is the choice of a call of `codex mcp`, and not of the user. */
  readonly isCwdOfCall: boolean;
}

/** What of the working directory would run in the place of the server, in words; undefined when nothing would. */
export function foundInstead({ command, args, cwd, env, isCwdOfCall }: Started): string | undefined {
  const words = [command, ...args.flatMap((arg) => (/\s/.test(arg) ? (splitWords(arg) ?? arg.split(/\s+/)) : [arg]))];
  const program = programName(command);
  if (!elsewhere.has(program)) {
    for (const [at, word] of words.entries()) {
      const found = byLauncher(programName(word), words.slice(at + 1), { cwd, env });
      if (found !== undefined) return found;
    }
  }
  return isCwdOfCall ? relativeFile(words, cwd) : undefined;
}

/** These start programs where our working directory is not. */
const elsewhere: ReadonlySet<string> = new Set(["docker", "podman", "nerdctl", "kubectl", "ssh", "wsl"]);

interface Place {
  readonly cwd: string;
  readonly env: Environment;
}

function byLauncher(launcher: string, words: readonly string[], place: Place): string | undefined {
  switch (launcher) {
    case "npx":
    case "pnpx":
      return fromPackages(npmPackages(words), place) ?? fromSettings(npmSettings, place);
    case "npm":
      if (!["exec", "x"].includes(firstOf(words) ?? "")) return undefined;
      return fromPackages(npmPackages(behindFirst(words)), place) ?? fromSettings(npmSettings, place);
    case "pnpm":
      if (!["dlx", "exec"].includes(firstOf(words) ?? "")) return undefined;
      return fromPackages(npmPackages(behindFirst(words)), place) ?? fromSettings(npmSettings, place);
    case "yarn":
      if (!["dlx", "exec"].includes(firstOf(words) ?? "")) return undefined;
      return fromPackages(npmPackages(behindFirst(words)), place) ?? fromSettings(yarnSettings, place);
    case "bunx":
      return fromPackages(npmPackages(words), place) ?? fromSettings(bunSettings, place);
    case "bun":
      if (firstOf(words) !== "x") return undefined;
      return fromPackages(npmPackages(behindFirst(words)), place) ?? fromSettings(bunSettings, place);
    case "uvx":
      return fromSettings(uvSettings, place);
    case "uv":
      if (firstOf(words) !== "tool") return undefined;
      return fromSettings(uvSettings, place);
    default:
      return /^(?:python[\d.]*|py|pypy[\d.]*)$/.test(launcher) ? fromModule(words, place) : undefined;
  }
}

const firstOf = (words: readonly string[]) => words.find((word) => !word.startsWith("-"));

function behindFirst(words: readonly string[]): readonly string[] {
  return words.slice(words.findIndex((word) => !word.startsWith("-")) + 1);
}

/** `/usr/bin/npx` and `npx.cmd` are npx. */
function programName(word: string): string {
  return (word.split(/[/\\]/).at(-1) ?? "").toLowerCase().replace(/\.(?:exe|cmd|bat|ps1)$/, "");
}

/** The packages that are named, and the command, without their versions. A relative or absolute path is nobody's package. */
function npmPackages(words: readonly string[]): readonly string[] {
  const names: string[] = [];
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? "";
    const long = /^--package=(.+)$/.exec(word)?.[1];
    if (long !== undefined) names.push(long);
    else if (word === "-p" || word === "--package") names.push(words[++at] ?? "");
    else if (word === "-c" || word === "--call") names.push((words[++at] ?? "").split(/\s/)[0] ?? "");
    else if (word !== "--" && !word.startsWith("-")) return [...names, word].flatMap(packageName);
  }
  return names.flatMap(packageName);
}

function packageName(word: string): readonly string[] {
  const name = /^(@[^/@]+\/[^/@]+|[^@/.:][^@/:]*)(?:@.*)?$/.exec(word)?.[1];
  return name === undefined ? [] : [name];
}

function fromPackages(names: readonly string[], { cwd, env }: Place): string | undefined {
  for (const folder of foldersAbove(cwd, env)) {
    for (const name of names) {
      const bare = name.split("/").at(-1) ?? name;
      const places = [`node_modules/.bin/${bare}`, `node_modules/.bin/${bare}.cmd`, `node_modules/${name}`];
      const found = places.find((place) => isThere(path.join(folder, place)));
      if (found !== undefined) return path.join(folder, found);
      if (isOwnProgram(folder, { name, bare })) return `${path.join(folder, "package.json")} (its "bin")`;
    }
  }
  return undefined;
}

/** npx runs a program of the package that it is started in. */
function isOwnProgram(folder: string, { name, bare }: { readonly name: string; readonly bare: string }): boolean {
  const found = parseJson(textOf(path.join(folder, "package.json")) ?? "");
  if (!found.ok || typeof found.value !== "object" || found.value === null) return false;
  const { name: own, bin }: { readonly name?: unknown; readonly bin?: unknown } = found.value;
  if (bin === undefined) return false;
  return own === name || (typeof bin === "object" && bin !== null && (bare in bin || name in bin));
}

interface Settings {
  readonly file: string;
  /** Lines, or what stands there, that choose what runs. */
  readonly deciding: (text: string) => boolean;
}

/** What a project may say to npm without choosing a registry, a shell, a package or a command. */
const harmlessNpmKeys =
  /^(?:\/\/.*|save(?:-.*)?|engine-strict|fund|audit(?:-level)?|loglevel|progress|legacy-peer-deps|package-lock|prefer-(?:offline|online|dedupe)|strict-peer-deps|(?:strict|auto-install)-?peers?(?:-dependencies)?|update-notifier|ignore-scripts|shamefully-hoist|(?:public-)?hoist(?:-pattern)?(?:\[\])?|node-linker|link-workspace-packages|resolution-mode|shared-workspace-lockfile|lockfile|tag-version-prefix|message|sign-git-.*|fetch-.*|color|min-release-age|minimum-release-age)$/;

const npmSettings: readonly Settings[] = [
  {
    file: ".npmrc",
    deciding: (text) =>
      text.split(/\r?\n/).some((line) => {
        const key = /^\s*([^=;#\s][^=]*?)\s*(?:=|$)/.exec(line)?.[1];
        return key !== undefined && !harmlessNpmKeys.test(key);
      }),
  },
];

const yarnSettings: readonly Settings[] = [
  { file: ".yarnrc.yml", deciding: (text) => /^\s*(?:yarnPath|plugins|npmRegistryServer|npmScopes)\s*:/m.test(text) },
  { file: ".yarnrc", deciding: (text) => /^\s*"?(?:yarn-path|registry|--\S+)/m.test(text) },
  ...npmSettings,
];

const bunSettings: readonly Settings[] = [
  { file: "bunfig.toml", deciding: (text) => /^\s*(?:preload|registry|scopes|\[install[^\]]*\])/m.test(text) },
  ...npmSettings,
];

const index =
  /^\s*"?(?:index|index-url|extra-index-url|default-index|find-links|sources|\[\[?(?:tool\.uv\.)?(?:index|sources)[^\n]*)/m;
const uvSettings: readonly Settings[] = [
  { file: "uv.toml", deciding: (text) => index.test(text) },
  { file: "pyproject.toml", deciding: (text) => /^\s*\[+tool\.uv\b/m.test(text) && index.test(text) },
];

function fromSettings(settings: readonly Settings[], { cwd, env }: Place): string | undefined {
  for (const folder of foldersAbove(cwd, env)) {
    for (const { file, deciding } of settings) {
      const name = path.join(folder, file);
      const text = textOf(name);
      if (text === undefined ? isThere(name) : deciding(text)) return name;
    }
  }
  return undefined;
}

/** `python -m NAME` looks into the working directory first, unless it is told not to. */
function fromModule(words: readonly string[], { cwd, env }: Place): string | undefined {
  if (env["PYTHONSAFEPATH"]) return undefined;
  for (const [at, word] of words.entries()) {
    if (!word.startsWith("-")) return undefined;
    if (/^-[A-Za-z]*[PI]/.test(word) && !word.startsWith("--")) return undefined;
    const joined = /^-[A-Za-ln-z]*m(.+)$/.exec(word)?.[1];
    const module = joined ?? (/^-[A-Za-z]*m$/.test(word) ? words[at + 1] : undefined);
    if (module === undefined) continue;
    const [top = ""] = module.split(".");
    const found = [top, `${top}.py`, `${top}.pyc`].find((name) => isThere(path.join(cwd, name)));
    return found === undefined ? undefined : path.join(cwd, found);
  }
  return undefined;
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

/**
 * Package managers look upwards. What lies in the home folder and above is the user's own; a repository that was unpacked
 * without its `.git` looks like any folder.
 */
function foldersAbove(cwd: string, env: Environment): readonly string[] {
  const home = env["HOME"];
  const folders = [cwd];
  for (let folder = path.dirname(cwd); folder !== folders.at(-1); folder = path.dirname(folder)) {
    if (folder === home) break;
    folders.push(folder);
  }
  return folders;
}

const mostText = 1024 * 1024;

function textOf(file: string): string | undefined {
  try {
    return readFileStart(file, mostText)?.bytes.toString();
  } catch {
    return undefined; // a folder, or no file that can be read
  }
}

function isThere(file: string): boolean {
  return statOf(file) !== undefined;
}

/** Of a link itself, wherever it leads. */
function statOf(file: string): ReturnType<typeof lstatSync> {
  try {
    return lstatSync(file, { throwIfNoEntry: false });
  } catch {
    return undefined; // behind a folder that is not ours to look into
  }
}
