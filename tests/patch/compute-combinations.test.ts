import { describe, expect, test } from "vitest";
import { computeChanges } from "../../src/patch/compute-changes.ts";
import { toFileChanges, toFileOperations } from "../../src/patch/file-changes.ts";
import { compute, type Files, patchFiles, patchOf, systemError } from "./memory-files.ts";

const add = (path: string, line: string) => [`*** Add File: ${path}`, `+${line}`];
const remove = (path: string) => [`*** Delete File: ${path}`];
const update = (path: string, from: string, to: string) => [`*** Update File: ${path}`, "@@", `-${from}`, `+${to}`];
const move = (path: string, target: string, from: string, to: string) => [
  `*** Update File: ${path}`,
  `*** Move to: ${target}`,
  "@@",
  `-${from}`,
  `+${to}`,
];

describe("several hunks for one file see each other", () => {
  test.each<{ name: string; hunks: readonly string[][]; files: Files; after: Files; lines: string }>([
    {
      name: "update, update",
      hunks: [update("f", "1", "2"), update("f", "2", "3")],
      files: { f: "1\n" },
      after: { f: "3\n" },
      lines: "M f\n",
    },
    {
      name: "update of the same file under two spellings",
      hunks: [update("f", "1", "2"), update("./d/../f", "2", "3")],
      files: { f: "1\n" },
      after: { f: "3\n" },
      lines: "M f\n",
    },
    {
      name: "the second update may go above the first",
      hunks: [update("f", "b", "B"), update("f", "a", "A")],
      files: { f: "a\nb\n" },
      after: { f: "A\nB\n" },
      lines: "M f\n",
    },
    {
      name: "update back and forth",
      hunks: [update("f", "1", "2"), update("f", "2", "1")],
      files: { f: "1\n" },
      after: { f: "1\n" },
      lines: "M f\n",
    },
    {
      name: "add, update",
      hunks: [add("f", "1"), update("f", "1", "2")],
      files: {},
      after: { f: "2\n" },
      lines: "A f\n",
    },
    {
      name: "add over a file, update",
      hunks: [add("f", "1"), update("f", "1", "2")],
      files: { f: "old\n" },
      after: { f: "2\n" },
      lines: "A f\n",
    },
    { name: "add, add", hunks: [add("f", "1"), add("f", "2")], files: {}, after: { f: "2\n" }, lines: "A f\n" },
    { name: "add, delete", hunks: [add("f", "1"), remove("f")], files: { g: "" }, after: { g: "" }, lines: "" },
    {
      name: "add over a file, delete",
      hunks: [add("f", "1"), remove("f")],
      files: { f: "old\n" },
      after: {},
      lines: "D f\n",
    },
    {
      name: "update, delete",
      hunks: [update("f", "1", "2"), remove("f")],
      files: { f: "1\n" },
      after: {},
      lines: "D f\n",
    },
    {
      name: "update, add",
      hunks: [update("f", "1", "2"), add("f", "3")],
      files: { f: "1\n" },
      after: { f: "3\n" },
      lines: "M f\n",
    },
    {
      name: "delete, add",
      hunks: [remove("f"), add("f", "2")],
      files: { f: "1\n" },
      after: { f: "2\n" },
      lines: "M f\n",
    },
    {
      name: "delete, add, delete",
      hunks: [remove("f"), add("f", "2"), remove("f")],
      files: { f: "1\n" },
      after: {},
      lines: "D f\n",
    },
    {
      name: "delete a file, add one in a directory of its name",
      hunks: [remove("f"), add("f/g", "2")],
      files: { f: "1\n" },
      after: { "f/g": "2\n" },
      lines: "A f/g\nD f\n",
    },
    {
      name: "move onto itself",
      hunks: [move("f", "./f", "1", "2")],
      files: { f: "1\n" },
      after: { f: "2\n" },
      lines: "M f\n",
    },
    {
      name: "move over another file",
      hunks: [move("f", "g", "1", "2")],
      files: { f: "1\n", g: "old\n" },
      after: { g: "2\n" },
      lines: "M g\n",
    },
    {
      name: "move, update at the new place",
      hunks: [move("f", "g", "1", "2"), update("g", "2", "3")],
      files: { f: "1\n" },
      after: { g: "3\n" },
      lines: "M g\n",
    },
    {
      name: "update, move",
      hunks: [update("f", "1", "2"), move("f", "g", "2", "3")],
      files: { f: "1\n" },
      after: { g: "3\n" },
      lines: "M g\n",
    },
    {
      name: "move, move on",
      hunks: [move("f", "g", "1", "2"), move("g", "h", "2", "3")],
      files: { f: "1\n" },
      after: { h: "3\n" },
      lines: "M h\n",
    },
    {
      name: "move over another file, move on",
      hunks: [move("f", "g", "1", "2"), move("g", "h", "2", "3")],
      files: { f: "1\n", g: "old\n" },
      after: { h: "3\n" },
      lines: "M h\nD g\n",
    },
    {
      name: "move there and back",
      hunks: [move("f", "g", "1", "2"), move("g", "f", "2", "3")],
      files: { f: "1\n" },
      after: { f: "3\n" },
      lines: "M f\n",
    },
    {
      name: "move, add in the old place",
      hunks: [move("f", "g", "1", "2"), add("f", "3")],
      files: { f: "1\n" },
      after: { f: "3\n", g: "2\n" },
      lines: "A g\nM f\n",
    },
    {
      name: "move, delete at the new place",
      hunks: [move("f", "g", "1", "2"), remove("g")],
      files: { f: "1\n" },
      after: {},
      lines: "D f\n",
    },
    {
      name: "add, move",
      hunks: [add("f", "1"), move("f", "g", "1", "2")],
      files: {},
      after: { g: "2\n" },
      lines: "A g\n",
    },
    {
      name: "delete, move to its place",
      hunks: [remove("g"), move("f", "g", "1", "2")],
      files: { f: "1\n", g: "old\n" },
      after: { g: "2\n" },
      lines: "M g\n",
    },
    {
      name: "two files moved to one place",
      hunks: [move("f", "h", "1", "2"), move("g", "h", "3", "4")],
      files: { f: "1\n", g: "3\n" },
      after: { h: "4\n" },
      lines: "M h\nD f\n",
    },
    {
      name: "two files change places by a third name",
      hunks: [move("f", "t", "1", "1"), move("g", "f", "2", "2"), move("t", "g", "1", "1")],
      files: { f: "1\n", g: "2\n" },
      after: { f: "2\n", g: "1\n" },
      lines: "M f\nM g\n",
    },
  ])("$name", ({ hunks, files, after, lines }) => {
    expect(patchFiles(patchOf(...hunks.flat()), files)).toEqual({
      files: after,
      text: `Success. Updated the following files:\n${lines}`,
    });
  });

  test.each<{ name: string; hunks: readonly string[][]; problem: string }>([
    {
      name: "delete, update",
      hunks: [remove("f"), update("f", "1", "2")],
      problem:
        "Failed to read file to update /ws/f: No such file or directory (os error 2)\nAn earlier hunk of this patch deletes it.",
    },
    {
      name: "delete, delete",
      hunks: [remove("f"), remove("f")],
      problem:
        "Failed to read /ws/f: No such file or directory (os error 2)\nAn earlier hunk of this patch deletes it.",
    },
    {
      name: "move, update at the old place",
      hunks: [move("f", "d/g", "1", "2"), update("f", "2", "3")],
      problem:
        "Failed to read file to update /ws/f: No such file or directory (os error 2)\nAn earlier hunk of this patch moves it to 'd/g'.",
    },
    {
      name: "update of what an earlier update has replaced",
      hunks: [update("f", "1", "two"), update("f", "1", "3")],
      problem: "Failed to find expected lines in /ws/f:\n1",
    },
  ])("$name is an error", ({ hunks, problem }) => {
    expect(compute(patchOf(...hunks.flat()), { f: "1\n" })).toEqual({ ok: false, problem });
  });
});

