import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { applyPatch } from "diff";
import { describe, expect, test } from "vitest";
import { unifiedDiff } from "../../src/patch/unified-diff.ts";
import { seededRandom } from "./seeded-random.ts";

describe("hunks are written as git writes them", () => {
  test.each([
    { name: "nothing for equal texts", before: "a\n", after: "a\n", diff: "" },
    { name: "a length of one goes unsaid", before: "one\n", after: "uno\n", diff: "@@ -1 +1 @@\n-one\n+uno\n" },
    { name: "a new file", before: "", after: "hi\n", diff: "@@ -0,0 +1 @@\n+hi\n" },
    { name: "a file of two lines", before: "", after: "x\ny\n", diff: "@@ -0,0 +1,2 @@\n+x\n+y\n" },
    { name: "a file that goes", before: "gone\n", after: "", diff: "@@ -1 +0,0 @@\n-gone\n" },
    {
      name: "one line of context",
      before: "1\n2\n3\n4\n5\n",
      after: "1\n2\nx\n4\n5\n",
      diff: "@@ -2,3 +2,3 @@\n 2\n-3\n+x\n 4\n",
    },
    {
      name: "changes whose context touches share a hunk",
      before: "one\ntwo\nthree\nfour\nfive\n",
      after: "one\nTWO\nthree\nfour\nFIVE\n",
      diff: "@@ -1,5 +1,5 @@\n one\n-two\n+TWO\n three\n four\n-five\n+FIVE\n",
    },
    {
      name: "changes further apart do not",
      before: "1\n2\n3\n4\n5\n",
      after: "x\n2\n3\n4\ny\n",
      diff: "@@ -1,2 +1,2 @@\n-1\n+x\n 2\n@@ -4,2 +4,2 @@\n 4\n-5\n+y\n",
    },
    {
      name: "an insertion moves the numbers of what follows",
      before: "1\n2\n3\n4\n5\n6\n",
      after: "1\na\nb\n2\n3\n4\n5\n",
      diff: "@@ -1,2 +1,4 @@\n 1\n+a\n+b\n 2\n@@ -5,2 +7 @@\n 5\n-6\n",
    },
    {
      name: "a final newline that is added",
      before: "a",
      after: "a\n",
      diff: "@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+a\n",
    },
    {
      name: "a final newline that is missing on both sides",
      before: "a\nb",
      after: "A\nb",
      diff: "@@ -1,2 +1,2 @@\n-a\n+A\n b\n\\ No newline at end of file\n",
    },
    { name: "carriage returns", before: "a\r\n", after: "b\r\n", diff: "@@ -1 +1 @@\n-a\r\n+b\r\n" },
    {
      name: "removed before added lines",
      before: "1\n2\n3\n",
      after: "a\nb\n",
      diff: "@@ -1,3 +1,2 @@\n-1\n-2\n-3\n+a\n+b\n",
    },
  ])("$name", ({ before, after, diff }) => {
    expect(unifiedDiff(before, after, { contextLines: 1 })).toBe(diff);
  });
});

test("random edits: the diff leads from one text to the other", () => {
  for (let seed = 1; seed <= 600; seed += 1) {
    const { before, after } = randomPair(seed);
    const diff = unifiedDiff(before, after, { contextLines: seed % 4 });
    expect({ seed, after: diff === "" ? before : applyPatch(before, diff) }).toEqual({ seed, after });
  }
});

test("random edits: the diff is as short as git's, and equal to it where lines differ", () => {
  const cases = Array.from({ length: 120 }, (_, index) => randomPair(index + 1));
  const fromGit = gitDiffs(cases);
  const ours = cases.map(({ before, after }) => unifiedDiff(before, after, { contextLines: 3 }));
  expect(ours.map(countChanges)).toEqual(fromGit.map(countChanges));
  const isDistinct = ({ before }: { before: string }): boolean => {
    const lines = before.split("\n");
    return new Set(lines).size === lines.length;
  };
  const distinct = cases.flatMap((pair, index) => (isDistinct(pair) ? [index] : []));
  expect(distinct.length).toBeGreaterThan(20);
  expect(distinct.map((index) => ours[index])).toEqual(distinct.map((index) => fromGit[index]));
});

