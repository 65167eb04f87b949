import { readdirSync, statSync } from "node:fs";
import path from "node:path";
import type { McpServerConfig } from "../config/config.ts";
import type { Environment } from "../lib/environment.ts";
import { readRegularFile } from "../lib/read-regular-file.ts";
import type { Steps } from "../lib/steps.ts";
import { type Launch, readLaunch } from "./launch.ts";
import { findLauncherSetting } from "./launcher-settings.ts";
import { binsOf, findLocalPackage, npmProjects, readManifest, scriptsOf } from "./local-package.ts";

/** What a launcher would take of the working directory, or follow there, in words; undefined where it is nothing. */
export function* findByLauncher(
  { command, args }: Pick<McpServerConfig, "command" | "args">,
  { cwd, env }: { readonly cwd: string; readonly env: Environment },
): Steps<string | undefined> {
  const launch = readLaunch(command, args);
  return launch && (yield* findTaken(launch, { folders: foldersAbove(cwd, env), env }));
}

interface Repository {
  /** From the working directory upwards. */
  readonly folders: readonly string[];
  readonly env: Environment;
}

function* findTaken(launch: Launch, { folders, env }: Repository): Steps<string | undefined> {
  switch (launch.kind) {
    case "fetch": {
      const setting = findLauncherSetting(launch, { folders, env });
      if (setting !== undefined) return `${launch.launcher} would follow ${setting}`;
      const file = yield* findFetched(launch, folders);
      return file && `${launch.launcher} would run ${quote(file)}`;
    }
    case "project": {
      const setting = findLauncherSetting(launch, { folders, env });
      const file = findOfProject(launch, folders);
      if (file !== undefined) return `${launch.launcher} would run ${quote(file)}`;
      return setting && `${launch.launcher} would follow ${setting}`;
    }
    case "python": {
      const file = env["PYTHONSAFEPATH"] ? undefined : findModule(launch.module, folders[0] ?? "");
      return file && `python -m would run ${quote(file)}`;
    }
    case "uv run": {
      const file = findUvProject(launch.program, folders);
      return file && `uv run would use ${quote(file)}`;
    }
    case "uvx": {
      const setting = findLauncherSetting(launch, { folders, env });
      return setting && `uvx would follow ${setting}`;
    }
    case "pipx run": {
      const names = [launch.program, "__pypackages__"].map((name) => path.resolve(folders[0] ?? "", name));
      const isPath = launch.program.includes("/");
      const file = isPath ? undefined : names.find((name) => isThere(name));
      return file && `pipx run would run ${quote(file)}`;
    }
    default:
      launch satisfies never;
  }
}

type Fetch = Extract<Launch, { kind: "fetch" }>;

/**
 * As npm 11 and bun 1.4 do it. `pnpm dlx` and `yarn dlx` of today run nothing of `node_modules`; a program of the very name
 * is taken for what is meant all the same.
 */
function* findFetched({ launcher, words, packages }: Fetch, folders: readonly string[]): Steps<string | undefined> {
  if (launcher === "pnpm dlx" || launcher === "yarn dlx") {
    return findInBin(
      words.filter((word) => !/^[./~]/.test(word)).map((word) => path.basename(word)),
      folders,
    );
  }
  if (launcher !== "npx") {
    const plain = words.filter((word) => !word.slice(1).includes("@")); // with a version, bun looks nowhere
    const names = plain.map((word) => path.basename(word));
    const manifests = folders.flatMap((folder) => plain.map((word) => manifestIn(folder, word)));
    // A program that starts with `#!/usr/bin/env node` is run by the repository's, if it has one.
    return findInBin([...names, "node"], folders) ?? manifests.find((file) => isThere(file));
  }
  const inBin = findInBin([...words.filter((word) => !/^[./~]/.test(word)), "node", "sh"], folders);
  if (inBin !== undefined) return inBin;
  for (const folder of npmProjects(folders)) {
    const manifest = path.join(folder, "package.json");
    const bins = binsOf(readManifest(manifest), folder);
    if (words.some((word) => bins.includes(word))) return manifest;
    for (const spec of packages) {
      const found = yield* findLocalPackage(spec, folder);
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

function manifestIn(folder: string, name: string): string {
  return path.join(folder, "node_modules", name, "package.json");
}

function findOfProject(
  { launcher, program }: Extract<Launch, { kind: "project" }>,
  folders: readonly string[],
): string | undefined {
  if (/^[./~]/.test(program)) return undefined; // a path that the user wrote
  const manifests = folders.map((folder) => path.join(folder, "package.json"));
  const script = launcher.endsWith(" exec")
    ? undefined
    : manifests.find((file) => scriptsOf(readManifest(file)).includes(program));
  return script ?? (launcher.startsWith("npm ") ? undefined : findInBin([program], folders));
}

function findInBin(names: readonly string[], folders: readonly string[]): string | undefined {
  const files = folders.flatMap((folder) => names.map((name) => path.join(folder, "node_modules/.bin", name)));
  return files.find((file) => isThere(file, "file"));
}

/** The folder in which Python starts comes first among those it imports from. */
function findModule(module: string, folder: string): string | undefined {
  const [name = ""] = module.split(".");
  if (name === "") return undefined;
  const packages = ["__init__.py", "__main__.py"].map((file) => path.join(folder, name, file));
  const isModule = (file: string) => file.startsWith(`${name}.`) && /\.(?:pyc?|so)$/.test(file);
  const modules = entriesOf(folder).filter(isModule);
  return packages.find((file) => isThere(file)) ?? modules.map((file) => path.join(folder, file))[0];
}

/** uv installs the project, which runs code of it, and starts the program from its environment. */
function findUvProject(program: string | undefined, folders: readonly string[]): string | undefined {
  if (program?.endsWith(".py") === true && hasOwnDependencies(path.resolve(folders[0] ?? "", program)))
    return undefined;
  const files = folders.flatMap((folder) => ["pyproject.toml", ".venv"].map((name) => path.join(folder, name)));
  return files.find((file) => isThere(file));
}

/** A script with dependencies in a comment (PEP 723) has an environment apart from the project's. */
function hasOwnDependencies(script: string): boolean {
  try {
    return /^# \/\/\/ script\s*$/m.test(readRegularFile(script).toString());
  } catch {
    return false; // uv will say what is wrong with it
  }
}

/**
 * Launchers look upwards. What lies in the home folder and above is the user's own; a nearer `.git` is no border, since a
 * command can make one.
 */
function foldersAbove(folder: string, env: Environment): readonly string[] {
  const above = path.dirname(folder);
  return above === folder || above === env["HOME"] ? [folder] : [folder, ...foldersAbove(above, env)];
}

function entriesOf(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // one that nobody can look into has nothing to run
  }
}

function isThere(file: string, kind?: "file"): boolean {
  try {
    const stat = statSync(file, { throwIfNoEntry: false });
    return stat !== undefined && (kind === undefined || stat.isFile());
  } catch {
    return false; // a file in the place of a folder, for example
  }
}

function quote(file: string): string {
  return JSON.stringify(file);
}
