import { describe, expect, test } from "vitest";
import { parsePatch } from "../../src/patch/parse-patch.ts";
import { updateText } from "../../src/patch/update-text.ts";
import { patchOf } from "./memory-files.ts";
import { seededRandom } from "./seeded-random.ts";

/** The text after a patch that consists of these lines below its Update header. */
function update(text: string, patchLines: readonly string[], lineEnd = "\n"): string {
  const parsed = parsePatch(patchOf("*** Update File: f", ...patchLines).replaceAll("\n", lineEnd));
  const hunk = parsed.ok ? parsed.hunks[0] : undefined;
  if (hunk?.type !== "update") throw new Error(`no update: ${JSON.stringify(parsed)}`);
  const updated = updateText(text, { chunks: hunk.chunks, path: "f" });
  if (!updated.ok) throw new Error(updated.problem);
  return updated.text;
}

describe("line ends", () => {
  test.each([
    {
      name: "a CRLF file stays one",
      text: "a\r\nb\r\nc\r\n",
      patch: [" a", "-b", "+B", "+B2"],
      result: "a\r\nB\r\nB2\r\nc\r\n",
    },
    { name: "an addition to a CRLF file", text: "a\r\n", patch: ["+b"], result: "a\r\nb\r\n" },
    {
      name: "a CRLF file is found at its end",
      text: "a\r\nb\r\n",
      patch: ["-b", "+B", "*** End of File"],
      result: "a\r\nB\r\n",
    },
    {
      name: "most lines decide for the new ones",
      text: "a\r\nb\nc\r\nd\r\n",
      patch: [" b", "-c", "+C", "+C2"],
      result: "a\r\nb\nC\r\nC2\r\nd\r\n",
    },
    {
      name: "context keeps its own line ends",
      text: "a\nb\nc\r\nd\n",
      patch: ["-b", "+B", " c", "+C", " d"],
      result: "a\nB\nc\r\nC\nd\n",
    },
    { name: "as many of both count as LF", text: "a\r\nb\n", patch: ["+c"], result: "a\r\nb\nc\n" },
    { name: "a lone carriage return is text", text: "a\rb\nc\n", patch: ["-c", "+C"], result: "a\rb\nC\n" },
  ])("$name", ({ text, patch, result }) => {
    expect(update(text, ["@@", ...patch])).toBe(result);
    expect(update(text, ["@@", ...patch], "\r\n")).toBe(result);
  });
});

describe("the final newline", () => {
  test.each([
    { name: "is added to a file that lacks it", text: "a\nb", patch: ["-b", "+B"], result: "a\nB\n" },
    {
      name: "is added also where the last line is untouched",
      text: "a\nb",
      patch: ["-a", "+A"],
      result: "A\nb\n",
    },
    { name: "is CRLF in a CRLF file", text: "a\r\nb", patch: ["-a", "+A"], result: "A\r\nb\r\n" },
    { name: "goes before appended lines", text: "a", patch: ["+b"], result: "a\nb\n" },
    { name: "is not given to an empty file", text: "a", patch: ["-a"], result: "" },
    { name: "leaves blank lines at the end alone", text: "a\n\n\n", patch: ["-a", "+A"], result: "A\n\n\n" },
  ])("$name", ({ text, patch, result }) => {
    expect(update(text, ["@@", ...patch])).toBe(result);
  });
});

test("a byte order mark is neither in the way nor lost", () => {
  expect(update("\uFEFFa\nb\n", ["@@", "-a", "+A"])).toBe("\uFEFFA\nb\n");
  expect(update("\uFEFFa\n", ["@@ a", "+b"])).toBe("\uFEFFa\nb\n");
});

describe("patches made from random edits give the edited text", () => {
  test.each([
    { name: "of unlike lines", alphabet: 1_000, lineEnds: ["\n"] },
    { name: "of often repeated lines", alphabet: 4, lineEnds: ["\n"] },
    { name: "of blank and equal lines", alphabet: 2, lineEnds: ["\n"] },
    { name: "with CRLF", alphabet: 30, lineEnds: ["\r\n"] },
    { name: "with mixed line ends", alphabet: 30, lineEnds: ["\n", "\r\n", "\r\n"] },
  ])("$name", ({ alphabet, lineEnds }) => {
    for (let seed = 1; seed <= 400; seed += 1) {
      const { text, patch, edited } = randomCase(seed, { alphabet, lineEnds });
      expect({ seed, text, patch, edited: update(text, patch) }).toEqual({ seed, text, patch, edited });
    }
  });
});

interface Line {
  readonly text: string;
  readonly lineEnd: string;
}

interface Edit {
  readonly at: number;
  readonly removed: number;
  readonly added: readonly string[];
}

