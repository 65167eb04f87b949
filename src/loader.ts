import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { Script } from "node:vm";

/**
 * Loads the chunks of the bundle with the code that V8 compiled when the bundle was built, which halves the time of a
 * start. On another version of Node that code is refused, and the chunk is compiled as ever.
 */
type Require = (id: string) => unknown;

const folder = __dirname;
const requireFromHere = createRequire(__filename);
const loaded = new Map<string, { exports: unknown }>();

/** The compiled chunks by file; the build takes their code from here after a run. */
export const scripts = new Map<string, Script>();

export function load(name: string): unknown {
  const known = loaded.get(name);
  if (known !== undefined) return known.exports;
  const module = { exports: {} };
  loaded.set(name, module);
  const file = path.join(folder, name);
  const script = new Script(
    `(function (exports, require, module, __filename, __dirname) {${readFileSync(file, "utf8")}\n})`,
    { filename: file, cachedData: readCode(file) },
  );
  scripts.set(file, script);
  const run = script.runInThisContext() as (...parameters: readonly unknown[]) => void; // the wrapper above
  run(module.exports, requireChunk, module, file, folder);
  return module.exports;
}

const requireChunk: Require = (id) => (id.startsWith("./") ? load(id.slice(2)) : requireFromHere(id));

function readCode(file: string): Buffer | undefined {
  try {
    return readFileSync(`${file}.code`);
  } catch {
    return undefined;
  }
}
