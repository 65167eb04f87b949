import { diffArrays } from "diff";

/** Beyond this many edits the minimal diff costs more than it tells: its time grows with the square. */
const MOST_EDITS = 2_000;

/** The hunks of a unified diff as git writes them, without file headers; "" for equal texts. */
export function unifiedDiff(oldText: string, newText: string, options: { readonly contextLines: number }): string {
  if (oldText === newText) return "";
  const oldLines = splitLines(oldText);
  const newLines = splitLines(newText);
  const file = { oldLines, newLines, contextLines: options.contextLines };
  const groups = groupEdits(findEdits(oldLines, newLines), options.contextLines);
  return groups.map((edits) => formatHunk(edits, file)).join("");
}

/** Old lines `oldStart` to `oldEnd` (excluded) become new lines `newStart` to `newEnd`. */
interface Edit {
  readonly oldStart: number;
  readonly oldEnd: number;
  readonly newStart: number;
  readonly newEnd: number;
}

/** Lines keep their "\n", so that a missing one at the end is a difference. */
function splitLines(text: string): readonly string[] {
  const lines: string[] = [];
  for (let start = 0; start < text.length; ) {
    const end = text.indexOf("\n", start);
    const next = end < 0 ? text.length : end + 1;
    lines.push(text.slice(start, next));
    start = next;
  }
  return lines;
}

function findEdits(oldLines: readonly string[], newLines: readonly string[]): readonly Edit[] {
  const shorter = Math.min(oldLines.length, newLines.length);
  let start = 0;
  while (start < shorter && oldLines[start] === newLines[start]) start += 1;
  let tail = 0;
  while (tail < shorter - start && oldLines.at(-1 - tail) === newLines.at(-1 - tail)) tail += 1;
  const oldEnd = oldLines.length - tail;
  const newEnd = newLines.length - tail;

  const edits: Edit[] = [];
  let oldAt = start;
  let newAt = start;
  const closeGap = (oldNext: number, newNext: number): void => {
    if (oldAt < oldNext || newAt < newNext) {
      edits.push({ oldStart: oldAt, oldEnd: oldNext, newStart: newAt, newEnd: newNext });
    }
  };
  const oldShared = indexesOfShared(oldLines, newLines, { start, oldEnd, newEnd });
  const newShared = indexesOfShared(newLines, oldLines, { start, oldEnd: newEnd, newEnd: oldEnd });
  for (const [oldIndex, newIndex] of matchLines(
    { lines: oldLines, indexes: oldShared },
    { lines: newLines, indexes: newShared },
  )) {
    closeGap(oldIndex, newIndex);
    oldAt = oldIndex + 1;
    newAt = newIndex + 1;
  }
  closeGap(oldEnd, newEnd);
  return edits;
}

/** Lines that the other side lacks cannot match; without them even two unlike files are quickly compared. */
function indexesOfShared(
  lines: readonly string[],
  others: readonly string[],
  range: { readonly start: number; readonly oldEnd: number; readonly newEnd: number },
): readonly number[] {
  const known = new Set(others.slice(range.start, range.newEnd));
  const indexes: number[] = [];
  for (let index = range.start; index < range.oldEnd; index += 1) {
    if (known.has(lines[index] ?? "")) indexes.push(index);
  }
  return indexes;
}

interface Side {
  readonly lines: readonly string[];
  readonly indexes: readonly number[];
}

/** Pairs of indexes of equal lines, ascending on both sides; none when the files are too far apart. */
function matchLines(oldSide: Side, newSide: Side): readonly (readonly [number, number])[] {
  const textsOf = (side: Side): string[] => side.indexes.map((index) => side.lines[index] ?? "");
  const changes = diffArrays(textsOf(oldSide), textsOf(newSide), { maxEditLength: MOST_EDITS });
  const pairs: [number, number][] = [];
  let oldAt = 0;
  let newAt = 0;
  for (const change of changes ?? []) {
    if (!change.added && !change.removed) {
      for (let step = 0; step < change.count; step += 1) {
        pairs.push([oldSide.indexes[oldAt + step] ?? 0, newSide.indexes[newAt + step] ?? 0]);
      }
    }
    if (!change.added) oldAt += change.count;
    if (!change.removed) newAt += change.count;
  }
  return pairs;
}

/** Edits whose context would touch or overlap share a hunk. */
function groupEdits(edits: readonly Edit[], contextLines: number): readonly (readonly Edit[])[] {
  const groups: Edit[][] = [];
  let previousEnd = Number.NEGATIVE_INFINITY;
  for (const edit of edits) {
    if (edit.oldStart - previousEnd > 2 * contextLines) groups.push([]);
    groups.at(-1)?.push(edit);
    previousEnd = edit.oldEnd;
  }
  return groups;
}

function formatHunk(
  edits: readonly Edit[],
  file: { readonly oldLines: readonly string[]; readonly newLines: readonly string[]; readonly contextLines: number },
): string {
  const first = edits[0];
  const last = edits.at(-1);
  if (first === undefined || last === undefined) return "";
  const before = Math.min(file.contextLines, first.oldStart);
  const after = Math.min(file.contextLines, file.oldLines.length - last.oldEnd);
  const oldRange = formatRange(first.oldStart - before, last.oldEnd + after);
  const newRange = formatRange(first.newStart - before, last.newEnd + after);

  let text = `@@ -${oldRange} +${newRange} @@\n`;
  let at = first.oldStart - before;
  for (const edit of edits) {
    text += formatLines(" ", file.oldLines.slice(at, edit.oldStart));
    text += formatLines("-", file.oldLines.slice(edit.oldStart, edit.oldEnd));
    text += formatLines("+", file.newLines.slice(edit.newStart, edit.newEnd));
    at = edit.oldEnd;
  }
  return text + formatLines(" ", file.oldLines.slice(at, last.oldEnd + after));
}

function formatLines(sign: string, lines: readonly string[]): string {
  return lines
    .map((line) => (line.endsWith("\n") ? sign + line : `${sign}${line}\n\\ No newline at end of file\n`))
    .join("");
}

/** A length of one goes unsaid; an empty range is named by the line before it. */
function formatRange(start: number, end: number): string {
  const length = end - start;
  if (length === 1) return String(start + 1);
  return length === 0 ? `${start},0` : `${start + 1},${length}`;
}
