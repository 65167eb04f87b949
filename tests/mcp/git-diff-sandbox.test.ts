import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, renameSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { type McpSession, startMcp } from "../support/mcp-session.ts";
import type { Workspace } from "../support/workspace.ts";

type Git = (cwd: string, ...args: readonly string[]) => string;

const gitOf =
  ({ env }: Workspace): Git =>
  (cwd, ...args) =>
    execFileSync("git", ["-c", "user.name=t", "-c", "user.email=t@example.invalid", ...args], {
      cwd,
      env,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });

/** A repository with one commit that a remote has, and a change since. */
function pushed(place: Workspace): void {
  const git = gitOf(place);
  writeFileSync(path.join(place.work, "a.txt"), "one\n");
  git(place.work, "add", ".");
  git(place.work, "commit", "-qm", "one");
  git(place.work, "update-ref", "refs/remotes/origin/main", "HEAD");
  writeFileSync(path.join(place.work, "a.txt"), "two\n");
}

/** A program that leaves `ran` where it is told to, and hands its input on. */
function program(place: Workspace, mark: string): string {
  const file = path.join(place.root, "program");
  writeFileSync(file, `#!/bin/sh\ntouch "${mark}"\ncat\n`, { mode: 0o755 });
  return file;
}

/** `filter` as the user's own configuration has it, for all files of the repository. */
function withOwnFilter(place: Workspace, filter: Readonly<Record<string, string>>): void {
  pushed(place);
  writeFileSync(path.join(place.work, ".gitattributes"), "*.txt filter=own\n");
  for (const [key, value] of Object.entries(filter)) {
    execFileSync("git", [
      "config",
      "--file",
      path.join(place.env["HOME"] ?? "", ".gitconfig"),
      `filter.own.${key}`,
      value,
    ]);
  }
}

const hasLfs = spawnSync("git-lfs", ["--version"]).status === 0;

const diff = (mcp: McpSession, cwd = mcp.codex.place.work) => mcp.request("gitDiffToRemote", { cwd });
const scratchFolders = ({ home }: Workspace) =>
  existsSync(path.join(home, "tmp")) ? readdirSync(path.join(home, "tmp")) : [];

