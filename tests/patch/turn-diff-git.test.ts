import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { TaskFiles } from "./task-files.ts";

let files: TaskFiles;

beforeEach(() => {
  files = new TaskFiles();
});

afterEach(() => {
  files.remove();
});

function git(...args: readonly string[]): string {
  const env = { ...process.env, GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_NOSYSTEM: "1" };
  return execFileSync("git", args, { cwd: files.root, env, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

/** A repository with the files as they are before the task. */
function commit(): void {
  files.write("changed.txt", Array.from({ length: 30 }, (_, index) => ` ${index}\n`).join(""));
  files.write("crlf.txt", " 1\r\n");
  files.write("deleted.txt", " gone\n without newline");
  files.write("no-newline", " a\n b");
  files.write("script", " run\n", 0o644);
  files.write("moved.txt", " 1\n 2\n 3\n");
  files.write("moved as it is.txt", " 1\n");
  git("init", "-q");
  git("add", "-A");
  git("-c", "user.name=n", "-c", "user.email=e", "-c", "commit.gpgsign=false", "commit", "-q", "-m", "before");
}

function change(): void {
  files.patchTo("added.txt", " 1\n 2\n");
  files.patchTo("deep/er/added", "");
  files.patchTo(
    "changed.txt",
    Array.from({ length: 30 }, (_, index) => ` ${index % 7 === 0 ? "x" : index}\n`).join(""),
  );
  files.patchTo("crlf.txt", " 1\r\n 2\r\n");
  files.patchTo("deleted.txt", null);
  files.patchTo("no-newline", " a\n B");
  files.patchTo("ümlaut name", " x\n");
  files.turnDiff.willTouch([files.at("script")]);
  files.write("script", " run\n", 0o755);
}

test("git writes the same diff, byte for byte", () => {
  commit();
  change();
  git("add", "-A");
  const expected = git("-c", "core.quotePath=false", "diff", "--cached", "--full-index", "--no-renames");
  // Git also repeats an unchanged mode, and ends a name that holds a blank with a tab.
  const withoutExtras = expected.replaceAll(/^(index .*) \d+$|^([-+]{3} .*)\t$/gm, "$1$2");
  expect(files.turnDiff.text()).toBe(withoutExtras);
});

test("git can apply the diff, renames included, to the files as they were", () => {
  commit();
  change();
  files.moveTo("moved.txt", { name: "deep/moved.txt", content: " 1\n two\n 3\n" });
  files.moveTo("moved as it is.txt", { name: "deep/moved as it is.txt", content: " 1\n" });
  files.patchTo('quoted "\t\\name', " x\n");
  fs.writeFileSync(path.join(files.base, "task.diff"), files.turnDiff.text());
  const after = snapshot();

  git("reset", "-q", "--hard");
  git("clean", "-q", "-f", "-d");
  expect(snapshot()).not.toEqual(after);
  git("apply", path.join(files.base, "task.diff"));
  expect(snapshot()).toEqual(after);
});

function snapshot(): Readonly<Record<string, string>> {
  const names = git("ls-files", "-z", "--cached", "--others").split("\0");
  const present = [...new Set(names)].filter((name) => name !== "" && fs.existsSync(files.at(name))).sort();
  return Object.fromEntries(
    present.map((name) => {
      const executable = (fs.statSync(files.at(name)).mode & 0o100) !== 0;
      return [name, `${executable ? "x" : "-"} ${fs.readFileSync(files.at(name), "utf8")}`];
    }),
  );
}
