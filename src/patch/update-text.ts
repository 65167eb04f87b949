import { LineFinder } from "./find-lines.ts";
import { hintForBlock, hintForContext } from "./mismatch-hint.ts";
import type { Chunk } from "./parse-patch.ts";

type UpdateResult = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly problem: string };

interface Update {
  readonly chunks: readonly Chunk[];
  /** For the messages alone. */
  readonly path: string;
}

/** The text after the chunks of one hunk, or what keeps a chunk from fitting. */
export function updateText(text: string, update: Update): UpdateResult {
  const source = readLines(text);
  const placed = placeChunks(new LineFinder(source.lines), update);
  return placed.ok ? { ok: true, text: rewrite(source, placed.replacements) } : placed;
}

/** Lines `start` to `end` (excluded) give way to the chunk's new lines. */
interface Replacement {
  readonly start: number;
  readonly end: number;
  readonly chunk: Chunk;
}

type Placement =
  | { readonly ok: true; readonly replacements: readonly Replacement[] }
  | { readonly ok: false; readonly problem: string };

function placeChunks(finder: LineFinder, { chunks, path }: Update): Placement {
  const replacements: Replacement[] = [];
  let from = 0;
  for (const chunk of chunks) {
    if (chunk.context !== null) {
      const found = finder.find([chunk.context], { from });
      if (found === null) {
        const problem = `Failed to find context '${chunk.context}' in ${path}`;
        return { ok: false, problem: withHint(problem, hintForContext(finder, { context: chunk.context, from })) };
      }
      from = found + 1;
    }
    const place = chunk.oldLines.length === 0 ? placeAddition(finder, chunk) : placeBlock(finder, { chunk, from });
    if (place === null) {
      const problem = `Failed to find expected lines in ${path}:\n${chunk.oldLines.join("\n")}`;
      return { ok: false, problem: withHint(problem, hintForBlock(finder, { chunk, from })) };
    }
    replacements.push(place);
    if (chunk.oldLines.length > 0) from = place.end;
  }
  return { ok: true, replacements };
}

/**
 * Additions without old lines go to the end of the file, before its last line if that one is empty, also below a
 * `@@ context`: models have learned to expect that.
 */
function placeAddition(finder: LineFinder, chunk: Chunk): Replacement {
  const index = finder.lines.at(-1) === "" ? finder.lines.length - 1 : finder.lines.length;
  return { start: index, end: index, chunk };
}

function placeBlock(
  finder: LineFinder,
  { chunk, from }: { readonly chunk: Chunk; readonly from: number },
): Replacement | null {
  for (let candidate = chunk; candidate.oldLines.length > 0; candidate = withoutLastBlank(candidate)) {
    const found = finder.find(candidate.oldLines, { from, atEnd: chunk.isEndOfFile });
    if (found !== null) return { start: found, end: found + candidate.oldLines.length, chunk: candidate };
    if (candidate.oldLines.at(-1) !== "") break;
  }
  return null;
}

/** A blank line that only separates two chunks of the patch reads as context; the search goes on without it. */
function withoutLastBlank(chunk: Chunk): Chunk {
  const dropsNewLine = chunk.newLines.at(-1) === "";
  return {
    ...chunk,
    oldLines: chunk.oldLines.slice(0, -1),
    newLines: dropsNewLine ? chunk.newLines.slice(0, -1) : chunk.newLines,
    keptFrom: dropsNewLine ? chunk.keptFrom.slice(0, -1) : chunk.keptFrom,
  };
}

interface SourceLines {
  readonly byteOrderMark: string;
  /** Without their line ends, which is what a patch can name. */
  readonly lines: readonly string[];
  /** The same lines as they stand in the file; the last one is given a line end if it had none. */
  readonly raw: readonly string[];
  readonly lineEnd: string;
}

const BYTE_ORDER_MARK = "\uFEFF";

function readLines(text: string): SourceLines {
  const byteOrderMark = text.startsWith(BYTE_ORDER_MARK) ? BYTE_ORDER_MARK : "";
  const pieces = text.slice(byteOrderMark.length).split("\n");
  const unfinished = pieces.pop() ?? "";
  const crlfCount = pieces.filter((piece) => piece.endsWith("\r")).length;
  const lineEnd = crlfCount * 2 > pieces.length ? "\r\n" : "\n";

  const lines = pieces.map((piece) => (piece.endsWith("\r") ? piece.slice(0, -1) : piece));
  const raw = pieces.map((piece) => `${piece}\n`);
  if (unfinished !== "") {
    lines.push(unfinished);
    raw.push(unfinished + lineEnd);
  }
  return { byteOrderMark, lines, raw, lineEnd };
}

function rewrite(source: SourceLines, replacements: readonly Replacement[]): string {
  const inFileOrder = replacements.toSorted((a, b) => a.start - b.start);
  const parts: string[] = [];
  let done = 0;
  for (const { start, end, chunk } of inFileOrder) {
    for (; done < start; done += 1) parts.push(source.raw[done] ?? "");
    for (const [index, line] of chunk.newLines.entries()) {
      parts.push(line + lineEndFor(source, { start, keptFrom: chunk.keptFrom[index] ?? null }));
    }
    done = Math.max(done, end);
  }
  for (; done < source.raw.length; done += 1) parts.push(source.raw[done] ?? "");
  return source.byteOrderMark + parts.join("");
}

/**
 * Added lines end the way most lines of the file do. A context line takes the patch's spelling, as it may have been found by
 * a lenient comparison, but keeps its own line end, which a patch cannot show.
 */
function lineEndFor(source: SourceLines, line: { readonly start: number; readonly keptFrom: number | null }): string {
  if (line.keptFrom === null) return source.lineEnd;
  return source.raw[line.start + line.keptFrom]?.endsWith("\r\n") ? "\r\n" : "\n";
}

function withHint(problem: string, hint: string | null): string {
  return hint === null ? problem : `${problem}\n${hint}`;
}
