import { existsSync, readdirSync, readFileSync } from "node:fs";
import type { Profiler } from "node:inspector";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { eachMapping, FlattenMap } from "@jridgewell/trace-mapping";

/** An `import()` in src. */
export interface LazyImport {
  /** `render/spinner.ts -> ora`. */
  readonly name: string;
  /** Below src. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 0. */
  readonly column: number;
}

/**
 * Every `import()` in the sources. Comments and strings are not told apart from code: an `import()` too many fails the
 * test by its name, and an overlooked one would not.
 */
export function findLazyImports(src: string): readonly LazyImport[] {
  const files = readdirSync(src, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));
  return files.sort().flatMap((file) => lazyImportsOf(file, readFileSync(path.join(src, file), "utf8")));
}

function lazyImportsOf(file: string, text: string): readonly LazyImport[] {
  const counts = new Map<string, number>();
  return [...text.matchAll(/(?<!\btypeof\s+)\bimport\(\s*([^)\s][^)]*)\)/g)].map(({ index, 1: argument = "" }) => {
    const name = `${file} -> ${argument.trim().replace(/^"(.*)"$/, "$1")}`;
    const count = (counts.get(name) ?? 0) + 1;
    counts.set(name, count);
    const before = text.slice(0, index).split("\n");
    const column = before.at(-1)?.length ?? 0;
    return { name: count === 1 ? name : `${name} #${count}`, file, line: before.length, column };
  });
}

/** A character of the built program. */
interface BuiltPlace {
  readonly file: string;
  readonly offset: number;
}

/** Where the build has put each of these, by name; an `import()` that is not in the build has no places. */
export function findBuiltPlaces(
  imports: readonly LazyImport[],
  dist: string,
): ReadonlyMap<string, readonly BuiltPlace[]> {
  const src = path.resolve(dist, "../src"); // where the source maps see it, also when nothing is there
  const keyOf = (source: string, line: number, column: number) => `${source}:${line}:${column}`;
  const wanted = new Map(
    imports.map((site) => [keyOf(pathToFileURL(path.join(src, site.file)).href, site.line, site.column), site]),
  );
  const places = new Map<string, BuiltPlace[]>(imports.map(({ name }) => [name, []]));
  for (const mapFile of readdirSync(dist).filter((name) => name.endsWith(".map"))) {
    const file = path.join(dist, mapFile.slice(0, -".map".length));
    const text = readFileSync(file, "utf8");
    const lineStarts = [0, ...[...text.matchAll(/\n/g)].map(({ index }) => index + 1)];
    const map = new FlattenMap(readFileSync(path.join(dist, mapFile), "utf8"), pathToFileURL(`${file}.map`).href);
    eachMapping(map, ({ source, originalLine, originalColumn, generatedLine, generatedColumn }) => {
      if (source === null) return;
      const site = wanted.get(keyOf(source, originalLine, originalColumn));
      if (site === undefined) return;
      const start = (lineStarts[generatedLine - 1] ?? 0) + generatedColumn;
      places.get(site.name)?.push({ file, offset: start + offsetOfLoading(text.slice(start, start + 100), site) });
    });
  }
  return places;
}

/**
 * Where the module is loaded, counted from the start of an `import()`: in the function of
 * `Promise.resolve().then(()=>…)`, which esbuild writes for most, or at the start of an `import()` that it has kept.
 */
function offsetOfLoading(text: string, { name }: LazyImport): number {
  const match = /^\s*(?:Promise\.resolve\(\)\.then\(\(\)\s*=>\s*|(?=import\())/.exec(text);
  if (match === null) throw new Error(`The build has made something unknown of ${name}: ${text}`);
  return match[0].length;
}

type Scripts = ReadonlyMap<string, readonly Profiler.FunctionCoverage[]>;

/** What the processes that wrote their coverage to one folder (NODE_V8_COVERAGE) have executed. */
export class Coverage {
  readonly #processes: readonly Scripts[];

  constructor(folder: string) {
    const names = existsSync(folder) ? readdirSync(folder) : [];
    this.#processes = names.map((name) => readScripts(path.join(folder, name)));
  }

  hasExecuted({ file, offset }: BuiltPlace): boolean {
    return this.#processes.some((scripts) => countAt(scripts.get(file) ?? [], offset) > 0);
  }
}

function readScripts(file: string): Scripts {
  const { result } = JSON.parse(readFileSync(file, "utf8")) as Profiler.TakePreciseCoverageReturnType; // as Node has it
  const scripts = result.filter(({ url }) => url.startsWith("file://"));
  return new Map(scripts.map(({ url, functions }) => [fileURLToPath(url), functions]));
}

/** The innermost range decides: a function that was never called lies in one that may have been. */
function countAt(functions: readonly Profiler.FunctionCoverage[], offset: number): number {
  let innermost: Profiler.CoverageRange = { startOffset: 0, endOffset: Number.POSITIVE_INFINITY, count: 0 };
  for (const range of functions.flatMap(({ ranges }) => ranges)) {
    const isAround = range.startOffset <= offset && offset < range.endOffset;
    if (isAround && lengthOf(range) <= lengthOf(innermost)) innermost = range;
  }
  return innermost.count;
}

function lengthOf({ startOffset, endOffset }: Profiler.CoverageRange): number {
  return endOffset - startOffset;
}
