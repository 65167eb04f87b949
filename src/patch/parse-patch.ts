export type Hunk =
  | { readonly type: "add"; readonly path: string; readonly content: string }
  | { readonly type: "delete"; readonly path: string }
  | {
      readonly type: "update";
      readonly path: string;
      readonly movePath: string | null;
      readonly chunks: readonly Chunk[];
    };

export interface Chunk {
  /** The line named after `@@`, below which the chunk is to be looked for. */
  readonly context: string | null;
  /** Context and removed lines: what the file must hold. */
  readonly oldLines: readonly string[];
  /** Context and added lines: what it holds afterwards. */
  readonly newLines: readonly string[];
  /** For each new line, the index of the old line it repeats as context; null for an added one. */
  readonly keptFrom: readonly (number | null)[];
  readonly isEndOfFile: boolean;
}

export type ParseResult =
  | { readonly ok: true; readonly hunks: readonly Hunk[] }
  | { readonly ok: false; readonly problem: string };

const BEGIN = "*** Begin Patch";
const END = "*** End Patch";
const ADD = "*** Add File: ";
const DELETE = "*** Delete File: ";
const UPDATE = "*** Update File: ";
const MOVE = "*** Move to: ";
const END_OF_FILE = "*** End of File";
const HERE_DOCUMENT_STARTS: readonly (string | undefined)[] = ["<<EOF", "<<'EOF'", '<<"EOF"'];

/** Reads the text of a patch; a problem is worded for the model that wrote it, its line numbers count from the Begin line. */
export function parsePatch(text: string): ParseResult {
  const lines = withoutHereDocument(splitLines(text.trim()));
  const problem = markerProblem(lines);
  if (problem !== null) return { ok: false, problem };

  const body = lines.slice(0, -1);
  const hunks: Hunk[] = [];
  let at = 1;
  for (;;) {
    at = skipBlankLines(body, at);
    if (at >= body.length) return { ok: true, hunks };
    const step = parseHunk(body, at);
    if (!step.ok) return step;
    hunks.push(step.value);
    at = step.next;
  }
}

/** One piece of the patch and the index of the line after it. */
type Step<T> =
  | { readonly ok: true; readonly value: T; readonly next: number }
  | { readonly ok: false; readonly problem: string };

function splitLines(text: string): readonly string[] {
  return text.split("\n").map((line) => (line.endsWith("\r") ? line.slice(0, -1) : line));
}

/** Models that are used to shells wrap the patch in a here-document even where no shell reads it. */
function withoutHereDocument(lines: readonly string[]): readonly string[] {
  const isWrapped = lines.length >= 4 && HERE_DOCUMENT_STARTS.includes(lines[0]) && lines.at(-1)?.endsWith("EOF");
  return isWrapped ? lines.slice(1, -1) : lines;
}

function markerProblem(lines: readonly string[]): string | null {
  if (lines[0] !== BEGIN) return `invalid patch: The first line of the patch must be '${BEGIN}'`;
  if (lines.at(-1) !== END) return `invalid patch: The last line of the patch must be '${END}'`;
  return null;
}

function parseHunk(body: readonly string[], at: number): Step<Hunk> {
  const header = (body[at] ?? "").trim();
  if (header.startsWith(ADD)) return parseAdd(body, { at, path: header.slice(ADD.length) });
  if (header.startsWith(DELETE)) {
    return { ok: true, value: { type: "delete", path: header.slice(DELETE.length) }, next: at + 1 };
  }
  if (header.startsWith(UPDATE)) return parseUpdate(body, { at, path: header.slice(UPDATE.length) });
  const valid = `'${ADD}{path}', '${DELETE}{path}', '${UPDATE}{path}'`;
  return invalid(at, `'${header}' is not a valid hunk header. Valid hunk headers: ${valid}`);
}

interface Header {
  readonly at: number;
  readonly path: string;
}

function parseAdd(body: readonly string[], { at, path }: Header): Step<Hunk> {
  let next = at + 1;
  let content = "";
  for (let line = body[next]; line?.startsWith("+"); line = body[next]) {
    content += `${line.slice(1)}\n`;
    next += 1;
  }
  return { ok: true, value: { type: "add", path, content }, next };
}

function parseUpdate(body: readonly string[], { at, path }: Header): Step<Hunk> {
  let next = at + 1;
  const second = (body[next] ?? "").trim();
  const movePath = second.startsWith(MOVE) ? second.slice(MOVE.length) : null;
  if (movePath !== null) next += 1;

  const chunks: Chunk[] = [];
  for (;;) {
    next = skipBlankLines(body, next);
    if (next >= body.length || body[next]?.startsWith("***")) break;
    const step = parseChunk(body, next, { isFirst: chunks.length === 0 });
    if (!step.ok) return step;
    chunks.push(step.value);
    next = step.next;
  }
  if (chunks.length === 0) return invalid(at, `Update file hunk for path '${path}' is empty`);
  return { ok: true, value: { type: "update", path, movePath, chunks }, next };
}

function parseChunk(body: readonly string[], at: number, options: { readonly isFirst: boolean }): Step<Chunk> {
  const marker = body[at] ?? "";
  const hasMarker = marker === "@@" || marker.startsWith("@@ ");
  if (!hasMarker && !options.isFirst) {
    return invalid(at, `Expected update hunk to start with a @@ context marker, got: '${marker}'`);
  }
  const context = hasMarker && marker.slice(2).trim() !== "" ? marker.slice(3) : null;
  const start = hasMarker ? at + 1 : at;

  const oldLines: string[] = [];
  const newLines: string[] = [];
  const keptFrom: (number | null)[] = [];
  let next = start;
  let isEndOfFile = false;
  for (let line = body[next]; line !== undefined && !isEndOfFile; line = body[next]) {
    const text = line.slice(1);
    if (line === "" || line.startsWith(" ")) {
      keptFrom.push(oldLines.length);
      oldLines.push(text);
      newLines.push(text);
    } else if (line.startsWith("-")) {
      oldLines.push(text);
    } else if (line.startsWith("+")) {
      keptFrom.push(null);
      newLines.push(text);
    } else if (next > start) {
      if (line.trimEnd() !== END_OF_FILE) break;
      isEndOfFile = true;
    } else {
      return invalid(next, firstLineProblem(line));
    }
    next += 1;
  }
  if (next === start) return invalid(next, NO_LINES);
  return { ok: true, value: { context, oldLines, newLines, keptFrom, isEndOfFile }, next };
}

const NO_LINES = "Update hunk does not contain any lines";

function firstLineProblem(line: string): string {
  if (line.trimEnd() === END_OF_FILE) return NO_LINES;
  const rule = "Every line should start with ' ' (context line), '+' (added line), or '-' (removed line)";
  return `Unexpected line found in update hunk: '${line}'. ${rule}`;
}

function skipBlankLines(body: readonly string[], at: number): number {
  let next = at;
  while (body[next]?.trim() === "") next += 1;
  return next;
}

function invalid(index: number, what: string): { readonly ok: false; readonly problem: string } {
  return { ok: false, problem: `invalid hunk at line ${index + 1}, ${what}` };
}
