import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { Script } from "node:vm";

/** Name of each chunk of the bundle to the file it stands in; put in by the build. */
declare const CODEX_PACKS: Readonly<Record<string, string>>;

type Chunk = (
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
const requireFromHere = createRequire(__filename);
const modules = new Map<string, Module>();
const packs = new Map<string, Readonly<Record<string, Chunk>>>();
const held = new Map<string, Buffer | undefined>();

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
  chunk(module.exports, requireChunk, module, folder, hold);
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
  const source = held.get(file)?.toString("latin1") ?? readFileSync(file, "latin1");
  const script = new Script(source, { filename: file, cachedData: readCode(file) });
  scripts.set(file, script);
  const pack = script.runInThisContext() as Readonly<Record<string, Chunk>>; // what the build has put there
  packs.set(file, pack);
  return pack;
}

/**
 * Reads what is left of the bundle: from here on nobody can change what this process loads. For a program that is
 * installed where commands may write.
 */
function hold(): void {
  for (const name of new Set(Object.values(CODEX_PACKS))) {
    const file = path.join(folder, name);
    if (packs.has(file) || held.has(file)) continue;
    held.set(file, readFileSync(file));
    held.set(`${file}.code`, readCode(file));
  }
}

function readCode(file: string): Buffer | undefined {
  const name = `${file}.code`;
  if (held.has(name)) return held.get(name);
  try {
    return readFileSync(name);
  } catch {
    return undefined;
  }
}
