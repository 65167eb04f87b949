/** What the model should change when a chunk fits nowhere: one short sentence, or null when nothing is near enough to help. */
import { foldLine, type LineFinder } from "./find-lines.ts";
import type { Chunk } from "./parse-patch.ts";

/** Below this share of equal characters two lines are taken for strangers. */
const LEAST_LIKENESS = 0.6;
const LONGEST_QUOTE = 200;
/** A line that stands in the file more often than this (a brace, a blank) says nothing about the place. */
const MOST_OCCURRENCES = 50;

export function hintForContext(
  finder: LineFinder,
  { context, from }: { readonly context: string; readonly from: number },
): string | null {
  if (/^-\d+(,\d+)? \+\d+(,\d+)? @@/.test(context)) {
    return "Line numbers have no meaning here: write '@@' alone, or '@@ ' and one whole line of the file.";
  }
  const earlier = finder.find([context], { from: 0 });
  if (earlier !== null) return outOfOrder(earlier, from);
  const wanted = foldLine(context);
  const partly = finder.lines.findIndex((line, index) => index >= from && foldLine(line).includes(wanted));
  const near = partly >= 0 ? partly : mostAlike(finder.lines, context);
  return near === null ? null : `The context must be a whole line; line ${near + 1} is: ${quote(finder.lines[near])}`;
}

export function hintForBlock(
  finder: LineFinder,
  { chunk, from }: { readonly chunk: Chunk; readonly from: number },
): string | null {
  const { oldLines, newLines } = chunk;
  if (chunk.isEndOfFile) {
    const place = finder.find(oldLines, { from });
    if (place !== null) return `Found at line ${place + 1}, not at the end of the file: leave out '*** End of File'.`;
  }
  const earlier = finder.find(oldLines, { from: 0 });
  if (earlier !== null) return outOfOrder(earlier, from);
  if (chunk.keptFrom.includes(null)) {
    const done = finder.find(newLines, { from });
    if (done !== null) return `The new lines are already there, at line ${done + 1}.`;
  }
  return closestPlace(finder.lines, oldLines);
}

function outOfOrder(found: number, from: number): string {
  return `Found at line ${found + 1}, but the search starts below line ${from}: give the chunks in the order of the file.`;
}

function closestPlace(lines: readonly string[], block: readonly string[]): string | null {
  const start = bestOffset(lines, block) ?? alignedToMostAlike(lines, block);
  if (start === null) return null;
  const first = Math.max(start, 0);
  const last = Math.min(start + block.length, lines.length) - 1;
  const differing = block.findIndex((line, index) => foldLine(line) !== foldLine(lines[start + index] ?? ""));
  const at = start + differing;
  const where = first === last ? `line ${first + 1}` : `lines ${first + 1}-${last + 1}`;
  if (at < first) return `The closest place is ${where}; the block starts above the first line of the file.`;
  if (at > last) return `The closest place is ${where}; the file ends there.`;
  if (first === last) return `The closest line is line ${at + 1}: ${quote(lines[at])}`;
  return `The closest place is ${where}; line ${at + 1} is: ${quote(lines[at])}`;
}

/** Where the block would start for most of its lines to be where they are in the file. */
function bestOffset(lines: readonly string[], block: readonly string[]): number | null {
  const wanted = new Set(block.map(foldLine));
  const occurrences = new Map<string, number[]>();
  for (const [index, line] of lines.entries()) {
    const folded = foldLine(line);
    if (folded === "" || !wanted.has(folded)) continue;
    const places = occurrences.get(folded) ?? [];
    places.push(index);
    occurrences.set(folded, places);
  }
  const votes = new Map<number, number>();
  for (const [index, line] of block.entries()) {
    const places = occurrences.get(foldLine(line)) ?? [];
    if (places.length > MOST_OCCURRENCES) continue;
    for (const place of places) votes.set(place - index, (votes.get(place - index) ?? 0) + 1);
  }
  let best: { readonly offset: number; readonly count: number } | null = null;
  for (const [offset, count] of votes) {
    if (best === null || count > best.count || (count === best.count && offset < best.offset)) best = { offset, count };
  }
  return best?.offset ?? null;
}

function alignedToMostAlike(lines: readonly string[], block: readonly string[]): number | null {
  const index = block.findIndex((line) => line.trim() !== "");
  const found = index < 0 ? null : mostAlike(lines, block[index] ?? "");
  return found === null ? null : found - index;
}

function mostAlike(lines: readonly string[], wanted: string): number | null {
  const folded = foldLine(wanted);
  let best: number | null = null;
  let bestLikeness = LEAST_LIKENESS;
  for (const [index, line] of lines.entries()) {
    const likeness = likenessOf(foldLine(line), folded);
    if (likeness > bestLikeness) {
      best = index;
      bestLikeness = likeness;
    }
  }
  return best;
}

/** The share of two lines that their common start and common end make up: most slips change one spot of a line. */
function likenessOf(a: string, b: string): number {
  const shorter = Math.min(a.length, b.length);
  let start = 0;
  while (start < shorter && a[start] === b[start]) start += 1;
  let end = 0;
  while (end < shorter - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end += 1;
  return shorter === 0 ? 0 : (start + end) / Math.max(a.length, b.length);
}

function quote(line: string | undefined): string {
  const text = line ?? "";
  return text.length > LONGEST_QUOTE ? `${text.slice(0, LONGEST_QUOTE)}…` : text;
}
