import { spawnSync } from "node:child_process";
import { readFileSync, symlinkSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { codexBinary } from "../support/run-codex.ts";
import { workspace } from "../support/workspace.ts";

const patch = "*** Begin Patch\n*** Add File: new.txt\n+hi\n*** End Patch\n";

/** Runs the program under its own name, as a link to ours. */
function applyPatch(args: readonly string[], input: string, files: Readonly<Record<string, string>> = {}) {
  using place = workspace({ files, git: false });
  const link = path.join(place.root, "apply_patch");
  symlinkSync(codexBinary, link);
  const run = spawnSync(process.execPath, [link, ...args], {
    cwd: place.work,
    env: place.env,
    input,
    encoding: "utf8",
  });
  return { status: run.status, stdout: run.stdout, stderr: run.stderr, files: place.files() };
}

const done = { status: 0, stdout: "Success. Updated the following files:\nA new.txt\n", stderr: "" };

describe("apply_patch as a program", () => {
  test("takes the patch as its argument", () => {
    expect(applyPatch([patch], "")).toEqual({ ...done, files: { "new.txt": "hi\n" } });
  });

  test("takes the patch from stdin", () => {
    expect(applyPatch([], patch)).toEqual({ ...done, files: { "new.txt": "hi\n" } });
  });

  test.each([
    ["two arguments", [patch, "more"], /accepts exactly one argument/],
    ["empty stdin", [], /^Usage: apply_patch/],
  ])("%s: usage, status 2", (_, args, stderr) => {
    expect(applyPatch(args, "")).toEqual({ status: 2, stdout: "", stderr: expect.stringMatching(stderr), files: {} });
  });

  test.each([
    ["no patch", "hello", "Invalid patch: The first line of the patch must be '*** Begin Patch'\n"],
    ["a patch without hunks", "*** Begin Patch\n*** End Patch", "No files were modified.\n"],
  ])("%s: status 1", (_, text, stderr) => {
    expect(applyPatch([text], "")).toEqual({ status: 1, stdout: "", stderr, files: {} });
  });

  test("lines that are not there: status 1, the file untouched", () => {
    const text = "*** Begin Patch\n*** Update File: a.txt\n@@\n-nope\n+yes\n*** End Patch";
    const run = applyPatch([text], "", { "a.txt": "one\n" });
    expect(run).toMatchObject({ status: 1, stdout: "", files: { "a.txt": "one\n" } });
    expect(run.stderr).toMatch(/^Failed to find expected lines in .*a\.txt:\nnope\n$/);
  });

  test("is also the first argument of codex", () => {
    using place = workspace({ git: false });
    const run = spawnSync(process.execPath, [codexBinary, "apply_patch", patch], { cwd: place.work, env: place.env });
    expect(run.status).toBe(0);
    expect(readFileSync(path.join(place.work, "new.txt"), "utf8")).toBe("hi\n");
  });

  test("says so when its folder is gone", () => {
    using place = workspace({ git: false });
    const script = 'rmdir "$PWD" && exec "$0" "$@"';
    const run = spawnSync("sh", ["-c", script, process.execPath, codexBinary, "apply_patch", patch], {
      cwd: place.work,
      env: place.env,
      encoding: "utf8",
    });
    expect(run).toMatchObject({
      status: 1,
      stdout: "",
      stderr: "Error: The current directory does not exist any more: change to another one.\n",
    });
  });
});
