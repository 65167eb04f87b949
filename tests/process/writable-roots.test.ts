import { mkdirSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { resolveWritableRoots } from "../../src/process/writable-roots.ts";
import { workspaceDefault, workspaceOnly } from "./policies.ts";
import { temporaryFolder } from "./support.ts";

let base = "";
beforeEach(() => {
  base = temporaryFolder();
  mkdirSync(path.join(base, "cwd"));
});
afterEach(() => rmSync(base, { recursive: true }));

const at = (...names: string[]) => path.join(base, ...names);

function rootsOf(writable_roots: readonly string[], env: Record<string, string> = {}): readonly string[] {
  const policy = { ...workspaceOnly, writable_roots, exclude_tmpdir_env_var: false };
  return resolveWritableRoots(policy, { cwd: at("cwd"), env }).map((root) => root.path);
}

test("configured roots, the working directory and $TMPDIR, in this order", () => {
  mkdirSync(at("data"));
  mkdirSync(at("temporary"));
  expect(rootsOf([at("data")], { TMPDIR: at("temporary") })).toEqual([at("data"), at("cwd"), at("temporary")]);
});

test("/tmp and $TMPDIR are roots unless they are excluded", () => {
  const options = { cwd: "/usr", env: { TMPDIR: "/var" } };
  const paths = (policy: typeof workspaceOnly) => resolveWritableRoots(policy, options).map((root) => root.path);
  expect(paths(workspaceDefault)).toEqual(["/usr", "/tmp", "/var"]);
  expect(paths({ ...workspaceDefault, exclude_slash_tmp: true })).toEqual(["/usr", "/var"]);
  expect(paths({ ...workspaceDefault, exclude_tmpdir_env_var: true })).toEqual(["/usr", "/tmp"]);
});

test("a root remembers which file it was", () => {
  const [root] = resolveWritableRoots(workspaceOnly, { cwd: at("cwd"), env: {} });
  const stats = statSync(at("cwd"));
  expect(root).toEqual({ path: at("cwd"), device: String(stats.dev), inode: String(stats.ino) });
});

test("missing and relative roots are left out", () => {
  expect(rootsOf([at("nowhere"), "cwd"], { TMPDIR: "" })).toEqual([at("cwd")]);
});

test("a root may be a file", () => {
  writeFileSync(at("file"), "");
  expect(rootsOf([at("file")])).toEqual([at("file"), at("cwd")]);
});

test("a link is resolved once, and a root named twice is one", () => {
  mkdirSync(at("real"));
  symlinkSync(at("real"), at("link"));
  expect(rootsOf([at("link"), at("real"), `${at("cwd")}/.`])).toEqual([at("real"), at("cwd")]);
});

test("a root below another is dropped before its link is followed", () => {
  mkdirSync(at("elsewhere"));
  symlinkSync(at("elsewhere"), at("cwd", "inside"));
  expect(rootsOf([at("cwd", "inside")], { TMPDIR: at("cwd", "inside") })).toEqual([at("cwd")]);
});

test("a root that is below another once resolved is dropped", () => {
  mkdirSync(at("cwd", "inside"));
  symlinkSync(at("cwd", "inside"), at("link"));
  expect(rootsOf([at("link")])).toEqual([at("cwd")]);
});

test("a root whose way leads through another one is dropped: a command could turn it elsewhere", () => {
  mkdirSync(at("elsewhere"));
  symlinkSync(at("cwd"), at("to-cwd"));
  symlinkSync(at("elsewhere"), at("cwd", "turned"));
  expect(rootsOf([at("to-cwd", "turned")])).toEqual([at("cwd")]);
});
