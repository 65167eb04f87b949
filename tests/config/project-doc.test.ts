import { mkdirSync, symlinkSync, truncateSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { findGitRoot } from "../../src/config/git-root.ts";
import { readUserInstructions } from "../../src/config/project-doc.ts";
import { makePipe, tempFolder } from "./temp-folder.ts";

const separator = "\n\n--- project-doc ---\n\n";

test.each<
  [name: string, files: Record<string, string>, options: { cwd: string; maxBytes?: number }, text: string | undefined]
>([
  [
    "home, root and every folder down to the directory",
    {
      "home/AGENTS.md": "\n be brief \n",
      "repo/.git/HEAD": "",
      "repo/AGENTS.md": "repo rules\n",
      "repo/sub/AGENTS.md": "sub rules\n",
      "repo/sub/deep/AGENTS.md": "deep rules\n",
      "repo/sub/deep/er/AGENTS.md": "not these",
      "repo/other/AGENTS.md": "nor these",
      "AGENTS.md": "nor those above the root",
    },
    { cwd: "repo/sub/deep" },
    `be brief${separator}repo rules\n\n\nsub rules\n\n\ndeep rules\n`,
  ],
  ["the home alone", { "home/AGENTS.md": "be brief\n", "repo/x": "" }, { cwd: "repo" }, "be brief"],
  ["a blank home document", { "home/AGENTS.md": " \n", "repo/AGENTS.md": "r" }, { cwd: "repo" }, "r"],
  ["nothing at all", { "repo/x": "" }, { cwd: "repo" }, undefined],
  ["no repository", { "repo/AGENTS.md": "above", "repo/sub/AGENTS.md": "own" }, { cwd: "repo/sub" }, "own"],
  [
    "a worktree, whose .git is a file",
    { "repo/.git": "gitdir: elsewhere", "repo/AGENTS.md": "r", "repo/sub/AGENTS.md": "s" },
    { cwd: "repo/sub" },
    "r\n\ns",
  ],
  [
    "the nearest of two repositories",
    { "repo/.git/HEAD": "", "repo/AGENTS.md": "r", "repo/sub/.git/HEAD": "", "repo/sub/AGENTS.md": "s" },
    { cwd: "repo/sub" },
    "s",
  ],
  [
    "a budget that both files share",
    { "repo/.git/HEAD": "", "repo/AGENTS.md": "12345678", "repo/sub/AGENTS.md": "abcdefgh" },
    { cwd: "repo/sub", maxBytes: 12 },
    "12345678\n\nabcd",
  ],
  [
    "a budget spent by the first",
    { "repo/.git/HEAD": "", "repo/AGENTS.md": "12345678", "repo/sub/AGENTS.md": "abcdefgh" },
    { cwd: "repo/sub", maxBytes: 8 },
    "12345678",
  ],
  ["no budget", { "home/AGENTS.md": "home", "repo/AGENTS.md": "12345678" }, { cwd: "repo", maxBytes: 0 }, "home"],
  ["a cut inside a character", { "repo/AGENTS.md": "aé€x" }, { cwd: "repo", maxBytes: 5 }, "aé"],
  ["a cut behind a character", { "repo/AGENTS.md": "aé€x" }, { cwd: "repo", maxBytes: 6 }, "aé€"],
  [
    "blank documents cost nothing",
    { "repo/.git/HEAD": "", "repo/AGENTS.md": " \n\t\n", "repo/sub/AGENTS.md": "abc" },
    { cwd: "repo/sub", maxBytes: 4 },
    "abc",
  ],
])("AGENTS.md: %s", (_, files, { cwd, maxBytes = 32_768 }, text) => {
  const folder = tempFolder(files);
  expect(readUserInstructions(path.join(folder, "home"), { cwd: path.join(folder, cwd), maxBytes }).text).toBe(text);
});

test("a document that is cut is told", () => {
  const cwd = tempFolder({ "AGENTS.md": "12345" });
  expect(readUserInstructions("/nowhere", { cwd, maxBytes: 3 }).warnings).toEqual([
    `Read only the first 3 bytes of "${cwd}/AGENTS.md": project_doc_max_bytes is 3.`,
  ]);
});

test.skipIf(process.platform === "win32")("what is no file is passed over, told, and never waited for", () => {
  const folder = tempFolder({
    "home/x": "",
    "repo/.git/HEAD": "",
    "repo/link/x": "",
    "repo/link/loop/AGENTS.md": "end",
  });
  mkdirSync(path.join(folder, "home/AGENTS.md"));
  makePipe(path.join(folder, "repo/AGENTS.md"));
  symlinkSync("AGENTS.md", path.join(folder, "repo/link/AGENTS.md"));
  const { text, warnings } = readUserInstructions(path.join(folder, "home"), {
    cwd: path.join(folder, "repo/link/loop"),
    maxBytes: 100,
  });
  expect(text).toBe("end");
  expect(warnings).toEqual([
    `Ignored "${folder}/home/AGENTS.md": Is a directory (os error 21)`,
    `Ignored "${folder}/repo/AGENTS.md": not a regular file`,
    `Ignored "${folder}/repo/link/AGENTS.md": Too many levels of symbolic links (os error 40)`,
  ]);
});

test("a symbolic link to a document counts, as do links to nothing and to the null device", () => {
  const folder = tempFolder({ "repo/.git/HEAD": "", "repo/docs/rules.md": "linked", "repo/a/b/x": "" });
  symlinkSync("docs/rules.md", path.join(folder, "repo/AGENTS.md"));
  symlinkSync("missing", path.join(folder, "repo/a/AGENTS.md"));
  symlinkSync("/dev/null", path.join(folder, "repo/a/b/AGENTS.md"));
  expect(readUserInstructions("/nowhere", { cwd: path.join(folder, "repo/a/b"), maxBytes: 100 })).toEqual({
    text: "linked",
    warnings: [],
  });
});

test("a huge document is read only as far as it is used", () => {
  const cwd = tempFolder({ "AGENTS.md": "x".repeat(100) });
  truncateSync(path.join(cwd, "AGENTS.md"), 8 * 1024 ** 3); // sparse, so it costs no space
  expect(readUserInstructions("/nowhere", { cwd, maxBytes: 10 }).text).toBe("xxxxxxxxxx");
});

test("the git root is the nearest folder with .git", () => {
  const folder = tempFolder({ "a/.git/HEAD": "", "a/b/c/x": "", "a/d/.git": "gitdir: x" });
  expect(findGitRoot(path.join(folder, "a/b/c"))).toBe(path.join(folder, "a"));
  expect(findGitRoot(path.join(folder, "a/d"))).toBe(path.join(folder, "a/d"));
  expect(findGitRoot(folder)).toBeUndefined();
});
