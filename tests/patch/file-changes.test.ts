import { expect, test } from "vitest";
import { computeChanges } from "../../src/patch/compute-changes.ts";
import { successText, toFileChanges, toFileOperations, touchedPaths } from "../../src/patch/file-changes.ts";
import { compute, patchOf } from "./memory-files.ts";

const MANY_KINDS = patchOf(
  "*** Update File: a.txt",
  "@@",
  " one",
  "-two",
  "+TWO",
  " three",
  "@@",
  " four",
  "-five",
  "+FIVE",
  "*** Update File: b/old.txt",
  "*** Move to: b/new.txt",
  "@@",
  " alpha",
  "-beta",
  "+BETA",
  " gamma",
  "*** Delete File: c.txt",
  "*** Add File: d/e.txt",
  "+x",
  "+y",
);
const MANY_FILES = { "a.txt": "one\ntwo\nthree\nfour\nfive\n", "b/old.txt": "alpha\nbeta\ngamma\n", "c.txt": "gone\n" };

function changesOf(patch: string, files: Readonly<Record<string, string>>) {
  const computed = compute(patch, files);
  if (!computed.ok) throw new Error(computed.problem);
  return computed.changes;
}

test("events show each file under its old path", () => {
  expect(toFileChanges(changesOf(MANY_KINDS, MANY_FILES))).toEqual({
    "/ws/a.txt": {
      update: {
        unified_diff: "@@ -1,5 +1,5 @@\n one\n-two\n+TWO\n three\n four\n-five\n+FIVE\n",
        move_path: null,
      },
    },
    "/ws/b/old.txt": {
      update: { unified_diff: "@@ -1,3 +1,3 @@\n alpha\n-beta\n+BETA\n gamma\n", move_path: "/ws/b/new.txt" },
    },
    "/ws/c.txt": { delete: { content: "gone\n" } },
    "/ws/d/e.txt": { add: { content: "x\ny\n" } },
  });
});

test("a file over an existing one is shown as an addition", () => {
  const changes = changesOf(patchOf("*** Add File: a", "+new", "*** Add File: empty"), { a: "old\n" });
  expect(toFileChanges(changes)).toEqual({
    "/ws/a": { add: { content: "new\n" } },
    "/ws/empty": { add: { content: "" } },
  });
});

test("a missing final newline shows in the event", () => {
  const changes = changesOf(patchOf("*** Update File: a", "@@", "-b", "+B"), { a: "a\nb" });
  expect(toFileChanges(changes)).toEqual({
    "/ws/a": {
      update: { unified_diff: "@@ -1,2 +1,2 @@\n a\n-b\n\\ No newline at end of file\n+B\n", move_path: null },
    },
  });
});

test("operations come in the patch's order, a moved file is written before the old one goes", () => {
  expect(toFileOperations(changesOf(MANY_KINDS, MANY_FILES))).toEqual([
    { type: "write", path: "/ws/a.txt", content: "one\nTWO\nthree\nfour\nFIVE\n" },
    { type: "write", path: "/ws/b/new.txt", content: "alpha\nBETA\ngamma\n" },
    { type: "delete", path: "/ws/b/old.txt" },
    { type: "delete", path: "/ws/c.txt" },
    { type: "write", path: "/ws/d/e.txt", content: "x\ny\n" },
  ]);
});

test("a moved file keeps its permissions, when they are known", () => {
  const hunk = {
    type: "update",
    path: "run.sh",
    movePath: "bin/run.sh",
    chunks: [{ context: null, oldLines: ["a"], newLines: ["b"], keptFrom: [null], isEndOfFile: false }],
  } as const;
  const computed = computeChanges([hunk, { ...hunk, path: "plain", movePath: "bin/plain" }], {
    cwd: "/ws",
    readFile: () => "a\n",
    readMode: (path) => (path === "/ws/run.sh" ? 0o755 : null),
  });
  expect(computed.ok && toFileOperations(computed.changes)).toEqual([
    { type: "write", path: "/ws/bin/run.sh", content: "b\n", mode: 0o755 },
    { type: "delete", path: "/ws/run.sh" },
    { type: "write", path: "/ws/bin/plain", content: "b\n" },
    { type: "delete", path: "/ws/plain" },
  ]);
});

test("touched paths name both ends of a move", () => {
  expect(touchedPaths(changesOf(MANY_KINDS, MANY_FILES))).toEqual([
    "/ws/a.txt",
    "/ws/b/old.txt",
    "/ws/b/new.txt",
    "/ws/c.txt",
    "/ws/d/e.txt",
  ]);
});

test("the success text lists added, modified and deleted files, each kind in the patch's order", () => {
  expect(successText(changesOf(MANY_KINDS, MANY_FILES))).toBe(
    "Success. Updated the following files:\nA d/e.txt\nM a.txt\nM b/new.txt\nD c.txt\n",
  );
  const patch = patchOf("*** Delete File: z", "*** Add File: /abs/y", "*** Delete File: x", "*** Add File: ./w");
  expect(successText(changesOf(patch, { x: "", z: "" }))).toBe(
    "Success. Updated the following files:\nA /abs/y\nA ./w\nD z\nD x\n",
  );
});
