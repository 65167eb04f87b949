import { describe, expect, test } from "vitest";
import { type Hunk, parsePatch } from "../../src/patch/parse-patch.ts";
import { patchOf } from "./memory-files.ts";

const VALID_HEADERS =
  "Valid hunk headers: '*** Add File: {path}', '*** Delete File: {path}', '*** Update File: {path}'";
const LINE_RULE = "Every line should start with ' ' (context line), '+' (added line), or '-' (removed line)";

describe("a patch that cannot be read says why", () => {
  const noBegin = "invalid patch: The first line of the patch must be '*** Begin Patch'";
  const noEnd = "invalid patch: The last line of the patch must be '*** End Patch'";

  test.each([
    { name: "nothing at all", text: "", problem: noBegin },
    { name: "no begin marker", text: "*** Add File: a\n+x\n*** End Patch", problem: noBegin },
    { name: "a begin marker with more behind it", text: "*** Begin Patch now\n*** End Patch", problem: noBegin },
    { name: "only the begin marker", text: "*** Begin Patch", problem: noEnd },
    { name: "no end marker", text: "*** Begin Patch\n*** Add File: a\n+x", problem: noEnd },
    { name: "an indented end marker", text: "*** Begin Patch\n*** Delete File: a\n *** End Patch", problem: noEnd },
    { name: "a here-document of three lines", text: "<<EOF\n*** Begin Patch\nEOF", problem: noBegin },
    {
      name: "a here-document with another tag",
      text: `<<END\n${patchOf("*** Delete File: a")}\nEND`,
      problem: noBegin,
    },
    { name: "a here-document around no patch", text: "<<EOF\nhello\nworld\nEOF", problem: noBegin },
    {
      name: "a here-document without end marker",
      text: "<<EOF\n*** Begin Patch\n*** Delete File: a\nEOF",
      problem: noEnd,
    },
    {
      name: "an unknown header",
      text: patchOf("*** Frob File: q"),
      problem: `invalid hunk at line 2, '*** Frob File: q' is not a valid hunk header. ${VALID_HEADERS}`,
    },
    {
      name: "a header without path",
      text: patchOf("*** Delete File: a", "*** Add File: "),
      problem: `invalid hunk at line 3, '*** Add File:' is not a valid hunk header. ${VALID_HEADERS}`,
    },
    {
      name: "a line of an added file without its plus",
      text: patchOf("*** Add File: a", "+x", "y"),
      problem: `invalid hunk at line 4, 'y' is not a valid hunk header. ${VALID_HEADERS}`,
    },
    {
      name: "an update without chunks",
      text: patchOf("*** Update File: a.txt"),
      problem: "invalid hunk at line 2, Update file hunk for path 'a.txt' is empty",
    },
    {
      name: "an update of blank lines only",
      text: patchOf("*** Delete File: b", "*** Update File: a.txt", "", "   "),
      problem: "invalid hunk at line 3, Update file hunk for path 'a.txt' is empty",
    },
    {
      name: "a pure move",
      text: patchOf("*** Update File: a.txt", "*** Move to: b.txt"),
      problem: "invalid hunk at line 2, Update file hunk for path 'a.txt' is empty",
    },
    {
      name: "a chunk that ends with its marker",
      text: patchOf("*** Update File: a.txt", "@@"),
      problem: "invalid hunk at line 4, Update hunk does not contain any lines",
    },
    {
      name: "a chunk that is only the end of file",
      text: patchOf("*** Update File: a.txt", "@@ here", "*** End of File"),
      problem: "invalid hunk at line 4, Update hunk does not contain any lines",
    },
    {
      name: "a line without sign",
      text: patchOf("*** Update File: a.txt", "@@", "bad"),
      problem: `invalid hunk at line 4, Unexpected line found in update hunk: 'bad'. ${LINE_RULE}`,
    },
    {
      name: "a line without sign where the marker is left out",
      text: patchOf("*** Update File: a.txt", "bad"),
      problem: `invalid hunk at line 3, Unexpected line found in update hunk: 'bad'. ${LINE_RULE}`,
    },
    {
      name: "two markers in a row",
      text: patchOf("*** Update File: a.txt", "@@ class A", "@@ def b", "-x"),
      problem: `invalid hunk at line 4, Unexpected line found in update hunk: '@@ def b'. ${LINE_RULE}`,
    },
    {
      name: "a second chunk without marker",
      text: patchOf("*** Update File: a.txt", "@@", "-a", "+b", " c", "foo"),
      problem: "invalid hunk at line 7, Expected update hunk to start with a @@ context marker, got: 'foo'",
    },
    {
      name: "lines after the end of file",
      text: patchOf("*** Update File: a.txt", "@@", "-a", "*** End of File", "+b"),
      problem: "invalid hunk at line 6, Expected update hunk to start with a @@ context marker, got: '+b'",
    },
  ])("$name", ({ text, problem }) => {
    expect(parsePatch(text)).toEqual({ ok: false, problem });
  });

  test("line numbers count from the begin marker inside a here-document", () => {
    const text = `<<'EOF'\n${patchOf("*** Frob File: q")}\nEOF`;
    expect(parsePatch(text)).toMatchObject({ problem: expect.stringContaining("invalid hunk at line 2, ") });
  });
});

