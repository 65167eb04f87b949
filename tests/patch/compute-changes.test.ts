import { describe, expect, test } from "vitest";
import { type ComputeOptions, computeChanges } from "../../src/patch/compute-changes.ts";
import { parsePatch } from "../../src/patch/parse-patch.ts";
import { CWD, compute, type Files, patchFiles, patchOf, systemError } from "./memory-files.ts";

const NUMBERS = "one\ntwo\nthree\nfour\nfive\n";

test("every kind of hunk in one patch", () => {
  const patch = patchOf(
    "*** Update File: a.txt",
    "@@",
    " one",
    "-two",
    "+TWO",
    "*** Update File: b/old.txt",
    "*** Move to: b/new.txt",
    "@@",
    "-beta",
    "+BETA",
    "*** Delete File: c.txt",
    "*** Add File: d/e.txt",
    "+x",
    "+y",
  );
  const files = { "a.txt": NUMBERS, "b/old.txt": "alpha\nbeta\n", "c.txt": "gone\n" };
  expect(compute(patch, files)).toEqual({
    ok: true,
    changes: [
      {
        kind: "update",
        path: "/ws/a.txt",
        displayPath: "a.txt",
        movePath: null,
        mode: null,
        oldContent: NUMBERS,
        newContent: "one\nTWO\nthree\nfour\nfive\n",
      },
      {
        kind: "update",
        path: "/ws/b/old.txt",
        displayPath: "b/new.txt",
        movePath: "/ws/b/new.txt",
        mode: null,
        oldContent: "alpha\nbeta\n",
        newContent: "alpha\nBETA\n",
      },
      {
        kind: "delete",
        path: "/ws/c.txt",
        displayPath: "c.txt",
        movePath: null,
        oldContent: "gone\n",
        newContent: null,
      },
      {
        kind: "add",
        path: "/ws/d/e.txt",
        displayPath: "d/e.txt",
        movePath: null,
        oldContent: null,
        newContent: "x\ny\n",
      },
    ],
  });
});

describe("a patch that does not fit says why, and changes nothing", () => {
  const notUtf8 = Uint8Array.of(0x61, 0xff, 0x0a);

  test.each<{ name: string; patch: string; files: Files; problem: string }>([
    {
      name: "context not found",
      patch: patchOf("*** Update File: a.txt", "@@ def missing():", "-two"),
      files: { "a.txt": NUMBERS },
      problem: "Failed to find context 'def missing():' in /ws/a.txt",
    },
    {
      name: "lines not found",
      patch: patchOf("*** Update File: sub/../a.txt", "@@", " nope", "-neither", "+yes"),
      files: { "a.txt": NUMBERS },
      problem: "Failed to find expected lines in /ws/a.txt:\nnope\nneither",
    },
    {
      name: "lines in an empty file",
      patch: patchOf("*** Update File: a.txt", "-nope"),
      files: { "a.txt": "" },
      problem: "Failed to find expected lines in /ws/a.txt:\nnope",
    },
    {
      name: "update of a missing file",
      patch: patchOf("*** Update File: a.txt", "-nope"),
      files: {},
      problem: "Failed to read file to update /ws/a.txt: No such file or directory (os error 2)",
    },
    {
      name: "deletion of a missing file",
      patch: patchOf("*** Delete File: /elsewhere/a.txt"),
      files: {},
      problem: "Failed to read /elsewhere/a.txt: No such file or directory (os error 2)",
    },
    {
      name: "update of a binary file",
      patch: patchOf("*** Update File: a.bin", "-nope"),
      files: { "a.bin": notUtf8 },
      problem: "Failed to read file to update /ws/a.bin: stream did not contain valid UTF-8",
    },
    {
      name: "deletion of a binary file",
      patch: patchOf("*** Delete File: a.bin"),
      files: { "a.bin": notUtf8 },
      problem: "Failed to read /ws/a.bin: stream did not contain valid UTF-8",
    },
    {
      name: "a later hunk of several",
      patch: patchOf("*** Add File: new.txt", "+x", "*** Update File: a.txt", "-nope"),
      files: { "a.txt": NUMBERS },
      problem: "Failed to find expected lines in /ws/a.txt:\nnope",
    },
  ])("$name", ({ patch, files, problem }) => {
    expect(compute(patch, files)).toEqual({ ok: false, problem });
  });

  test.each([
    { code: "EISDIR", words: "Is a directory (os error 21)" },
    { code: "EACCES", words: "Permission denied (os error 13)" },
    { code: "EIO", words: "EIO: as node words it" },
  ])("a file that answers $code", ({ code, words }) => {
    const hunks = [{ type: "delete", path: "a" }] as const;
    const readFile = (): string => {
      throw systemError(code);
    };
    expect(computeChanges(hunks, { cwd: CWD, readFile })).toEqual({
      ok: false,
      problem: `Failed to read /ws/a: ${words}`,
    });
  });
});