describe("gitDiffToRemote runs nothing of the repository", () => {
  test("it answers where calls are pinned below its scratch folder", async () => {
    await using mcp = startMcp({ setup: pushed, args: ["--lock", "-c", "mcp.max_sandbox=read-only"] });
    expect((await diff(mcp)).result.diff).toContain("+two");
  });

  test("where core.worktree names a repository with filters of its own", async () => {
    const setup = (place: Workspace) => {
      const git = gitOf(place);
      const inner = path.join(place.work, "sub");
      mkdirSync(inner);
      writeFileSync(path.join(inner, "a.txt"), "one\n");
      git(place.work, "config", "core.worktree", inner);
      git(inner, "--git-dir=../.git", "--work-tree=.", "add", "a.txt");
      git(inner, "--git-dir=../.git", "--work-tree=.", "commit", "-qm", "one");
      git(inner, "--git-dir=../.git", "update-ref", "refs/remotes/origin/main", "HEAD");
      git(inner, "init", "-q");
      git(inner, "config", "filter.x.clean", program(place, path.join(place.work, "ran")));
      writeFileSync(path.join(inner, ".gitattributes"), "* filter=x\n");
      writeFileSync(path.join(inner, "a.txt"), "two\n");
    };
    await using mcp = startMcp({ setup });
    expect((await diff(mcp)).error).toMatchObject({ code: -32600 });
    const { work } = mcp.codex.place;
    expect(existsSync(path.join(work, "ran"))).toBe(false);
  });

  test("and follows a submodule and a worktree, whose repositories lie elsewhere", async () => {
    const setup = (place: Workspace) => {
      pushed(place);
      const git = gitOf(place);
      git(place.work, "worktree", "add", "-q", "tree");
      writeFileSync(path.join(place.work, "tree/a.txt"), "in the tree\n");
      git(place.work, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", place.work, "module");
      git(path.join(place.work, "module"), "checkout", "-q", "HEAD");
      writeFileSync(path.join(place.work, "module/a.txt"), "in the module\n");
    };
    await using mcp = startMcp({ setup });
    const { work } = mcp.codex.place;
    expect((await diff(mcp, path.join(work, "tree"))).result.diff).toContain("-one\n+in the tree\n");
    expect((await diff(mcp, path.join(work, "module"))).result.diff).toContain("-one\n+in the module\n");
  });
});

describe("a filter of the user's own configuration runs in the sandbox", () => {
  test("where it may write nothing of the repository", async () => {
    const mark = "ran";
    const setup = (place: Workspace) =>
      withOwnFilter(place, { clean: `sh -c 'touch ${path.join(place.work, mark)}; tr a-z A-Z'` });
    await using mcp = startMcp({ setup });
    expect((await diff(mcp)).result.diff).toContain("-one\n+TWO\n");
    expect(existsSync(path.join(mcp.codex.place.work, mark))).toBe(false);
  });

  test("and is left out when it fails there", async () => {
    const setup = (place: Workspace) =>
      withOwnFilter(place, { clean: `sh -c 'touch ${place.work}/ran && tr a-z A-Z'`, required: "true" });
    await using mcp = startMcp({ setup });
    expect((await diff(mcp)).result.diff).toContain("-one\n+two\n");
  });

  test.skipIf(!hasLfs)("git-lfs gives its pointers, writes nothing and starts no extension", async () => {
    const setup = (place: Workspace) => {
      withOwnFilter(place, {});
      const config = path.join(place.env["HOME"] ?? "", ".gitconfig");
      for (const [key, value] of [
        ["clean", "git-lfs clean -- %f"],
        ["process", "git-lfs filter-process"],
        ["required", "true"],
      ] as const) {
        execFileSync("git", ["config", "--file", config, `filter.lfs.${key}`, value]);
      }
      writeFileSync(path.join(place.work, ".gitattributes"), "*.txt filter=lfs\n");
    };
    await using mcp = startMcp({ setup });
    const { place } = mcp.codex;
    expect((await diff(mcp)).result.diff).toContain("+oid sha256:");
    expect(existsSync(path.join(place.work, ".git/lfs"))).toBe(false);

    const mark = path.join(place.work, "ran");
    const git = gitOf(place);
    git(place.work, "config", "lfs.extension.evil.clean", program(place, mark));
    git(place.work, "config", "lfs.extension.evil.priority", "0");
    expect((await diff(mcp)).result.diff).toContain("-one\n+two\n");
    expect([existsSync(mark), existsSync(path.join(place.work, ".git/lfs"))]).toEqual([false, false]);
  });
});

describe("the scratch folder", () => {
  test("lies where no command may write, and is gone afterwards, also what a killed process has left", async () => {
    const setup = (place: Workspace) => {
      pushed(place);
      const left = path.join(place.home, "tmp/git-2147483647-left");
      mkdirSync(path.join(left, "objects"), { recursive: true });
      utimesSync(left, 1, 1);
      mkdirSync(path.join(place.home, "tmp/kept"));
    };
    await using mcp = startMcp({ setup });
    expect((await diff(mcp)).result.diff).toContain("-one\n+two\n");
    expect(scratchFolders(mcp.codex.place)).toEqual(["kept"]);
  });

  test("is deleted in the sandbox, so that a folder exchanged for a link takes nothing outside along", async () => {
    const setup = (place: Workspace) => {
      pushed(place);
      // A git that exchanges a folder of its scratch for a link, as a command could where the scratch was in reach.
      const git = path.join(place.root, "bin/git");
      mkdirSync(path.dirname(git));
      const script = `#!/bin/sh\nln -s "${place.root}/user" "$TMPDIR/link"\nexec "${which("git")}" "$@"\n`;
      writeFileSync(git, script, { mode: 0o755 });
      writeFileSync(path.join(place.env["HOME"] ?? "", "precious"), "");
      writeFileSync(path.join(place.home, ".env"), `PATH=${path.dirname(git)}:${place.env["PATH"]}\n`);
    };
    await using mcp = startMcp({ setup });
    const { place } = mcp.codex;
    expect((await diff(mcp)).result.diff).toContain("-one\n+two\n");
    expect(scratchFolders(place)).toEqual([]);
    expect(existsSync(path.join(place.env["HOME"] ?? "", "precious"))).toBe(true);
  });

  test("is refused behind a link", async () => {
    const setup = (place: Workspace) => {
      pushed(place);
      mkdirSync(path.join(place.root, "elsewhere"));
      symlinkSync(path.join(place.root, "elsewhere"), path.join(place.home, "tmp"));
    };
    await using mcp = startMcp({ setup });
    expect((await diff(mcp)).error).toMatchObject({ code: -32600 });
    expect(readdirSync(path.join(mcp.codex.place.root, "elsewhere"))).toEqual([]);
  });
});

test.each(["a link", "a FIFO"])("an index that is %s is refused, not read or waited for", async (kind) => {
  const setup = (place: Workspace) => {
    pushed(place);
    const index = path.join(place.work, ".git/index");
    renameSync(index, path.join(place.root, "index"));
    if (kind === "a link") symlinkSync(path.join(place.root, "index"), index);
    else execFileSync("mkfifo", [index]);
  };
  await using mcp = startMcp({ setup });
  expect((await diff(mcp)).error).toMatchObject({ code: -32600 });
});

function which(name: string): string {
  return execFileSync("sh", ["-c", `command -v ${name}`], { encoding: "utf8" }).trim();
}