describe("a patch that can be read", () => {
  const deletion: Hunk = { type: "delete", path: "a" };

  test.each<{ name: string; text: string; hunks: readonly Hunk[] }>([
    { name: "may be empty", text: "*** Begin Patch\n*** End Patch", hunks: [] },
    { name: "may have blanks around it", text: `\n  ${patchOf("*** Delete File: a")}\n\n`, hunks: [deletion] },
    {
      name: "may end its lines with CRLF",
      text: "*** Begin Patch\r\n*** Delete File: a\r\n*** End Patch\r\n",
      hunks: [deletion],
    },
    {
      name: "may be a here-document",
      text: `<<EOF\n${patchOf("*** Delete File: a")}\nEOF\n`,
      hunks: [deletion],
    },
    {
      name: "may be a here-document in single quotes",
      text: `<<'EOF'\n${patchOf("*** Delete File: a")}\nEOF`,
      hunks: [deletion],
    },
    {
      name: "may be a here-document in double quotes",
      text: `<<"EOF"\n${patchOf("*** Delete File: a")}\nEOF`,
      hunks: [deletion],
    },
    { name: "may indent its headers", text: patchOf("  *** Delete File: a "), hunks: [deletion] },
    {
      name: "may have blank lines between hunks",
      text: patchOf("", "*** Delete File: a", " ", "*** Delete File: a", ""),
      hunks: [deletion, deletion],
    },
    {
      name: "adds an empty file",
      text: patchOf("*** Add File: e"),
      hunks: [{ type: "add", path: "e", content: "" }],
    },
    {
      name: "adds lines, each with its newline",
      text: patchOf("*** Add File: d/e.txt", "+x", "+", "++y", "*** Delete File: a"),
      hunks: [{ type: "add", path: "d/e.txt", content: "x\n\n+y\n" }, deletion],
    },
  ])("$name", ({ text, hunks }) => {
    expect(parsePatch(text)).toEqual({ ok: true, hunks });
  });

  test("an update keeps its chunks in order, each with its context and its end", () => {
    const text = patchOf(
      "*** Update File: a.txt",
      " *** Move to: b.txt ",
      " first",
      "-old",
      "+new",
      "+more",
      "",
      "@@ def f():",
      "+added",
      "*** End of File ",
      "",
      "@@",
      "-gone",
    );
    expect(parsePatch(text)).toEqual({
      ok: true,
      hunks: [
        {
          type: "update",
          path: "a.txt",
          movePath: "b.txt",
          chunks: [
            {
              context: null,
              oldLines: ["first", "old", ""],
              newLines: ["first", "new", "more", ""],
              keptFrom: [0, null, null, 2],
              isEndOfFile: false,
            },
            { context: "def f():", oldLines: [], newLines: ["added"], keptFrom: [null], isEndOfFile: true },
            { context: null, oldLines: ["gone"], newLines: [], keptFrom: [], isEndOfFile: false },
          ],
        },
      ],
    });
  });

  test.each(["@@", "@@ ", "@@   "])("the marker %j names no context", (marker) => {
    expect(parsePatch(patchOf("*** Update File: a", marker, "-x"))).toMatchObject({
      hunks: [{ chunks: [{ context: null, oldLines: ["x"] }] }],
    });
  });

  test("the context keeps its indentation", () => {
    expect(parsePatch(patchOf("*** Update File: a", "@@   def f():", "-x"))).toMatchObject({
      hunks: [{ chunks: [{ context: "  def f():" }] }],
    });
  });

  test("lines of CRLF patches lose exactly one carriage return", () => {
    const text = patchOf("*** Add File: a", "+x\r", "+y\r\r");
    expect(parsePatch(text)).toEqual({ ok: true, hunks: [{ type: "add", path: "a", content: "x\ny\r\n" }] });
  });
});