test("bytes are read as UTF-8, a byte order mark included", () => {
  const bytes = new TextEncoder().encode("\uFEFFä\nb\n");
  expect(compute(patchOf("*** Update File: a", "@@", "-ä", "+ö"), { a: bytes })).toMatchObject({
    changes: [{ oldContent: "\uFEFFä\nb\n", newContent: "\uFEFFö\nb\n" }],
  });
});

describe("where a chunk goes", () => {
  const functions = "def a():\n    pass\n\ndef b():\n    pass\n";

  test.each<{ name: string; file: string; hunk: readonly string[]; result: string }>([
    {
      name: "to the first of two equal places",
      file: functions,
      hunk: ["@@", "-    pass", "+    go()"],
      result: "def a():\n    go()\n\ndef b():\n    pass\n",
    },
    {
      name: "to the place below its context",
      file: functions,
      hunk: ["@@ def b():", "-    pass", "+    go()"],
      result: "def a():\n    pass\n\ndef b():\n    go()\n",
    },
    {
      name: "below a context that is spelled differently",
      file: "“a”  \nx\n",
      hunk: ['@@ "a"', "-x", "+y"],
      result: "“a”  \ny\n",
    },
    {
      name: "below the chunk before it",
      file: "x\nx\nx\n",
      hunk: ["@@", "-x", "+1", "@@", "-x", "+2"],
      result: "1\n2\nx\n",
    },
    {
      name: "to the end of the file",
      file: "x\ny\nx\n",
      hunk: ["@@", "-x", "+z", "*** End of File"],
      result: "x\ny\nz\n",
    },
    {
      name: "to the end of the file, with a blank line after it",
      file: "x\ny\nx\n",
      hunk: ["@@", "-x", "+z", "", "*** End of File"],
      result: "x\ny\nz\n",
    },
    { name: "to the end when it only adds", file: NUMBERS, hunk: ["@@", "+six"], result: `${NUMBERS}six\n` },
    {
      name: "to the end when it only adds, whatever its context",
      file: NUMBERS,
      hunk: ["@@ two", "+six"],
      result: `${NUMBERS}six\n`,
    },
    {
      name: "before a blank line at the end when it only adds",
      file: "a\n\n",
      hunk: ["@@", "+b"],
      result: "a\nb\n\n",
    },
    { name: "into an empty file", file: "", hunk: ["@@", "+a"], result: "a\n" },
    {
      name: "to the end, without shifting the chunks after it",
      file: NUMBERS,
      hunk: ["@@", "+six", "@@", "-two", "@@", "+seven"],
      result: "one\nthree\nfour\nfive\nsix\nseven\n",
    },
    {
      name: "behind a change of the last lines",
      file: "a\nb\n\n",
      hunk: ["@@", "+c", "@@", "-b", "-", "+B", "+"],
      result: "a\nB\n\nc\n",
    },
    {
      name: "past blank lines that only separate chunks",
      file: "a\nb\n",
      hunk: ["@@", "-a", "+A", "", "", "@@", "-b", "+B"],
      result: "A\nB\n",
    },
    { name: "onto a blank line that is there", file: "a\n\nb\n", hunk: ["@@", " a", "", "-b"], result: "a\n\n" },
    { name: "onto nothing but context", file: "a\n", hunk: ["@@", " a"], result: "a\n" },
    { name: "over the whole file", file: "a\nb\n", hunk: ["@@", "-a", "-b"], result: "" },
  ])("$name", ({ file, hunk, result }) => {
    expect(patchFiles(patchOf("*** Update File: f", ...hunk), { f: file })).toEqual({
      files: { f: result },
      text: "Success. Updated the following files:\nM f\n",
    });
  });

  test.each([
    { name: "above the chunk before it", hunk: ["@@", "-four", "@@", "-two"] },
    { name: "across the chunk before it", hunk: ["@@", " one", "-two", "@@", " two", "-three"] },
    { name: "above its context", hunk: ["@@ three", "-two"] },
    { name: "in the middle when it wants the end", hunk: ["@@", "-two", "*** End of File"] },
  ])("never $name", ({ hunk }) => {
    expect(compute(patchOf("*** Update File: f", ...hunk), { f: NUMBERS })).toMatchObject({
      ok: false,
      problem: expect.stringContaining("Failed to find expected lines in /ws/f:\n"),
    });
  });
});