/** Lines `start` to `end` of the old text, shown in one chunk with the edits that lie in them. */
interface Region {
  start: number;
  end: number;
  readonly edits: Edit[];
}

function randomCase(
  seed: number,
  kind: { readonly alphabet: number; readonly lineEnds: readonly string[] },
): { text: string; patch: readonly string[]; edited: string } {
  const random = seededRandom(seed);
  const word = (): string => ["", "  }", "x"][random(kind.alphabet)] ?? `  line ${random(kind.alphabet)}`;
  const lines = Array.from({ length: 1 + random(30) }, (): Line => {
    return { text: word(), lineEnd: kind.lineEnds[random(kind.lineEnds.length)] ?? "\n" };
  });

  const edits: Edit[] = [];
  for (let at = random(6); at < lines.length; at += 1 + random(8)) {
    const removed = random(Math.min(3, lines.length - at + 1));
    const added = Array.from({ length: removed === 0 ? 1 + random(2) : random(3) }, word);
    edits.push({ at, removed, added });
    at += removed;
  }
  // At least one line in each chunk makes it more than an addition, which would go to the end.
  if (edits.length === 0) edits.push({ at: 0, removed: 1, added: [word()] });

  const crlfCount = lines.filter((line) => line.lineEnd === "\r\n").length;
  const hasFinalLineEnd = random(3) > 0 || lines.at(-1)?.text === "";
  const lineEnd =
    (hasFinalLineEnd ? crlfCount : countWithoutLast(lines)) * 2 > lines.length - (hasFinalLineEnd ? 0 : 1)
      ? "\r\n"
      : "\n";
  const last = lines.at(-1);
  const finished =
    hasFinalLineEnd || last === undefined ? lines : [...lines.slice(0, -1), { text: last.text, lineEnd }];
  const text = lines
    .map((line, index) => (index === lines.length - 1 && !hasFinalLineEnd ? line.text : line.text + line.lineEnd))
    .join("");

  const patch = toRegions(edits, lines, random).flatMap((region) => chunkLines(region, lines, random));
  return { text, patch, edited: applyEdits(finished, edits, lineEnd) };
}

function countWithoutLast(lines: readonly Line[]): number {
  return lines.slice(0, -1).filter((line) => line.lineEnd === "\r\n").length;
}

function applyEdits(lines: readonly Line[], edits: readonly Edit[], lineEnd: string): string {
  let result = "";
  let done = 0;
  for (const edit of edits) {
    for (; done < edit.at; done += 1) result += `${lines[done]?.text}${lines[done]?.lineEnd}`;
    for (const added of edit.added) result += added + lineEnd;
    done += edit.removed;
  }
  for (; done < lines.length; done += 1) result += `${lines[done]?.text}${lines[done]?.lineEnd}`;
  return result;
}

/** Gives each edit some context and widens it until the lines can only mean this place. */
function toRegions(
  edits: readonly Edit[],
  lines: readonly Line[],
  random: (limit: number) => number,
): readonly Region[] {
  const regions: Region[] = [];
  for (const edit of edits) {
    const start = Math.max(0, edit.at - random(4));
    const end = Math.min(lines.length, Math.max(edit.at + edit.removed + random(4), start + 1));
    const previous = regions.at(-1);
    if (previous !== undefined && start < previous.end) {
      previous.end = Math.max(previous.end, end);
      previous.edits.push(edit);
    } else {
      regions.push({ start, end, edits: [edit] });
    }
  }
  let from = 0;
  for (const region of regions) {
    while (firstPlace(lines, region, from) !== region.start) region.start -= 1;
    from = region.end;
  }
  return regions;
}

function firstPlace(lines: readonly Line[], region: Region, from: number): number {
  const length = region.end - region.start;
  return lines.findIndex(
    (_, index) =>
      index >= from &&
      Array.from({ length }).every((_unused, offset) => {
        return lines[index + offset]?.text === lines[region.start + offset]?.text;
      }),
  );
}

function chunkLines(region: Region, lines: readonly Line[], random: (limit: number) => number): readonly string[] {
  const chunk = ["@@"];
  let done = region.start;
  const keepUntil = (end: number): void => {
    for (; done < end; done += 1) {
      const text = lines[done]?.text ?? "";
      chunk.push(text === "" && random(2) === 0 ? "" : ` ${text}`);
    }
  };
  for (const edit of region.edits) {
    keepUntil(edit.at);
    for (; done < edit.at + edit.removed; done += 1) chunk.push(`-${lines[done]?.text}`);
    chunk.push(...edit.added.map((line) => `+${line}`));
  }
  keepUntil(region.end);
  if (region.end === lines.length && random(2) === 0) chunk.push("*** End of File");
  return chunk;
}
