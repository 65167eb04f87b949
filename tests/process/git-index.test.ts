import { spawnSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { afterAll, expect, test } from "vitest";
import { gitlinksOf } from "../../src/process/git-index.ts";
import { temporaryFolder } from "./support.ts";

const folder = temporaryFolder();
afterAll(() => rmSync(folder, { recursive: true }));

test.each([
  ["sha1", 2],
  ["sha1", 3],
  ["sha1", 4],
  ["sha256", 2],
  ["sha256", 4],
] as const)("an index of git's own: %s, version %i", (hash, version) => {
  const cwd = path.join(folder, `${hash}-${version}`);
  const git = (...args: string[]) => expect(spawnSync("git", args, { cwd: folder }).stderr.toString()).toBe("");
  git("init", "-q", "--object-format", hash, cwd);
  const at = (...args: string[]) => git("-C", cwd, ...args);
  const object = (digit: string) => digit.repeat(hash === "sha1" ? 40 : 64);
  const names = ["a", "deep/er/file", "deep/er/sub", "deep/er/sub-2", "x".repeat(300), "zé\n", "zz"];
  for (const name of names) {
    const mode = name.includes("sub") || name.startsWith("z") ? "160000" : "100644";
    at("update-index", "--add", "--cacheinfo", `${mode},${object("1")},${name}`);
  }
  // An entry with extended flags makes the index version 3.
  if (version === 3) spawnSync("git", ["-C", cwd, "update-index", "--skip-worktree", "a"]);
  at("update-index", "--index-version", String(version), "--add", "--cacheinfo", `100644,${object("2")},last`);
  const index = readFileSync(path.join(cwd, ".git/index"));
  expect(index.readUInt32BE(4)).toBe(version);
  const links = ["deep/er/sub", "deep/er/sub-2", "zz", "zé\n"];
  expect([...gitlinksOf(index, hash === "sha1" ? 20 : 32)].sort()).toEqual(links);
});

test("what is no index is refused", () => {
  expect(() => gitlinksOf(Buffer.from("DIRC\0\0\0\x09\0\0\0\0"))).toThrow("not a git index");
  expect(() => gitlinksOf(Buffer.from("DIRC\0\0\0\x02\0\0\0\x05"))).toThrow();
  expect(() => gitlinksOf(Buffer.alloc(0))).toThrow();
});
