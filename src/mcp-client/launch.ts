import path from "node:path";
import { splitWords } from "../lib/split-words.ts";

/** What a server's command line asks a launcher for: a program that the launcher then finds on its own. */
export type Launch =
  /** Runs what `node_modules` has, else what it fetches. `words` are as they were given, with their versions. */
  | {
      readonly kind: "fetch";
      readonly launcher: FetchLauncher;
      readonly words: readonly string[];
      readonly packages: readonly string[];
    }
  /** Runs what the project itself has: its scripts, its `node_modules/.bin`. */
  | { readonly kind: "project"; readonly launcher: string; readonly program: string }
  | { readonly kind: "python"; readonly module: string }
  | { readonly kind: "uv run"; readonly program: string | undefined }
  | { readonly kind: "uvx"; readonly launcher: "uvx" }
  | { readonly kind: "pipx run"; readonly program: string };

export type FetchLauncher = "npx" | "bunx" | "bunx --bun" | "pnpm dlx" | "yarn dlx";

/** Undefined for any other command line, and for one that names the folder to look in: that is the user's decision. */
export function readLaunch(command: string, args: readonly string[]): Launch | undefined {
  const name = path.basename(command).replace(/\.(?:cmd|exe|ps1)$/i, "");
  const [first = "", ...rest] = args;
  switch (name) {
    case "npx":
      return readNpmExec(args);
    case "npm":
      return readNpm(args);
    case "bunx":
      return readFetch("bunx", args);
    case "bun":
    case "pnpm":
    case "yarn":
      return readManager(name, args);
    case "pnpx":
      return readFetch("pnpm dlx", args);
    case "uv":
      return readUv(args);
    case "uvx":
      return namesFolder(readOptions(args, uvValued)) ? undefined : { kind: "uvx", launcher: "uvx" };
    case "pipx": {
      const program = readOptions(rest, pipxValued).words[0];
      return first === "run" && program !== undefined ? { kind: "pipx run", program } : undefined;
    }
    case "env":
      return readEnv(args);
    case "cmd":
      return /^\/c$/i.test(first) ? readWords(rest) : undefined;
    case "sh":
    case "bash":
    case "dash":
    case "zsh":
      return readShell(args);
  }
  if (/^python[\d.]*$/.test(name) || name === "py") return readPython(args);
  // `op run -- npx ...`, `mise exec -- npx ...`
  const end = args.indexOf("--");
  return end === -1 ? undefined : readWords(args.slice(end + 1));
}

function readWords([command, ...args]: readonly string[]): Launch | undefined {
  return command === undefined ? undefined : readLaunch(command, args);
}

interface Options {
  /** By name without dashes, each with all of its values. */
  readonly values: ReadonlyMap<string, readonly string[]>;
  /** From the first word that is no option. */
  readonly words: readonly string[];
}

/** Options up to the first word that is none. `valued` are those whose value is the next word. */
function readOptions(args: readonly string[], valued: readonly string[]): Options {
  const values = new Map<string, string[]>();
  let at = 0;
  for (; at < args.length; at += 1) {
    const word = args[at] ?? "";
    if (!word.startsWith("-") || word === "-") break;
    if (word === "--") {
      at += 1;
      break;
    }
    const [, name = "", inline] = /^--?([^=]*)(?:=(.*))?$/s.exec(word) ?? [];
    const value = inline ?? (valued.includes(name) ? (args[++at] ?? "") : "");
    values.set(name, [...(values.get(name) ?? []), value]);
  }
  return { values, words: args.slice(at) };
}

/** Options with a value, and those among them by which the user says where the launcher looks. */
const folderOptions = ["prefix", "C", "dir", "cwd", "directory", "project"];
const npmValued = [
  ...["package", "p", "call", "c", "cache", "userconfig", "globalconfig", "registry", "workspace", "w", "loglevel"],
  ...[
    "script-shell",
    "shell",
    "node-options",
    "tag",
    "before",
    "allow-scripts",
    "filter",
    "F",
    "reporter",
    "allow-build",
  ],
  ...folderOptions,
];
const uvValued = [...folderOptions, "config-file", "cache-dir", "color", "from"];
const pipxValued = ["spec", "python", "index-url", "i", "pip-args", "with", "backend"];

function namesFolder({ values }: Options): boolean {
  return folderOptions.some((name) => values.has(name));
}

function readNpm(args: readonly string[]): Launch | undefined {
  const options = readOptions(args, npmValued);
  const [verb, ...rest] = options.words;
  if (namesFolder(options)) return undefined;
  // Options count on both sides of the verb.
  if (verb === "exec" || verb === "x") return readNpmExec([...args.slice(0, args.indexOf(verb)), ...rest]);
  return verb === "run" || verb === "run-script" ? readProject(`npm ${verb}`, rest) : undefined;
}

