import { execFileSync, spawn } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { TurnDiff } from "../../src/patch/turn-diff.ts";
import { TaskFiles } from "./task-files.ts";

let files: TaskFiles;

beforeEach(() => {
  files = new TaskFiles();
});

afterEach(() => {
  files.remove();
});

describe("the diff of one task", () => {
  test("is empty when nothing was touched, and when nothing differs", () => {
    expect(files.turnDiff.text()).toBe("");
    files.write("same.txt", "same\n");
    files.patchTo("same.txt", "same\n");
    files.patchTo("passing.txt", "here\n");
    files.patchTo("passing.txt", null);
    expect(files.turnDiff.text()).toBe("");
  });

  test("shows an added file", () => {
    files.patchTo("new.txt", "hi\n");
    expect(files.turnDiff.text()).toBe(
      [
        "diff --git a/new.txt b/new.txt",
        "new file mode 100644",
        "index 0000000000000000000000000000000000000000..45b983be36b73c0788dc9cbcb76cbb80fc7bb057",
        "--- /dev/null",
        "+++ b/new.txt",
        "@@ -0,0 +1 @@",
        "+hi",
        "",
      ].join("\n"),
    );
  });

  test("shows updates, moves, deletions and additions in the order of their names", () => {
    files.write("a.txt", "one\ntwo\nthree\nfour\nfive\n");
    files.write("b/old.txt", "alpha\nbeta\ngamma\n");
    files.write("c.txt", "gone\n");
    files.patchTo("d/e.txt", "x\ny\n");
    files.patchTo("c.txt", null);
    files.moveTo("b/old.txt", { name: "b/new.txt", content: "alpha\nBETA\ngamma\n" });
    files.patchTo("a.txt", "one\nTWO\nthree\nfour\nFIVE\n");
    expect(files.turnDiff.text()).toBe(
      [
        "diff --git a/a.txt b/a.txt",
        "index b2f931a67315c95c5daab3aac6de62e534808476..820620bed254dd440fd79fb47936a6d9456941e7",
        "--- a/a.txt",
        "+++ b/a.txt",
        "@@ -1,5 +1,5 @@",
        " one",
        "-two",
        "+TWO",
        " three",
        " four",
        "-five",
        "+FIVE",
        "diff --git a/b/old.txt b/b/new.txt",
        "index 85c30401ce288f253613cb07ee32e62128089caa..e50310a98706747e5f83d131572570985b069064",
        "--- a/b/old.txt",
        "+++ b/b/new.txt",
        "@@ -1,3 +1,3 @@",
        " alpha",
        "-beta",
        "+BETA",
        " gamma",
        "diff --git a/c.txt b/c.txt",
        "deleted file mode 100644",
        "index 286c5f5776916d7d7d5849988ca9d83e722cf9c2..0000000000000000000000000000000000000000",
        "--- a/c.txt",
        "+++ /dev/null",
        "@@ -1 +0,0 @@",
        "-gone",
        "diff --git a/d/e.txt b/d/e.txt",
        "new file mode 100644",
        "index 0000000000000000000000000000000000000000..b77b4eb1d946f923f61785536da9ca5af6909f06",
        "--- /dev/null",
        "+++ b/d/e.txt",
        "@@ -0,0 +1,2 @@",
        "+x",
        "+y",
        "",
      ].join("\n"),
    );
  });

  test("compares with the beginning, not with the patch before", () => {
    files.write("a.txt", "one\n");
    files.patchTo("a.txt", "uno\n");
    files.patchTo("a.txt", "eins\n");
    expect(files.turnDiff.text()).toContain("-one\n+eins\n");
    files.patchTo("a.txt", "one\n");
    expect(files.turnDiff.text()).toBe("");
  });

  test("shows a file over an existing one as an update", () => {
    files.write("a.txt", "old\n");
    files.patchTo("a.txt", "new\n");
    expect(files.turnDiff.text()).toContain("--- a/a.txt\n+++ b/a.txt\n@@ -1 +1 @@\n-old\n+new\n");
  });

  test("says which final newline is missing", () => {
    files.write("a.txt", "a\nb");
    files.patchTo("a.txt", "a\nB\n");
    expect(files.turnDiff.text()).toContain("@@ -1,2 +1,2 @@\n a\n-b\n\\ No newline at end of file\n+B\n");
  });

  test("gives an empty new file no hunk", () => {
    files.patchTo("empty", "");
    expect(files.turnDiff.text()).toBe(
      "diff --git a/empty b/empty\nnew file mode 100644\n" +
        "index 0000000000000000000000000000000000000000..e69de29bb2d1d6434b8b29ae775ad8c2e48c5391\n",
    );
  });

  test("does not show the lines of binary files", () => {
    files.write("a.bin", Uint8Array.of(0xff, 0xfe, 0x00));
    files.patchTo("a.bin", "text now\n");
    expect(files.turnDiff.text()).toMatch(
      /^diff --git a\/a\.bin b\/a\.bin\nindex [0-9a-f]{40}\.\.[0-9a-f]{40}\n--- a\/a\.bin\n\+\+\+ b\/a\.bin\nBinary files differ\n$/,
    );
  });

  test("does not show the lines of files above 5 MiB", () => {
    const limit = 5 * 1024 * 1024;
    files.write("big.txt", "x".repeat(limit));
    files.write("bigger.txt", "x".repeat(limit + 1));
    files.patchTo("big.txt", "y\n");
    files.patchTo("bigger.txt", "y\n");
    const [big, bigger] = files.turnDiff.text().split(/(?=^diff --git a\/bigger)/m);
    expect(big?.length).toBeGreaterThan(limit);
    expect(big?.endsWith("x\n\\ No newline at end of file\n+y\n")).toBe(true);
    expect(bigger).toMatch(/\nBinary files differ\n$/);
  });

  test("does not read a file that grew beyond all bounds", () => {
    files.write("grown", "x\n");
    files.write("always", "");
    fs.truncateSync(files.at("always"), 3 * 1024 ** 3);
    files.turnDiff.willTouch([files.at("grown"), files.at("always")]);
    fs.truncateSync(files.at("grown"), 3 * 1024 ** 3);
    const diff = files.turnDiff.text();
    expect(diff.match(/^(diff|[-+B]).*$/gm)).toEqual([
      "diff --git a/grown b/grown",
      "--- a/grown",
      "+++ b/grown",
      "Binary files differ",
    ]);
    expect(files.turnDiff.text()).toBe(diff);
    fs.truncateSync(files.at("grown"), 4 * 1024 ** 3);
    expect(files.turnDiff.text()).not.toBe(diff);
  });

  test("shows a changed mode, with and without changed lines", () => {
    files.write("mode", "#!/bin/sh\n");
    files.write("both", "a\n", 0o700);
    files.turnDiff.willTouch([files.at("mode"), files.at("both")]);
    files.write("mode", "#!/bin/sh\n", 0o755);
    files.write("both", "b\n", 0o644);
    expect(files.turnDiff.text()).toBe(
      "diff --git a/both b/both\nold mode 100755\nnew mode 100644\n" +
        "index 78981922613b2afb6025042ff6bd878ac1994e85..61780798228d17af2d34fce4cfbdf35556832472\n" +
        "--- a/both\n+++ b/both\n@@ -1 +1 @@\n-a\n+b\n" +
        "diff --git a/mode b/mode\nold mode 100644\nnew mode 100755\n",
    );
  });

  test("shows a file that gave way to a directory, and what is in there now", () => {
    files.write("a", "1\n");
    files.turnDiff.willTouch([files.at("a"), files.at("a/b")]);
    fs.rmSync(files.at("a"));
    files.write("a/b", "2\n");
    expect(files.turnDiff.text().match(/^(diff|new|deleted).*$/gm)).toEqual([
      "diff --git a/a b/a",
      "deleted file mode 100644",
      "diff --git a/a/b b/a/b",
      "new file mode 100644",
    ]);
  });

  test("leaves out what cannot be read, and what became no file", () => {
    files.write("file", "a\n");
    files.write("dir/file", "a\n");
    files.turnDiff.willTouch([
      files.at("file"),
      files.at("dir"),
      files.at("dir/file"),
      files.at("file/below"),
      files.at(`${"long".repeat(100)}`),
    ]);
    expect(files.turnDiff.text()).toBe("");
    files.write("file", "b\n");
    expect(files.turnDiff.text().match(/^diff .*$/gm)).toEqual(["diff --git a/file b/file"]);
  });
});

