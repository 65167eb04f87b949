import path from "node:path";
import { parseTomlFile, type TomlValues } from "../config/parse-toml.ts";
import type { Environment } from "../lib/environment.ts";
import { isRecord, parseJson } from "../lib/parse-json.ts";
import { readRegularFile } from "../lib/read-regular-file.ts";
import type { Launch } from "./launch.ts";
import { npmProjects } from "./local-package.ts";

/** npm: each of these makes it run, or fetch, something else. Tried one by one with npm 11. */
const npmKeys = ["script-shell", "node-options", "package", "userconfig", "cache", "prefix", "workspace"];
const npmProxies = ["proxy", "http-proxy", "https-proxy"];
const publicRegistries = ["https://registry.npmjs.org", "https://registry.yarnpkg.com"];
/** Nearly every server depends on a package of this scope. */
const commonScope = "@modelcontextprotocol";

interface Repository {
  readonly folders: readonly string[];
  readonly env: Environment;
}

/** The key and file, for people, by which the repository decides what a launcher runs. */
export function findLauncherSetting(
  launch: Extract<Launch, { kind: "fetch" | "project" | "uvx" }>,
  { folders, env }: Repository,
): string | undefined {
  const { launcher } = launch;
  const scopes = launch.kind === "fetch" ? launch.packages.flatMap((spec) => /^@[^/]+/.exec(spec)?.[0] ?? []) : [];
  const isNpm = launcher === "npx" || launcher.startsWith("npm ");
  const projects = isNpm ? npmProjects(folders) : folders;
  // Where nothing is a project, npm takes the working directory for one.
  const withNpmrc = projects.length > 0 ? projects : folders.slice(0, 1);
  for (const folder of folders) {
    const found =
      (withNpmrc.includes(folder) && (isNpm || launcher === "pnpm dlx")
        ? findInNpmrc(folder, { env, isNpm, scopes })
        : undefined) ??
      (launcher === "pnpm dlx" ? findWord(path.join(folder, "pnpm-workspace.yaml"), pnpmWords) : undefined) ??
      (launcher.startsWith("yarn") ? findOfYarn(folder) : undefined) ??
      (launcher === "uvx" ? findOfUv(folder) : undefined) ??
      (launcher === "bunx --bun" ? findPreload(path.join(folder, "bunfig.toml")) : undefined);
    if (found !== undefined) return `\`${found.key}\` in ${JSON.stringify(found.file)}`;
  }
  return undefined;
}

interface Setting {
  readonly key: string;
  readonly file: string;
}

interface NpmrcReading {
  readonly env: Environment;
  readonly isNpm: boolean;
  readonly scopes: readonly string[];
}

/** A line that stands in the user's own file as well is a decision of theirs. */
function findInNpmrc(folder: string, { env, isNpm, scopes }: NpmrcReading): Setting | undefined {
  const file = path.join(folder, ".npmrc");
  const lines = readNpmrc(file);
  if (lines.length === 0) return undefined;
  const own = env["HOME"] === undefined ? [] : readNpmrc(path.join(env["HOME"], ".npmrc"));
  const isOwn = (line: NpmrcLine) => own.some(({ key, value }) => key === line.key && value === line.value);
  const registries = ["registry", ...[...scopes, commonScope].map((scope) => `${scope}:registry`)];
  const isElsewhere = ({ key, value }: NpmrcLine) => {
    if (registries.includes(key)) return !publicRegistries.includes(value.replace(/\/+$/, ""));
    return npmProxies.includes(key) || (isNpm && npmKeys.includes(key));
  };
  const key = lines.find((line) => isElsewhere(line) && !isOwn(line))?.key;
  return key === undefined ? undefined : { key, file };
}

interface NpmrcLine {
  readonly key: string;
  readonly value: string;
}

function readNpmrc(file: string): readonly NpmrcLine[] {
  return linesOf(file).flatMap((line) => {
    const [, key, value] = /^\s*([^#;[=][^=]*?)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    return key === undefined ? [] : [{ key: unquote(key).replace(/\[\]$/, ""), value: unquote(value ?? "") }];
  });
}

function unquote(text: string): string {
  if (/^'.*'$/.test(text)) return text.slice(1, -1);
  const parsed = /^".*"$/.test(text) ? parseJson(text) : undefined;
  return parsed?.ok === true && typeof parsed.value === "string" ? parsed.value : text;
}

const pnpmWords = /\bregistr(?:y|ies)\b/;
const yarnWords = /\b(?:yarnPath|plugins|npmRegistryServer|npmScopes|httpProxy|httpsProxy)\b/;

/** Yarn hands over to the release that a repository brings along, in its older file as well as in the newer. */
function findOfYarn(folder: string): Setting | undefined {
  return (
    findWord(path.join(folder, ".yarnrc.yml"), yarnWords) ?? findWord(path.join(folder, ".yarnrc"), /\byarn-path\b/)
  );
}

/** A key of YAML can be spelt in many ways, with an escape for any letter: where one is, it counts. */
function findWord(file: string, word: RegExp): Setting | undefined {
  for (const line of linesOf(file)) {
    if (/^\s*#/.test(line)) continue;
    const key = word.exec(line)?.[0] ?? (/\\[xuU]/.test(line) ? "\\" : undefined);
    if (key !== undefined) return { key, file };
  }
  return undefined;
}

const uvIndex =
  /^\s*"?((?:index|extra-index|default-index)(?:-url)?|find-links|sources|\[\[?(?:tool\.uv\.)?(?:index|sources))/;

function findOfUv(folder: string): Setting | undefined {
  const project = path.join(folder, "pyproject.toml");
  const isUvs = linesOf(project).some((line) => /^\s*\[+\s*tool\s*\.\s*uv\b/.test(line));
  for (const file of [path.join(folder, "uv.toml"), ...(isUvs ? [project] : [])]) {
    const key = linesOf(file).flatMap((line) => uvIndex.exec(line)?.[1] ?? [])[0];
    if (key !== undefined) return { key, file };
  }
  return undefined;
}

function findPreload(file: string): Setting | undefined {
  let values: TomlValues;
  try {
    values = parseTomlFile(linesOf(file).join("\n"), file);
  } catch {
    return undefined; // bun will not start either
  }
  const { preload, run } = values;
  const isSet = preload !== undefined || (isRecord(run) && run["preload"] !== undefined);
  return isSet ? { key: "preload", file } : undefined;
}

function linesOf(file: string): readonly string[] {
  try {
    return readRegularFile(file)
      .toString()
      .replace(/^\uFEFF/, "")
      .split(/\r?\n|\r/);
  } catch {
    return []; // none, or one that the launcher cannot read either
  }
}