function readNpmExec(args: readonly string[]): Launch | undefined {
  const options = readOptions(args, npmValued);
  if (namesFolder(options)) return undefined;
  const { values, words } = options;
  const packages = [...(values.get("package") ?? []), ...(values.get("p") ?? [])];
  const calls = [...(values.get("call") ?? []), ...(values.get("c") ?? [])];
  const called = calls.flatMap((call) => simpleCommands(call).flatMap(([word = ""]) => word));
  const names = calls.length > 0 ? called : words.slice(0, 1);
  // With a package named, its programs come first.
  if (packages.length > 0) return { kind: "fetch", launcher: "npx", words: [], packages };
  if (names.length === 0) return undefined;
  return { kind: "fetch", launcher: "npx", words: names, packages: calls.length > 0 ? [] : names };
}

function readFetch(launcher: "bunx" | "pnpm dlx" | "yarn dlx", args: readonly string[]): Launch | undefined {
  const options = readOptions(args, npmValued);
  if (namesFolder(options)) return undefined;
  const { values, words } = options;
  const isPackageNamed = values.has("package") || values.has("p");
  const isBun = launcher === "bunx" && (values.has("bun") || values.has("b"));
  const program = isPackageNamed ? [] : words.slice(0, 1);
  return { kind: "fetch", launcher: isBun ? "bunx --bun" : launcher, words: program, packages: program };
}

function readManager(manager: "bun" | "pnpm" | "yarn", args: readonly string[]): Launch | undefined {
  const options = readOptions(args, npmValued);
  if (namesFolder(options)) return undefined;
  const [verb, ...rest] = options.words;
  if (verb === undefined) return undefined;
  if (manager === "bun" && verb === "x") return readFetch("bunx", rest);
  if (manager !== "bun" && verb === "dlx") return readFetch(`${manager} dlx`, rest);
  if (verb === "run" || (manager !== "bun" && verb === "exec")) return readProject(`${manager} ${verb}`, rest);
  return { kind: "project", launcher: manager, program: verb }; // `yarn NAME` is short for `yarn run NAME`
}

function readProject(launcher: string, args: readonly string[]): Launch | undefined {
  const options = readOptions(args, npmValued);
  const [program] = options.words;
  return program === undefined || namesFolder(options) ? undefined : { kind: "project", launcher, program };
}

function readUv(args: readonly string[]): Launch | undefined {
  const before = readOptions(args, uvValued);
  const [verb, ...rest] = before.words;
  if (namesFolder(before)) return undefined;
  if (verb === "tool" && rest[0] === "run") return { kind: "uvx", launcher: "uvx" };
  if (verb !== "run") return undefined;
  const after = readOptions(rest, [...uvValued, "with", "with-editable", "python", "p", "package", "extra", "group"]);
  const isApart = ["no-project", "script", "s"].some((name) => after.values.has(name));
  return namesFolder(after) || isApart ? undefined : { kind: "uv run", program: after.words[0] };
}

/** `-I`, `-P` and PYTHONSAFEPATH keep Python from looking where it was started. */
function readPython(args: readonly string[]): Launch | undefined {
  for (let at = 0; at < args.length; at += 1) {
    const word = args[at] ?? "";
    const [, letters, module] = /^-([a-zA-Z]*?)m(.*)$/s.exec(word) ?? [];
    if (letters !== undefined && !/[cWX]/.test(letters)) {
      const name = module === "" ? args[at + 1] : module;
      return name === undefined || /[IP]/.test(letters) ? undefined : { kind: "python", module: name };
    }
    if (!/^-[a-zA-Z]/.test(word) || /^-[a-zA-Z]*[cIP]/.test(word)) return undefined;
    if (word === "-W" || word === "-X") at += 1;
  }
  return undefined;
}

function readEnv(args: readonly string[]): Launch | undefined {
  const { values, words } = readOptions(args, ["u", "unset", "C", "chdir", "S", "split-string"]);
  if (values.has("C") || values.has("chdir")) return undefined;
  const split = [...(values.get("S") ?? []), ...(values.get("split-string") ?? [])];
  return readCommand([...split.flatMap((text) => splitWords(text) ?? []), ...words]);
}

/** `sh -c "..."`, `bash -lc "..."`: the first of its commands that is a launcher's, unless they change the folder. */
function readShell(args: readonly string[]): Launch | undefined {
  const at = args.findIndex((word) => /^-[a-z]*c$/.test(word));
  const commands = at === -1 ? [] : simpleCommands(args[at + 1] ?? "");
  if (commands.some(([program]) => program === "cd" || program === "pushd")) return undefined;
  for (const words of commands) {
    const launch = readCommand(words);
    if (launch !== undefined) return launch;
  }
  return undefined;
}

/** The commands of a plain script. What expands or nests is not followed. */
function simpleCommands(text: string): readonly (readonly string[])[] {
  return text.split(/&&|\|\||[;|\n]/).flatMap((part) => {
    const words = splitWords(part) ?? [];
    return words.length === 0 ? [] : [words[0] === "exec" ? words.slice(1) : words];
  });
}

/** A command after its assignments. */
function readCommand(words: readonly string[]): Launch | undefined {
  const start = words.findIndex((word) => !/^\w+=/.test(word));
  if (words.slice(0, start).some((word) => word.startsWith("PYTHONSAFEPATH="))) return undefined;
  return start === -1 ? undefined : readWords(words.slice(start));
}