describe("a file that a command exchanges while we look at it", () => {
  /** Right after the diff saw a file in this place. */
  const exchange = (name: string, put: (file: string) => void) => {
    const lstat = fs.lstatSync;
    const spy = vi.spyOn(fs, "lstatSync").mockImplementationOnce((file) => {
      const stat = lstat(file);
      fs.rmSync(files.at(name));
      put(files.at(name));
      return stat;
    });
    onTestFinished(() => spy.mockRestore());
  };

  test("is not what a link in its place leads to", () => {
    files.write("secret", "secret\n");
    files.patchTo("a", "1\n");
    exchange("a", (file) => fs.symlinkSync(files.at("secret"), file));
    expect(files.turnDiff.text()).toBe("");
    expect(files.turnDiff.text()).toContain("new file mode 120000"); // which is what is there
  });

  test("is not waited for as a FIFO", () => {
    files.patchTo("a", "1\n");
    exchange("a", (file) => {
      execFileSync("mkfifo", [file]);
      const writer = spawn("sh", ["-c", 'echo said > "$1"', "sh", file]);
      onTestFinished(() => void writer.kill());
    });
    expect(files.turnDiff.text()).toBe("");
  });

  test.runIf(process.platform === "linux")("is not what the kernel shows of us behind a linked folder", () => {
    files.patchTo("dir/environ", "1\n");
    fs.rmSync(files.at("dir"), { recursive: true });
    fs.symlinkSync("/proc/self", files.at("dir"));
    expect(files.turnDiff.text()).toBe("");
  });
});

