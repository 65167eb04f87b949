import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, symlinkSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { readGitInfo, withoutSecrets } from "../../src/rollout/git-info.ts";
import { makePipe, tempFolder } from "../config/temp-folder.ts";

const env = {
  PATH: process.env["PATH"],
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_CONFIG_SYSTEM: "/dev/null",
  GIT_AUTHOR_NAME: "a",
  GIT_AUTHOR_EMAIL: "a@b",
  GIT_COMMITTER_NAME: "a",
  GIT_COMMITTER_EMAIL: "a@b",
};

function git(cwd: string, ...args: readonly string[]): string {
  return execFileSync("git", args, { cwd, env, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
}

function repository({ commit = true } = {}): string {
  const folder = tempFolder();
  git(folder, "init", "-q", "-b", "main");
  if (commit) git(folder, "commit", "-q", "--allow-empty", "-m", "first");
  return folder;
}

test("a commit, its branch and the origin", () => {
  const root = repository();
  git(root, "remote", "add", "upstream", "https://example.com/up.git");
  git(root, "remote", "add", "origin", "https://me:ghp_secret@example.com/o/r.git");
  git(root, "checkout", "-q", "-b", "feature/x");
  expect(readGitInfo(root)).toEqual({
    commit_hash: git(root, "rev-parse", "HEAD"),
    branch: "feature/x",
    repository_url: "https://example.com/o/r.git",
  });
});

test("no commits", () => {
  expect(readGitInfo(repository({ commit: false }))).toEqual({});
});

test("a detached head has no branch", () => {
  const root = repository();
  git(root, "checkout", "-q", "--detach");
  expect(readGitInfo(root)).toEqual({ commit_hash: git(root, "rev-parse", "HEAD") });
});

test("packed references", () => {
  const root = repository();
  git(root, "branch", "mainly");
  git(root, "commit", "-q", "--allow-empty", "-m", "second");
  git(root, "tag", "-a", "-m", "t", "v1");
  git(root, "pack-refs", "--all");
  rmSync(path.join(root, ".git/refs/heads/main"), { force: true });
  expect(readGitInfo(root)).toEqual({ commit_hash: git(root, "rev-parse", "HEAD"), branch: "main" });
});

test("a branch that refers to another", () => {
  const root = repository();
  git(root, "symbolic-ref", "refs/heads/alias", "refs/heads/main");
  git(root, "symbolic-ref", "HEAD", "refs/heads/alias");
  expect(readGitInfo(root)).toEqual({ commit_hash: git(root, "rev-parse", "HEAD"), branch: "main" });
});

test("a worktree and a submodule", () => {
  const root = repository();
  git(root, "remote", "add", "origin", "git@example.com:o/r.git");
  const tree = path.join(tempFolder(), "tree");
  git(root, "worktree", "add", "-q", "-b", "side", tree);
  git(tree, "commit", "-q", "--allow-empty", "-m", "second");
  expect(readGitInfo(tree)).toEqual({
    commit_hash: git(tree, "rev-parse", "HEAD"),
    branch: "side",
    repository_url: "git@example.com:o/r.git",
  });

  const outer = repository();
  git(outer, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", root, "inner");
  expect(readGitInfo(path.join(outer, "inner"))).toEqual({
    commit_hash: git(root, "rev-parse", "main"),
    branch: "main",
    repository_url: root,
  });
});

test.each([
  ["a plain section", '[remote "origin"]\n\turl = https://e.com/a.git\n\tfetch = x', "https://e.com/a.git"],
  ["one line in capitals", '[REMOTE "origin"] URL = https://e.com/a.git', "https://e.com/a.git"],
  ["Windows line ends and a note", '[remote "origin"]\r\n  url=https://e.com/a.git ; note\r\n', "https://e.com/a.git"],
  ["quotes", '[remote "origin"]\nurl = "https://e.com/a b"/c" d" # note', "https://e.com/a b/c d"],
  ["two URLs", '[remote "origin"]\nurl = first\nurl = second', "first"],
  ["other remotes", '[remote "Origin"]\nurl = x\n[remote "upstream"]\nurl = y', undefined],
  ["other keys and sections", '[remote "origin"]\npushurl = x\n[core]\nurl = y', undefined],
  ["an empty value", '[remote "origin"]\nurl =', undefined],
  ["no value", '[remote "origin"]\nurl\nurls', undefined],
  ["a line that is mostly blank", `[remote "origin"]\nurl = ${" ".repeat(200_000)}x`, "x"],
])("the origin in a configuration with %s", (_, config, expected) => {
  const root = tempFolder({ ".git/HEAD": "ref: refs/heads/main", ".git/config": config });
  expect(readGitInfo(root)?.repository_url).toBe(expected);
});

test.each([
  ["https://example.com/o/r.git", "https://example.com/o/r.git"],
  ["https://token@example.com:8443/r", "https://example.com:8443/r"],
  ["https://u:p@ss@example.com/r", "https://example.com/r"],
  ["HTTP://u:p@[::1]:80/r", "HTTP://[::1]:80/r"],
  ["https://example.com/r?access_token=x#y", "https://example.com/r"],
  ["https://u:pa/ss@example.com/r", undefined],
  ["https://u:12/34@example.com/r", undefined],
  ["ssh://git:p@example.com:22/r", "ssh://git@example.com:22/r"],
  ["git@example.com:o/r.git", "git@example.com:o/r.git"],
  ["u:p@example.com:o/r.git", undefined],
  ["/srv/git/r.git", "/srv/git/r.git"],
  ["../r@2.git", "../r@2.git"],
  ["file:///srv/r.git", "file:///srv/r.git"],
  ["ext::sh -c secret", undefined],
  ["helper::https://u:p@example.com", undefined],
])("what is shown of the URL %j is %j", (url, expected) => {
  expect(withoutSecrets(url)).toBe(expected);
});

test("what is no repository has no facts", () => {
  const folder = tempFolder({ "a/.git": "gitdir: nowhere\n", "b/.git": "nonsense", "c/.git/x": "", "d/x": "" });
  for (const name of ["a", "b", "c", "d", "e"]) expect(readGitInfo(path.join(folder, name))).toBeUndefined();
});

const zeros = "0".repeat(40);

test.each<[name: string, files: Readonly<Record<string, string | Buffer>>, expected: object | undefined]>([
  ["a reference out of the repository", { ".git/HEAD": "ref: refs/../../secret", secret: zeros }, {}],
  ["a reference that is none", { ".git/HEAD": "ref: /etc/passwd" }, {}],
  ["a reference to itself", { ".git/HEAD": "ref: refs/heads/a", ".git/refs/heads/a": "ref: refs/heads/a" }, {}],
  ["a reference that is no hash", { ".git/HEAD": "ref: refs/heads/a", ".git/refs/heads/a": "hello" }, {}],
  ["a name with a null byte", { ".git/HEAD": "ref: refs/heads/a\0b" }, {}],
  ["binary content", { ".git/HEAD": Buffer.alloc(1000, 0xff), ".git/config": Buffer.alloc(1000, 0xff) }, {}],
  ["a huge head", { ".git/HEAD": "x".repeat(1_000_000), ".git/config": '[remote "origin"]\nurl = x' }, undefined],
  ["the reftable format", { ".git/HEAD": "ref: refs/heads/.invalid", ".git/refs/heads": "this is a reftable" }, {}],
  [
    "a longer name that ends alike",
    { ".git/HEAD": "ref: refs/heads/a", ".git/packed-refs": `${zeros} x refs/heads/a\n${zeros} refs/heads/ab\n` },
    {},
  ],
])("a hostile repository: %s", (_, files, expected) => {
  expect(readGitInfo(tempFolder(files))).toEqual(expected);
});

test("pipes, folders and loops of links in a repository are passed over without waiting", () => {
  const root = tempFolder({ ".git/HEAD": "ref: refs/heads/a", ".git/refs/x": "" });
  mkdirSync(path.join(root, ".git/commondir"));
  mkdirSync(path.join(root, ".git/packed-refs"));
  symlinkSync("config", path.join(root, ".git/config"));
  mkdirSync(path.join(root, ".git/refs/heads"));
  makePipe(path.join(root, ".git/refs/heads/a"));
  expect(readGitInfo(root)).toEqual({});
  rmSync(path.join(root, ".git"), { recursive: true });
  makePipe(path.join(root, ".git"));
  expect(readGitInfo(root)).toBeUndefined();
});
