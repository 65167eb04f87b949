import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { Script } from "node:vm";

/** Name of each chunk of the bundle to the file it stands in; put in by the build. */
declare const CODEX_PACKS: Readonly<Record<string, string>>;

type Chunk = (exports: unknown, require: (id: string) => unknown, module: Module, folder: string) => void;

interface Module {
  exports: unknown;
}

const folder = __dirname;
const requireFromHere = createRequire(__filename);
const modules = new Map<string, Module>();
const packs = new Map<string, Readonly<Record<string, Chunk>>>();

/** The compiled packs by file; the build takes their code from here after a run. */
export const scripts = new Map<string, Script>();

/**
 * Loads a chunk of the bundle, with the code that V8 compiled when the bundle was built: that halves the time of a start.
 * On another version of Node that code is refused, and the source is compiled as ever.
 */
export function load(name: string): unknown {
  const known = modules.get(name);
  if (known !== undefined) return known.exports;
  const module = { exports: {} };
  modules.set(name, module);
  const chunk = packHolding(name)[name];
  if (chunk === undefined) throw new Error(`The build is not complete: ${name} is missing.`);
  chunk(module.exports, requireChunk, module, folder);
  return module.exports;
}

function requireChunk(id: string): unknown {
  return id.startsWith("./") ? load(id.slice(2)) : requireFromHere(id);
}

function packHolding(name: string): Readonly<Record<string, Chunk>> {
  const file = path.join(folder, CODEX_PACKS[name] ?? name);
  const known = packs.get(file);
  if (known !== undefined) return known;
  // The build writes ASCII alone, which is read fastest so.
  const script = new Script(readFileSync(file, "latin1"), { filename: file, cachedData: readCode(file) });
  scripts.set(file, script);
  const pack = script.runInThisContext() as Readonly<Record<string, Chunk>>; // what the build has put there
  packs.set(file, pack);
  return pack;
}

function readCode(file: string): Buffer | undefined {
  try {
    return readFileSync(`${file}.code`);
  } catch {
    return undefined;
  }
}