describe("moves", () => {
  test("one after the other are one rename", () => {
    files.write("a", "1\n2\n");
    files.moveTo("a", { name: "b", content: "1\nx\n" });
    files.moveTo("b", { name: "c", content: "1\ny\n" });
    expect(files.turnDiff.text()).toMatch(
      /^diff --git a\/a b\/c\nindex .*\n--- a\/a\n\+\+\+ b\/c\n@@ -1,2 \+1,2 @@\n 1\n-2\n\+y\n$/,
    );
  });

  test("do not claim a file that is made later under a name in between", () => {
    files.write("a", "1\n");
    files.moveTo("a", { name: "b", content: "2\n" });
    files.moveTo("b", { name: "c", content: "3\n" });
    files.patchTo("b", "4\n");
    expect(files.turnDiff.text().match(/^(diff|[-+]).*$/gm)).toEqual([
      "diff --git a/b b/b",
      "--- /dev/null",
      "+++ b/b",
      "+4",
      "diff --git a/a b/c",
      "--- a/a",
      "+++ b/c",
      "-1",
      "+3",
    ]);
  });

  test("without another change say so, as no hunk can", () => {
    files.write("a", "1\n");
    files.moveTo("a", { name: "b c", content: "1\n" });
    expect(files.turnDiff.text()).toBe("diff --git a/a b/b c\nsimilarity index 100%\nrename from a\nrename to b c\n");
  });

  test("there and back are no rename", () => {
    files.write("a", "1\n");
    files.moveTo("a", { name: "b", content: "2\n" });
    files.moveTo("b", { name: "a", content: "1\n" });
    expect(files.turnDiff.text()).toBe("");
  });

  test("over another file are a deletion and an update: the other file's lines are gone too", () => {
    files.write("a", "1\n");
    files.write("b", "old\n");
    files.moveTo("a", { name: "b", content: "2\n" });
    expect(files.turnDiff.text().match(/^(diff|deleted|[-+]).*$/gm)).toEqual([
      "diff --git a/a b/a",
      "deleted file mode 100644",
      "--- a/a",
      "+++ /dev/null",
      "-1",
      "diff --git a/b b/b",
      "--- a/b",
      "+++ b/b",
      "-old",
      "+2",
    ]);
  });

  test("of a file whose place is taken again are an update and an addition", () => {
    files.write("a", "1\n");
    files.moveTo("a", { name: "b", content: "2\n" });
    files.patchTo("a", "3\n");
    expect(files.turnDiff.text().match(/^(diff|new|[-+]).*$/gm)).toEqual([
      "diff --git a/a b/a",
      "--- a/a",
      "+++ b/a",
      "-1",
      "+3",
      "diff --git a/b b/b",
      "new file mode 100644",
      "--- /dev/null",
      "+++ b/b",
      "+2",
    ]);
  });

  test("that were announced but failed are no rename", () => {
    files.write("a", "1\n");
    files.turnDiff.willTouch([files.at("a"), files.at("b")]);
    files.turnDiff.didMove(files.at("a"), files.at("b"));
    expect(files.turnDiff.text()).toBe("");
  });
});