test("each file gets one change, one event entry and no operation on itself twice", () => {
  const patch = patchOf(
    ...update("f", "1", "2").concat(update("f", "2", "3"), move("g", "h", "a", "b"), update("h", "b", "c")),
  );
  const computed = compute(patch, { f: "1\n", g: "a\n" });
  const changes = computed.ok ? computed.changes : [];
  expect(toFileChanges(changes)).toEqual({
    "/ws/f": { update: { unified_diff: "@@ -1 +1 @@\n-1\n+3\n", move_path: null } },
    "/ws/g": { update: { unified_diff: "@@ -1 +1 @@\n-a\n+c\n", move_path: "/ws/h" } },
  });
  expect(toFileOperations(changes)).toEqual([
    { type: "write", path: "/ws/f", content: "3\n" },
    { type: "write", path: "/ws/h", content: "c\n" },
    { type: "delete", path: "/ws/g" },
  ]);
});

test("a file that an addition hides and a deletion takes away must be readable after all", () => {
  const readFile = (): string => {
    throw systemError("EACCES");
  };
  const hunks = [
    { type: "add", path: "f", content: "1\n" },
    { type: "delete", path: "f" },
  ] as const;
  expect(computeChanges(hunks, { cwd: "/ws", readFile })).toEqual({
    ok: false,
    problem: "Failed to read /ws/f: Permission denied (os error 13)",
  });
});
