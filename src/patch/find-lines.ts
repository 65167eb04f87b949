/** From strict to lenient; the whole range is tried with one before the next gets its turn. */
const foldings: readonly ((line: string) => string)[] = [
  (line) => line,
  (line) => line.trimEnd(),
  (line) => line.trim(),
  (line) => foldPunctuation(line.trim()),
];

/** Finds blocks of lines in one file; what was computed for one search serves the later ones. */
export class LineFinder {
  readonly lines: readonly string[];
  readonly #folded: (readonly string[] | undefined)[] = [];

  constructor(lines: readonly string[]) {
    this.lines = lines;
  }

  /** The index of the first place at or after `from` that holds the block; with `atEnd`, only the end of the file is tried. */
  find(block: readonly string[], range: { readonly from: number; readonly atEnd?: boolean }): number | null {
    const last = this.lines.length - block.length;
    const first = range.atEnd === true ? last : range.from;
    if (first < range.from || first > last) return null;
    for (const [level, fold] of foldings.entries()) {
      const found = indexOfBlock(this.#fold(level, fold), { block: block.map(fold), from: first });
      if (found !== null) return found;
    }
    return null;
  }

  #fold(level: number, fold: (line: string) => string): readonly string[] {
    const lines = this.#folded[level] ?? this.lines.map(fold);
    this.#folded[level] = lines;
    return lines;
  }
}

/** A line as the most lenient comparison sees it. */
export function foldLine(line: string): string {
  return foldPunctuation(line.trim());
}

function foldPunctuation(text: string): string {
  if (!/[\u00a0\u2002-\u205f\u2212\u3000]/.test(text)) return text;
  return text
    .replace(/[\u2010-\u2015\u2212]/g, "-")
    .replace(/[\u2018-\u201b]/g, "'")
    .replace(/[\u201c-\u201f]/g, '"')
    .replace(/[\u00a0\u2002-\u200a\u202f\u205f\u3000]/g, " ");
}

/** Knuth-Morris-Pratt: a long file of equal lines must not cost its square. */
function indexOfBlock(
  lines: readonly string[],
  { block, from }: { readonly block: readonly string[]; readonly from: number },
): number | null {
  const borders = bordersOf(block);
  let matched = 0;
  for (let at = from; at < lines.length; at += 1) {
    matched = extendMatch(block, borders, { matched, line: lines[at] });
    if (matched === block.length) return at - matched + 1;
  }
  return null;
}

/** For each prefix of the block, the length of its longest proper prefix that is also its suffix. */
function bordersOf(block: readonly string[]): readonly number[] {
  const borders = [0];
  let matched = 0;
  for (let at = 1; at < block.length; at += 1) {
    matched = extendMatch(block, borders, { matched, line: block[at] });
    borders.push(matched);
  }
  return borders;
}

function extendMatch(
  block: readonly string[],
  borders: readonly number[],
  state: { readonly matched: number; readonly line: string | undefined },
): number {
  let matched = state.matched;
  while (matched > 0 && block[matched] !== state.line) matched = borders[matched - 1] ?? 0;
  return block[matched] === state.line ? matched + 1 : matched;
}