describe("names", () => {
  test("outside the root are shown without their leading slash", () => {
    files.patchTo("../outside.txt", "x\n");
    const name = path.join(files.base, "outside.txt").slice(1);
    expect(files.turnDiff.text()).toContain(`diff --git a/${name} b/${name}\n`);
  });

  test("are sorted by their bytes", () => {
    for (const name of ["b", "a/z", "a.txt", "B", "ä", "\u{1F600}", "\uFF5E"]) files.patchTo(name, "x\n");
    expect([...files.turnDiff.text().matchAll(/^\+\+\+ b\/(.*)$/gm)].map((match) => match[1])).toEqual([
      "B",
      "a.txt",
      "a/z",
      "b",
      "ä",
      "\uFF5E",
      "\u{1F600}",
    ]);
  });

  test("are quoted only where the header could not hold them", () => {
    for (const name of ["plain name", "ümlaut", 'say "hi"', "tab\there", "back\\slash", "bell\u0007", "\u0001"]) {
      files.patchTo(name, "x\n");
    }
    expect([...files.turnDiff.text().matchAll(/^\+\+\+ (.*)$/gm)].map((match) => match[1])).toEqual([
      '"b/\\001"',
      '"b/back\\\\slash"',
      '"b/bell\\a"',
      "b/plain name",
      '"b/say \\"hi\\""',
      '"b/tab\\there"',
      "b/ümlaut",
    ]);
  });
});

describe("symbolic links", () => {
  test("a link that is removed or replaced is shown as git shows it", () => {
    files.write("target", "text\n");
    fs.symlinkSync("target", files.at("link"));
    files.turnDiff.willTouch([files.at("link")]);
    fs.rmSync(files.at("link"));
    expect(files.turnDiff.text()).toBe(
      "diff --git a/link b/link\ndeleted file mode 120000\n" +
        "index 1de565933b05f74c75ff9a6520af5f9f8a5a2f1d..0000000000000000000000000000000000000000\n" +
        "--- a/link\n+++ /dev/null\n@@ -1 +0,0 @@\n-target\n\\ No newline at end of file\n",
    );
  });

  test("a change through a link is shown at the file behind it, under the root as we were given it", () => {
    fs.symlinkSync("root", path.join(files.base, "alias"));
    const turnDiff = new TurnDiff(path.join(files.base, "alias"));
    files.write("target", "1\n");
    fs.symlinkSync("target", files.at("link"));
    turnDiff.willTouch([path.join(files.base, "alias", "link")]);
    fs.writeFileSync(files.at("link"), "2\n");
    expect(turnDiff.text().match(/^(diff|[-+]).*$/gm)).toEqual([
      "diff --git a/target b/target",
      "--- a/target",
      "+++ b/target",
      "-1",
      "+2",
    ]);
  });

  test("a link to nowhere is no reason to stop", () => {
    fs.symlinkSync("nowhere", files.at("link"));
    files.turnDiff.willTouch([files.at("link")]);
    expect(files.turnDiff.text()).toBe("");
  });
});
