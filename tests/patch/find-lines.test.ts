import { describe, expect, test } from "vitest";
import { LineFinder } from "../../src/patch/find-lines.ts";
import { seededRandom } from "./seeded-random.ts";

describe("a block of lines is found", () => {
  test.each([
    { name: "exactly", lines: ["a", "b", "c"], block: ["b", "c"], at: 1 },
    { name: "with other blanks at the end", lines: ["a", "b \t"], block: ["b   "], at: 1 },
    { name: "with another indentation", lines: ["if:", "\t\tgo()"], block: ["    go()"], at: 1 },
    {
      name: "with dashes of every kind",
      lines: ["1\u20102\u20113\u20124\u20135\u20146\u20157\u22128"],
      block: ["1-2-3-4-5-6-7-8"],
      at: 0,
    },
    { name: "with single quotes of every kind", lines: ["\u2018a\u2019b\u201ac\u201b"], block: ["'a'b'c'"], at: 0 },
    { name: "with double quotes of every kind", lines: ["\u201ca\u201db\u201ec\u201f"], block: ['"a"b"c"'], at: 0 },
    {
      name: "with blanks of every kind",
      lines: ["a\u00a0b\u2002c\u2003d\u2004e\u2005f\u2006g\u2007h\u2008i\u2009j\u200ak\u202fl\u205fm\u3000n"],
      block: ["a b c d e f g h i j k l m n"],
      at: 0,
    },
    {
      name: "when the look-alike is in the block",
      lines: ['say "hi" - now'],
      block: ["say \u201chi\u201d \u2014 now"],
      at: 0,
    },
    { name: "at the end", lines: ["x", "x", "y"], block: ["x", "y"], at: 1 },
    { name: "whole", lines: ["x"], block: ["x"], at: 0 },
  ])("$name", ({ lines, block, at }) => {
    expect(new LineFinder(lines).find(block, { from: 0 })).toBe(at);
  });

  test.each([
    { name: "another text", lines: ["a", "b"], block: ["c"] },
    { name: "other letters' case", lines: ["Abc"], block: ["abc"] },
    { name: "blanks inside a line", lines: ["a  b"], block: ["a b"] },
    { name: "a longer block than the file", lines: ["a"], block: ["a", ""] },
    { name: "a block broken by another line", lines: ["a", "x", "b"], block: ["a", "b"] },
    { name: "an empty file", lines: [], block: ["a"] },
  ])("but not $name", ({ lines, block }) => {
    expect(new LineFinder(lines).find(block, { from: 0 })).toBeNull();
  });
});

describe("of several places", () => {
  test("the first at or after the start is taken", () => {
    const finder = new LineFinder(["a", "b", "a", "b"]);
    expect([0, 1, 2, 3].map((from) => finder.find(["a"], { from }))).toEqual([0, 2, 2, null]);
  });

  test.each([
    { name: "exact", lines: ["  -", "- ", "-"], at: 2 },
    { name: "trimmed at the end", lines: [" -", "\u2014", "- "], at: 2 },
    { name: "trimmed at both ends", lines: ["\u2014", " -"], at: 1 },
  ])("a stricter match further down wins: $name", ({ lines, at }) => {
    expect(new LineFinder(lines).find(["-"], { from: 0 })).toBe(at);
  });

  test("overlapping beginnings are not missed", () => {
    expect(new LineFinder(["a", "a", "b", "a", "a", "a", "b", "c"]).find(["a", "a", "b", "c"], { from: 0 })).toBe(4);
  });
});

describe("at the end of the file", () => {
  const finder = new LineFinder(["a", "b", "a", "b "]);

  test.each([
    { block: ["a", "b"], from: 0, at: 2 },
    { block: ["b"], from: 0, at: 3 },
    { block: ["a"], from: 0, at: null },
    { block: ["a", "b"], from: 3, at: null },
  ])("$block from $from", ({ block, from, at }) => {
    expect(finder.find(block, { from, atEnd: true })).toBe(at);
  });
});

test("agrees with a plain search on random repetitive lines", () => {
  const random = seededRandom(7);
  for (let round = 0; round < 2_000; round += 1) {
    const lines = Array.from({ length: random(14) }, () => "ab"[random(2)] ?? "");
    const block = Array.from({ length: 1 + random(5) }, () => "ab"[random(2)] ?? "");
    const from = random(4);
    const expected = lines.findIndex(
      (_, index) => index >= from && block.every((line, offset) => lines[index + offset] === line),
    );
    expect({ lines, block, from, at: new LineFinder(lines).find(block, { from }) ?? -1 }).toEqual({
      lines,
      block,
      from,
      at: expected,
    });
  }
});

test("a million equal lines do not cost their square, which would take minutes", () => {
  const finder = new LineFinder(Array.from({ length: 1_000_000 }, () => "}"));
  const block = [...Array.from({ length: 500_000 }, () => "}"), "end"];
  expect(finder.find(block, { from: 0 })).toBeNull();
});