test.each([
  { name: "blanks at the end", file: "a \nb\t\nc\n", hunk: [" a", "-b", "+B", " c"], result: "a\nB\nc\n" },
  { name: "indentation", file: "\ta\n\tb\n", hunk: ["   a", "-  b", "+  B"], result: "  a\n  B\n" },
  { name: "punctuation", file: "“a” – b\nc\n", hunk: [' "a" - b', "-c", "+C"], result: '"a" - b\nC\n' },
  { name: "no-break space", file: "a\u00a0b\n", hunk: ["-a b", "+A B"], result: "A B\n" },
])("lines that differ in $name are found and take the patch's text", ({ file, hunk, result }) => {
  expect(patchFiles(patchOf("*** Update File: f", "@@", ...hunk), { f: file })).toMatchObject({ files: { f: result } });
});

describe("paths", () => {
  test.each([
    { name: "a.txt", path: "/ws/a.txt" },
    { name: "./a.txt", path: "/ws/a.txt" },
    { name: "sub/../../out.txt", path: "/out.txt" },
    { name: "/abs/a.txt", path: "/abs/a.txt" },
    { name: "with blank/ä.txt", path: "/ws/with blank/ä.txt" },
  ])("$name is folded by its spelling alone and shown as written", ({ name, path }) => {
    expect(compute(patchOf(`*** Add File: ${name}`, "+x"), {})).toMatchObject({
      changes: [{ path, displayPath: name }],
    });
  });

  test("a move is relative to the same directory as its file", () => {
    const patch = patchOf("*** Update File: a", "*** Move to: ../b", "-x", "+y");
    const parsed = parsePatch(patch);
    const options: ComputeOptions = { cwd: "/ws/a b/c", readFile: () => "x\n", readMode: () => 0o755 };
    expect(parsed.ok && computeChanges(parsed.hunks, options)).toMatchObject({
      changes: [{ path: "/ws/a b/c/a", movePath: "/ws/a b/b", displayPath: "../b", mode: 0o755 }],
    });
  });

  test("an added file is not read: a binary one may be in its place", () => {
    const readFile = (): string => {
      throw new Error("was read");
    };
    const hunks = [{ type: "add", path: "a", content: "x\n" }] as const;
    expect(computeChanges(hunks, { cwd: CWD, readFile })).toMatchObject({
      changes: [{ kind: "add", oldContent: null }],
    });
  });
});