describe("files of 20,000 lines", () => {
  const lines = Array.from({ length: 20_000 }, (_, index) => `line ${index}\n`);
  const text = lines.join("");

  test("one changed line is all there is to see", () => {
    const changed = lines.with(12_000, "changed\n").join("");
    const diff = unifiedDiff(text, changed, { contextLines: 1 });
    expect(diff).toBe("@@ -12000,3 +12000,3 @@\n line 11999\n-line 12000\n+changed\n line 12001\n");
  });

  test.each([
    { name: "that share nothing", other: lines.map((line) => `other ${line}`) },
    { name: "in the opposite order", other: lines.toReversed() },
  ])("texts $name are replaced as a whole", ({ other }) => {
    const diff = unifiedDiff(text, other.join(""), { contextLines: 1 });
    const removed = lines.map((line) => `-${line}`).join("");
    const added = other.map((line) => `+${line}`).join("");
    expect(diff === `@@ -1,20000 +1,20000 @@\n${removed}${added}`).toBe(true);
  });

  test("many changed lines leave the others as context", () => {
    const changed = lines.map((line, index) => (index % 4 === 0 ? `new ${line}` : line)).join("");
    const diff = unifiedDiff(text, changed, { contextLines: 1 });
    expect(diff.split("\n").slice(0, 4)).toEqual(["@@ -1,2 +1,2 @@", "-line 0", "+new line 0", " line 1"]);
    expect(countChanges(diff)).toBe(10_000);
  });

  test("what is equal at both ends stays out of it", () => {
    const middle = lines.slice(5, -5).toReversed();
    const other = [...lines.slice(0, 5), ...middle, ...lines.slice(-5)].join("");
    expect(unifiedDiff(text, other, { contextLines: 1 })).toMatch(/^@@ -5,19992 \+5,19992 @@\n line 4\n-line 5\n/);
  });
});

function countChanges(diff: string | undefined): number {
  return (diff ?? "").split("\n").filter((line) => /^[-+]/.test(line)).length;
}

/** Lines begin with a blank, so that git finds no function names to put into its headers. */
function randomPair(seed: number): { before: string; after: string } {
  const random = seededRandom(seed);
  const alphabet = [3, 20, 10_000][seed % 3] ?? 1;
  const word = (): string => ` ${random(alphabet)}\n`;
  const lines = Array.from({ length: random(50) }, word);
  const edited = [...lines];
  for (let count = 1 + random(5); count > 0; count -= 1) {
    const added = Array.from({ length: random(3) }, word);
    edited.splice(random(edited.length + 1), random(3), ...added);
  }
  const cut = (text: string): string => (random(5) === 0 ? text.slice(0, -1) : text);
  return { before: cut(lines.join("")), after: cut(edited.join("")) };
}

function gitDiffs(cases: readonly { before: string; after: string }[]): readonly string[] {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), "unified-diff-"));
  try {
    const nameOf = (index: number): string => `file${String(index).padStart(4, "0")}`;
    for (const side of ["before", "after"] as const) {
      fs.mkdirSync(path.join(directory, side));
      for (const [index, pair] of cases.entries()) {
        fs.writeFileSync(path.join(directory, side, nameOf(index)), pair[side]);
      }
    }
    const output = gitDiffOutput(directory);
    const hunks = new Map<string, string>();
    for (const part of output.split(/^diff --git a\/before\//m).slice(1)) {
      const start = part.search(/^@@/m);
      hunks.set(part.slice(0, nameOf(0).length), start < 0 ? "" : part.slice(start));
    }
    return cases.map((_, index) => hunks.get(nameOf(index)) ?? "");
  } finally {
    fs.rmSync(directory, { recursive: true });
  }
}

function gitDiffOutput(directory: string): string {
  const args = ["diff", "--no-index", "--no-indent-heuristic", "before", "after"];
  const env = { ...process.env, GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_NOSYSTEM: "1" };
  try {
    return execFileSync("git", args, { cwd: directory, env, encoding: "utf8" });
  } catch (error) {
    // Git answers 1 when there are differences.
    if (error instanceof Error && "status" in error && error.status === 1 && "stdout" in error)
      return String(error.stdout);
    throw error;
  }
}
