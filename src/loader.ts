import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Script } from "node:vm";

/** The files that the bundle consists of; put in by the build. */
declare const CODEX_PACKS: readonly string[];
/** What each of them begins with, another in every build; put in by the build. */
declare const CODEX_BUILD: string;

type Part = (
  exports: unknown,
  require: (id: string) => unknown,
  module: Module,
  folder: string,
  hold: () => void,
) => void;

interface Module {
  exports: unknown;
}

const folder = __dirname;
const modules = new Map<string, Module>();
const imported = new Map<string, unknown>();
const packs = new Map<string, Readonly<Record<string, Part>>>();
const held = new Map<string, Buffer | undefined>();

/** The compiled packs by file; the build takes their code from here after a run. */
export const scripts = new Map<string, Script>();

/**
 * Loads a part of a pack, `pack.cjs/number`, with the code that V8 compiled when the bundle was built: that halves the
 * time of a start. On another version of Node that code is refused, and the source is compiled as ever.
 */
export function load(name: string): unknown {
  const known = modules.get(name);
  if (known !== undefined) return known.exports;
  const module = { exports: {} };
  const part = readPack(name.slice(0, name.indexOf("/")))[name];
  if (part === undefined) throw new Error(`The build is not complete: ${name} is missing.`);
  part(module.exports, requireChunk, module, folder, hold);
  modules.set(name, module); // only now: what could not be loaded, as when no file can be opened, is tried again
  return module.exports;
}

/**
 * The build has written `./part/chunk` for a chunk, and `import:name` for what an import statement asks Node for.
 * Every chunk is an ES module. Without the mark, the code that esbuild writes for `import()` would take it for a CommonJS
 * module and replace its default export with the whole module.
 */
function requireChunk(id: string): unknown {
  if (id.startsWith("import:")) return importBuiltin(id.slice("import:".length));
  if (!id.startsWith("./")) return require(id);
  const end = id.lastIndexOf("/");
  const part = load(id.slice(2, end)) as Readonly<Record<string, unknown>>; // what the build has put there
  const chunk = part[id.slice(end + 1)];
  if (typeof chunk !== "object" || chunk === null) throw new Error(`The build is not complete: ${id} is missing.`);
  return Object.defineProperty(chunk, "__esModule", { value: true });
}

/**
 * As a module of its own, for the code that esbuild writes would otherwise copy all of its names for each default import.
 * One that no start needs is loaded when something in it is used.
 */
function importBuiltin(name: string): unknown {
  let found = imported.get(name);
  if (found === undefined) {
    const get = () => require(name) as object;
    const names = name === "node:child_process" ? new Proxy({}, { get: (_, key) => Reflect.get(get(), key) }) : get();
    found = Object.create(names, { __esModule: { value: true }, default: { get } });
    imported.set(name, found);
  }
  return found;
}

function readPack(name: string): Readonly<Record<string, Part>> {
  const known = packs.get(name);
  if (known !== undefined) return known;
  const file = join(folder, name);
  // The build writes ASCII alone, which is read fastest so.
  const source = held.get(name)?.toString("latin1") ?? readFileSync(file, "latin1");
  // Parts of two builds would take each other for what they are not.
  if (!source.startsWith(CODEX_BUILD)) {
    throw new Error("This program was replaced by another version while it ran; start it again.");
  }
  const script = new Script(source, { filename: file, cachedData: readCode(name) });
  scripts.set(file, script);
  const pack = script.runInThisContext() as Readonly<Record<string, Part>>; // what the build has put there
  packs.set(name, pack);
  return pack;
}

/**
 * Reads what is left of the bundle: from here on nobody can change what this process loads. For a program that is
 * installed where commands may write, and for a server that an update must not end.
 */
function hold(): void {
  for (const name of CODEX_PACKS) {
    if (packs.has(name) || held.has(name)) continue;
    held.set(name, readFileSync(join(folder, name)));
    held.set(`${name}.code`, readCode(name));
  }
}

function readCode(pack: string): Buffer | undefined {
  const name = `${pack}.code`;
  if (held.has(name)) return held.get(name);
  try {
    return readFileSync(join(folder, name));
  } catch {
    return undefined;
  }
}
