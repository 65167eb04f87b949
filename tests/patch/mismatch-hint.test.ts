import { describe, expect, test } from "vitest";
import { compute, patchOf } from "./memory-files.ts";

const FILE = [
  "import { a } from 'a';",
  "",
  "export function first() {",
  "  return a(1, 2);",
  "}",
  "",
  "export function second() {",
  "  return a(3);",
  "}",
  "",
].join("\n");

/** What is said after the sentence that names the lines which were not found. */
function hintFor(hunk: readonly string[], file = FILE): string | null {
  const computed = compute(patchOf("*** Update File: f", ...hunk), { f: file });
  if (computed.ok) throw new Error("the hunk fits");
  const sentenceEnd = computed.problem.startsWith("Failed to find context") ? 1 : 1 + oldLinesOfLastChunk(hunk);
  return computed.problem.split("\n").slice(sentenceEnd).join("\n") || null;
}

function oldLinesOfLastChunk(hunk: readonly string[]): number {
  const lines = hunk.slice(hunk.findLastIndex((line) => line.startsWith("@@")) + 1);
  return lines.filter((line) => /^[- ]|^$/.test(line)).length;
}

describe("a block that is not found", () => {
  test.each<{ name: string; hunk: readonly string[]; hint: string | null }>([
    {
      name: "is shown the one line that differs",
      hunk: ["@@", " export function first() {", "-  return a(1);", "+  return a(2);", " }"],
      hint: "The closest place is lines 3-5; line 4 is:   return a(1, 2);",
    },
    {
      name: "of one line is shown a similar line",
      hunk: ["@@", "-  return a(1, 3);", "+  return a(2);"],
      hint: "The closest line is line 4:   return a(1, 2);",
    },
    {
      name: "is shown the most lines, not the first that fit",
      hunk: ["@@", " export function third() {", "-  return a(3);", "+  return a(4);", " }"],
      hint: "The closest place is lines 7-9; line 7 is: export function second() {",
    },
    {
      name: "is told that the file ends",
      hunk: ["@@", "   return a(3);", " }", "-// end"],
      hint: "The closest place is lines 8-9; the file ends there.",
    },
    {
      name: "is told that the file begins",
      hunk: ["@@", " // start", "-import { a } from 'a';"],
      hint: "The closest place is line 1; the block starts above the first line of the file.",
    },
    {
      name: "is told that it comes out of order",
      hunk: ["@@", "-  return a(3);", "+  return a(4);", "@@", "-  return a(1, 2);", "+  return a(5);"],
      hint: "Found at line 4, but the search starts below line 8: give the chunks in the order of the file.",
    },
    {
      name: "is told that its context lies below it",
      hunk: ["@@ export function second() {", "-  return a(1, 2);"],
      hint: "Found at line 4, but the search starts below line 7: give the chunks in the order of the file.",
    },
    {
      name: "is told that it does not end the file",
      hunk: ["@@", "-  return a(1, 2);", "+  return a();", "*** End of File"],
      hint: "Found at line 4, not at the end of the file: leave out '*** End of File'.",
    },
    {
      name: "is told that the change is already made",
      hunk: ["@@", " export function second() {", "-  return b();", "+  return a(3);", " }"],
      hint: "The new lines are already there, at line 7.",
    },
    { name: "is not guessed at", hunk: ["@@", "-something else entirely", "+x"], hint: null },
    { name: "is not placed by blank lines", hunk: ["@@", " ", "-something else entirely", "+x"], hint: null },
  ])("$name", ({ hunk, hint }) => {
    expect(hintFor(hunk)).toBe(hint);
  });

  test("is shown the place of most of its lines, not the first place of one", () => {
    expect(hintFor(["@@", " b", "-c", " x"], "b\nq\nb\nc\nd\n")).toBe("The closest place is lines 3-5; line 5 is: d");
  });

  test("is not placed by a line that stands everywhere", () => {
    const file = Array.from({ length: 200 }, () => "}\n").join("");
    expect(hintFor(["@@", "-something", " }"], file)).toBeNull();
  });

  test("is shown no more than the beginning of a long line", () => {
    const long = "x".repeat(500);
    expect(hintFor(["@@", `-${long}y`, "+z"], `${long}z\n`)).toBe(`The closest line is line 1: ${"x".repeat(200)}…`);
  });
});

describe("a context line that is not found", () => {
  test.each<{ name: string; hunk: readonly string[]; hint: string | null }>([
    {
      name: "is told the whole line it is part of",
      hunk: ["@@ function second", "-  return a(3);"],
      hint: "The context must be a whole line; line 7 is: export function second() {",
    },
    {
      name: "is told the next whole line it is part of, not an earlier one",
      hunk: ["@@", "-  return a(1, 2);", "+  return a();", "@@ export function", "-  return a(3);"],
      hint: "The context must be a whole line; line 7 is: export function second() {",
    },
    {
      name: "is told a similar line",
      hunk: ["@@ export function sekond() {", "-  return a(3);"],
      hint: "The context must be a whole line; line 7 is: export function second() {",
    },
    {
      name: "is told that it comes out of order",
      hunk: ["@@ export function second() {", "-  return a(3);", "@@ export function first() {", "-  return a(1, 2);"],
      hint: "Found at line 3, but the search starts below line 8: give the chunks in the order of the file.",
    },
    {
      name: "is told that line numbers do not count",
      hunk: ["@@ -3,2 +3,2 @@", "-  return a(1, 2);"],
      hint: "Line numbers have no meaning here: write '@@' alone, or '@@ ' and one whole line of the file.",
    },
    { name: "is not guessed at", hunk: ["@@ class Unrelated", "-x"], hint: null },
  ])("$name", ({ hunk, hint }) => {
    expect(hintFor(hunk)).toBe(hint);
  });
});

test("a file of 50,000 lines gets its hint", () => {
  const file = Array.from({ length: 50_000 }, (_, index) => `    const value${index} = compute(${index});\n`).join("");
  expect(hintFor(["@@", "-    const value49000 = compute(1);", "+x"], file)).toContain(
    "The closest line is line 49001: ",
  );
});
