import { type Dirent, existsSync, readdirSync, realpathSync } from "node:fs";
import path from "node:path";
import { isRecord, parseJson } from "../lib/parse-json.ts";
import { readRegularFile } from "../lib/read-regular-file.ts";
import type { Steps } from "../lib/steps.ts";

type Manifest = Readonly<Record<string, unknown>>;

/** Undefined for anything that is no package.json, which npm passes over, too. */
export function readManifest(file: string): Manifest | undefined {
  try {
    const parsed = parseJson(
      readRegularFile(file)
        .toString()
        .replace(/^\uFEFF/, ""),
    );
    return parsed.ok && isRecord(parsed.value) ? parsed.value : undefined;
  } catch {
    return undefined;
  }
}

/** The nearest folder that npm takes for a project, and those above it that may have it for a workspace. */
export function npmProjects(folders: readonly string[]): readonly string[] {
  const marks = ["package.json", "node_modules"];
  const nearest = folders.findIndex((folder) => marks.some((mark) => existsSync(path.join(folder, mark))));
  if (nearest === -1) return [];
  const above = folders.slice(nearest + 1);
  const roots = above.filter((folder) => readManifest(path.join(folder, "package.json"))?.["workspaces"] !== undefined);
  return [...folders.slice(nearest, nearest + 1), ...roots];
}

/** The names of a package's programs. */
export function binsOf(manifest: Manifest | undefined, folder: string): readonly string[] {
  const { bin, name, directories } = manifest ?? {};
  if (typeof bin === "string") return typeof name === "string" ? [path.posix.basename(name)] : [];
  if (isRecord(bin)) return Object.keys(bin).map((key) => path.posix.basename(key.replace(/[\\:]/g, "/")));
  const listed = isRecord(directories) ? directories["bin"] : undefined;
  return typeof listed === "string" ? entriesOf(path.join(folder, listed)).map((entry) => entry.name) : [];
}

export function scriptsOf(manifest: Manifest | undefined): readonly string[] {
  return isRecord(manifest?.["scripts"]) ? Object.keys(manifest["scripts"]) : [];
}

/**
 * The file by which npm takes a package for installed already: the project's own, one anywhere in its `node_modules`, or
 * one that the list of installed packages there names. What such a package says of its programs is then believed.
 */
export function* findLocalPackage(spec: string, project: string): Steps<string | undefined> {
  const wanted = readSpec(spec);
  if (wanted === undefined) return undefined;
  const own = path.join(project, "package.json");
  if (satisfies(readManifest(own), wanted)) return own;
  const modules = path.join(project, "node_modules");
  const list = path.join(modules, ".package-lock.json");
  const listed = readManifest(list)?.["packages"];
  for (const [place, entry] of Object.entries(isRecord(listed) ? listed : {})) {
    const name = place.slice(place.lastIndexOf("node_modules/") + "node_modules/".length);
    if (isRecord(entry) && satisfies({ name, ...entry }, wanted)) return list;
  }
  yield;
  return yield* findBelow(modules, { wanted, seen: new Set() });
}

function* findBelow(
  modules: string,
  search: { readonly wanted: Spec; readonly seen: Set<string> },
): Steps<string | undefined> {
  for (const entry of entriesOf(modules)) {
    if (entry.name.startsWith(".") || entry.isFile()) continue;
    const folder = path.join(modules, entry.name);
    if (entry.isSymbolicLink()) {
      const real = realFolder(folder);
      if (real === undefined || search.seen.has(real)) continue;
      search.seen.add(real); // links may lead in a circle
    }
    const manifest = path.join(folder, "package.json");
    if (satisfies(readManifest(manifest), search.wanted)) return manifest;
    yield;
    const isScope = entry.name.startsWith("@");
    const found = yield* findBelow(isScope ? folder : path.join(folder, "node_modules"), search);
    if (found !== undefined) return found;
  }
  return undefined;
}

interface Spec {
  readonly name: string;
  readonly version: string | undefined;
}

/** `name`, `@scope/name`, each with a version, a range or a tag; undefined for addresses and paths. */
function readSpec(text: string): Spec | undefined {
  const [, name, version] = /^((?:@[\w.~-]+\/)?[\w~-][\w.~-]*)(?:@(.*))?$/s.exec(text) ?? [];
  if (name === undefined) return undefined;
  if (version?.startsWith("npm:")) return readSpec(version.slice("npm:".length));
  return { name, version: version === "" || version === "*" ? undefined : version };
}

function satisfies(manifest: Manifest | undefined, { name, version: wanted }: Spec): boolean {
  if (manifest?.["name"] !== name) return false;
  if (wanted === undefined) return true;
  const version = String(manifest["version"] ?? "");
  if (/^\d+\.\d+\.\d+/.test(wanted)) return version === wanted;
  // A tag is looked up, and compared with the address from which the package says that it came.
  if (/^[a-z]/i.test(wanted) && !/^[vx](?:\d|$)/i.test(wanted)) return typeof manifest["resolved"] === "string";
  const [, major] = /^[\^~=v]?\s*(\d+)[\d.x*]*$/.exec(wanted) ?? [];
  return major === undefined || version.startsWith(`${major}.`); // other ranges may well fit
}

function entriesOf(folder: string): readonly Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}

function realFolder(folder: string): string | undefined {
  try {
    return realpathSync.native(folder);
  } catch {
    return undefined;
  }
}
