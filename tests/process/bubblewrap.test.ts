import { spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { prepareSandbox } from "../../src/process/sandbox.ts";
import { SandboxSetupError } from "../../src/process/sandbox-error.ts";
import { writeFiles } from "../../src/process/write-files.ts";
import type { SandboxPolicy } from "../../src/protocol/policy.ts";
import { longBefore } from "../support/long-before.ts";
import { workspaceDefault, workspaceOnly } from "./policies.ts";
import { eventually, noBubblewrap, type Scene, useScenes } from "./support.ts";

const readOnly: SandboxPolicy = { mode: "read-only" };
const bwrap = { linuxSandbox: "bwrap" } as const;
const PATH = "/usr/local/bin:/usr/bin:/bin";

describe.skipIf(noBubblewrap)("a command under bubblewrap", () => {
  const makeScene = useScenes();
  const start = (policy: SandboxPolicy = workspaceOnly) => {
    const scene = makeScene();
    const sandbox = scene.sandbox(policy, bwrap);
    const bash = (script: string, env: Record<string, string> = {}) =>
      scene.exited(["bash", "-c", script], { sandbox, env: { PATH, OUT: scene.outside, ...env } });
    return { scene, sandbox, bash };
  };

  test("is what the sandbox says it is", () => {
    const { sandbox } = start();
    expect(sandbox).toMatchObject({ backend: "bubblewrap", warnings: [] });
    expect(sandbox.summary).toMatch(/^bubblewrap \d\S* \(\/\S*bwrap\) and seccomp$/);
  });

  test("has its outputs, its exit code and what a signal makes of that", async () => {
    const { bash } = start();
    expect(await bash("echo out; echo err >&2; exit 3")).toMatchObject({
      exitCode: 3,
      stdout: "out\n",
      stderr: "err\n",
    });
    expect(await bash("kill -TERM $$")).toMatchObject({ exitCode: 143 });
    expect(await bash("exit 1")).toMatchObject({ exitCode: 1, stdout: "", stderr: "" });
    expect(await bash("echo 'bwrap: execvp x: No such file or directory' >&2; exit 1")).toMatchObject({
      exitCode: 1,
      stderr: "bwrap: execvp x: No such file or directory\n",
    });
  });

  test("gets its arguments, its folder and its environment as they are", async () => {
    const { scene, sandbox } = start();
    const cwd = path.join(scene.workspace, 'a "b"\nc');
    mkdirSync(cwd);
    const env = { PATH, NODE_OPTIONS: "--require /nowhere", LINES: "one\ntwo", EMPTY: "", BIG: "x".repeat(100_000) };
    const script = 'pwd; printf "%s|" "$@"; echo; echo "$NODE_OPTIONS"; echo "$LINES$EMPTY"; echo "$BIG" | wc -c';
    const run = await scene.exited(["bash", "-c", script, "-", "", "--", "a b"], { sandbox, cwd, env });
    expect(run.stdout).toBe(`${cwd}\n|--|a b|\n--require /nowhere\none\ntwo\n100001\n`);
    const names = await scene.exited(["env"], { sandbox, env: { PATH, ONLY: "this" } });
    expect(names.stdout.match(/^\w+(?==)/gm)?.sort()).toEqual(["CODEX_COMMAND_ID", "ONLY", "PATH", "PWD"]);
  });

  test("has no descriptors beside its stdio", async () => {
    const { bash } = start();
    expect((await bash("ls /proc/self/fd | tr '\\n' ' '")).stdout).toBe("0 1 2 3 "); // the last is the folder itself
  });

  test.each<[readonly string[], string]>([
    [["no-such-program"], "No such file or directory (os error 2)"],
    [["/etc/passwd"], "Permission denied (os error 13)"],
    [["/etc/passwd/x"], "Not a directory (os error 20)"],
  ])("%j: the reason why it never ran is the program's", async (argv, message) => {
    const { scene, sandbox } = start();
    expect(await scene.run(argv, { sandbox, env: { PATH } })).toEqual({ kind: "not_started", message });
  });

  test("a folder that is missing is a reason too", async () => {
    const { scene, sandbox } = start();
    const cwd = path.join(scene.workspace, "missing: or not");
    const message = "No such file or directory (os error 2)";
    expect(await scene.run(["true"], { sandbox, cwd })).toEqual({ kind: "not_started", message });
  });

  test("outside nothing changes mode, owner, times or attributes", async () => {
    const { scene, bash } = start();
    const victim = path.join(scene.outside, "victim");
    writeFileSync(victim, "original", { mode: 0o644 });
    const before = statSync(victim);
    for (const action of ["chmod 600", "touch -d 2001-01-01", "chgrp 1", "truncate -s 0", "rm -f", "ln -f -t ."]) {
      const run = await bash(`${action} "$OUT/victim"`);
      expect([action, run.exitCode === 0]).toEqual([action, false]);
    }
    expect(statSync(victim)).toEqual(before);
  });

  test(".git is read-only, and git still reads", async () => {
    const scene = makeScene();
    spawnSync("git", ["init", "-q"], { cwd: scene.workspace });
    const sandbox = scene.sandbox(workspaceOnly, bwrap);
    const attempts = [
      "echo a >> .git/config",
      "echo a > .git/hooks/pre-commit",
      "mv .git other",
      "rm -rf .git",
      "git commit --allow-empty -m x",
      "ln -s .git way && echo a > way/made",
    ];
    for (const script of attempts) {
      const run = await scene.exited(["bash", "-c", script], { sandbox, env: { PATH } });
      expect([script, run.exitCode === 0]).toEqual([script, false]);
    }
    const status = await scene.exited(["git", "status", "--short"], { sandbox, env: { PATH } });
    expect(status).toMatchObject({ exitCode: 0, stderr: "" });
    const write = (file: string) =>
      writeFiles([{ type: "write", path: path.join(scene.workspace, file), content: "x" }], {
        sandbox,
        signal: new AbortController().signal,
      });
    expect(await write("mine")).toEqual({ ok: true });
    for (const file of [".git/config", ".git/hooks/made", "way/made"]) {
      expect(await write(file)).toMatchObject({ ok: false, message: expect.stringContaining("Read-only file system") });
    }
  });

  test("the folders that the .git file of a worktree names are read-only too", async () => {
    const scene = makeScene();
    const main = path.join(scene.workspace, "main");
    const git = (...args: string[]) =>
      spawnSync("git", ["-c", "user.name=n", "-c", "user.email=a@b.c", ...args], { cwd: main });
    mkdirSync(main);
    git("init", "-q");
    git("commit", "-q", "--allow-empty", "-m", "one");
    git("worktree", "add", "-q", "../tree");
    const cwd = path.join(scene.workspace, "tree");
    const policy = { ...workspaceOnly, writable_roots: [main] };
    const sandbox = scene.sandbox(policy, { ...bwrap, cwd });
    for (const file of [".git", "../main/.git/config", "../main/.git/worktrees/tree/HEAD"]) {
      const run = await scene.exited(["bash", "-c", `echo a >> ${file}`], { sandbox, cwd, env: { PATH } });
      expect([file, run.exitCode]).toEqual([file, 1]);
    }
    const run = await scene.exited(["bash", "-c", "echo a > made; echo a > ../main/made"], {
      sandbox,
      cwd,
      env: { PATH },
    });
    expect(run).toMatchObject({ exitCode: 0, stderr: "" });
  });

  test(".git of a workspace that lies within a wider root is read-only", async () => {
    const scene = makeScene();
    const cwd = realpathSync(mkdtempSync("/tmp/codex-bubblewrap-"));
    onTestFinished(() => rmSync(cwd, { recursive: true }));
    mkdirSync(path.join(cwd, "sub"));
    spawnSync("git", ["init", "-q"], { cwd });
    const sandbox = scene.sandbox(workspaceDefault, { ...bwrap, cwd: path.join(cwd, "sub") });
    expect(sandbox.writableRoots).toEqual(["/tmp"]);
    const run = (script: string) => scene.exited(["bash", "-c", script], { sandbox, cwd, env: { PATH } });
    expect(await run("echo a > made")).toMatchObject({ exitCode: 0 });
    expect(await run("echo a >> .git/config")).toMatchObject({ exitCode: 1 });
    const moved = await run(
      `mv ${cwd} ${cwd}-away && mkdir -p ${cwd}/.git/hooks && echo a > ${cwd}/.git/hooks/pre-commit`,
    );
    expect(moved.exitCode).not.toBe(0);
    expect(existsSync(path.join(cwd, ".git/HEAD"))).toBe(true);
  });

  test("the .git file of a submodule is read-only, and so is where it leads", async () => {
    const scene = makeScene();
    const git = (cwd: string, ...args: string[]) => {
      const flags = ["-c", "user.name=n", "-c", "user.email=a@b.c", "-c", "protocol.file.allow=always"];
      expect(spawnSync("git", [...flags, ...args], { cwd }).status).toBe(0);
    };
    for (const cwd of [scene.outside, scene.workspace]) {
      git(cwd, "init", "-q");
      git(cwd, "commit", "-q", "--allow-empty", "-m", "one");
    }
    git(scene.workspace, "submodule", "add", "-q", scene.outside, "deep/sub");
    const sandbox = scene.sandbox(workspaceOnly, bwrap);
    const run = (script: string) => scene.exited(["bash", "-c", script], { sandbox, env: { PATH } });
    const attempts = [
      "echo a > deep/sub/.git",
      "mv deep/sub deep/other",
      "mv deep other",
      "rm -rf deep",
      "> .git/modules/deep/sub/config",
    ];
    for (const script of attempts) expect([script, (await run(script)).exitCode === 0]).toEqual([script, false]);
    expect(await run("echo a > deep/sub/made; echo a > deep/made; rm -f .gitmodules")).toMatchObject({ exitCode: 0 });
    // What .gitmodules says is the commands' own: a later session goes by the index.
    const later = scene.sandbox(workspaceOnly, bwrap);
    const planted = await scene.exited(["bash", "-c", "echo a > deep/sub/.git"], { sandbox: later, env: { PATH } });
    expect(planted.exitCode).not.toBe(0);
    // And one whose submodule went away in between goes on.
    rmSync(path.join(scene.workspace, "deep"), { recursive: true });
    expect(await run("echo a > made")).toMatchObject({ exitCode: 0 });
  });

  test("the folder of a submodule without a repository yet is no place to plant one", async () => {
    const scene = makeScene();
    const git = (...args: string[]) => spawnSync("git", args, { cwd: scene.workspace });
    git("init", "-q");
    git("update-index", "--add", "--cacheinfo", `160000,${"1".repeat(40)},sub`);
    mkdirSync(path.join(scene.workspace, "sub"));
    const sandbox = scene.sandbox(workspaceOnly, bwrap);
    const run = await scene.exited(["bash", "-c", "git init -q sub"], { sandbox, env: { PATH } });
    expect(run.exitCode).not.toBe(0);
    expect(existsSync(path.join(scene.workspace, "sub/.git"))).toBe(false);
  });

  test("the .git file of another working tree below the workspace is read-only", async () => {
    const scene = makeScene();
    const git = (...args: string[]) =>
      spawnSync("git", ["-c", "user.name=n", "-c", "user.email=a@b.c", ...args], { cwd: scene.workspace });
    git("init", "-q");
    git("commit", "-q", "--allow-empty", "-m", "one");
    git("worktree", "add", "-q", "side");
    const sandbox = scene.sandbox(workspaceOnly, bwrap);
    const run = (script: string) => scene.exited(["bash", "-c", script], { sandbox, env: { PATH } });
    expect((await run("echo gitdir: /tmp/x > side/.git")).exitCode).not.toBe(0);
    expect((await run("mv side other")).exitCode).not.toBe(0);
    expect(await run("echo a > side/made")).toMatchObject({ exitCode: 0 });
  });

  test(".git that is a link is warned of", () => {
    const scene = makeScene();
    spawnSync("git", ["init", "-q", "--separate-git-dir", "real.git"], { cwd: scene.workspace });
    rmSync(path.join(scene.workspace, ".git"));
    symlinkSync("real.git", path.join(scene.workspace, ".git"));
    const link = path.join(scene.workspace, ".git");
    const warning = `Commands can put another in the place of "${link}", which is a symbolic link.`;
    expect(scene.sandbox(workspaceOnly, bwrap).warnings).toEqual([warning]);
  });

  test("more arguments than the kernel takes are the command's fault", async () => {
    const { scene, sandbox } = start();
    const message = "Argument list too long (os error 7)";
    expect(await scene.run(["echo", "x".repeat(200_000)], { sandbox })).toEqual({ kind: "not_started", message });
  });

  test("what it leaves in the background ends with it", async () => {
    const { bash } = start();
    await bash("setsid -f sleep 962.5 > /dev/null 2>&1");
    await eventually("nothing is left", () => spawnSync("pgrep", ["-f", "sleep 962.5"]).status === 1);
  });

  test("a time limit and an abort end all of it", async () => {
    const { scene, sandbox } = start();
    const env = { PATH };
    const script = "env -i setsid sleep 961.5 & setsid sleep 961.5 & sleep 961.5";
    const limited = await longBefore(900_000, () =>
      scene.exited(["bash", "-c", script], { sandbox, env, timeoutMs: 300 }),
    );
    expect(limited).toMatchObject({ exitCode: 124, timedOut: true });
    await eventually("nothing is left", () => spawnSync("pgrep", ["-f", "sleep 961.5"]).status === 1);
    const abort = new AbortController();
    const onOutput = () => {
      abort.abort();
      return undefined;
    };
    const aborted = await longBefore(900_000, () =>
      scene.exited(["bash", "-c", "echo out; sleep 900"], { sandbox, env, signal: abort.signal, onOutput }),
    );
    expect(aborted).toMatchObject({ exitCode: 130, aborted: true, stdout: "out\n" });
  });

  test("a library of the workspace's is loaded by the command at most, never by what confines it", async () => {
    const { scene, sandbox } = start();
    // No library at all: the loader of every program that has the variable complains.
    writeFileSync(path.join(scene.workspace, "evil.so"), "not a library");
    const env = { PATH, LD_PRELOAD: path.join(scene.workspace, "evil.so") };
    const run = await scene.exited(["true"], { sandbox, env });
    expect(run.stderr.match(/evil\.so/g)).toHaveLength(1);
  });

  test("a writable folder that was replaced since is not written", async () => {
    const { scene, sandbox } = start();
    renameSync(scene.workspace, `${scene.workspace}-old`);
    mkdirSync(scene.workspace);
    const run = scene.run(["touch", "made"], { sandbox, env: { PATH } });
    await expect(run).rejects.toThrow(SandboxSetupError);
    await expect(run).rejects.toThrow("was replaced since the session began");
  });

  test("20 MB through each output arrive", async () => {
    const { bash } = start(readOnly);
    const run = await bash("head -c 20000000 /dev/zero | tr '\\0' a; head -c 20000000 /dev/zero | tr '\\0' b >&2");
    expect(run.exitCode).toBe(0);
    expect([run.stdout.at(-1), run.stderr.at(-1)]).toEqual(["a", "b"]);
  });

  test("nothing of it is left when we are killed", async () => {
    const { scene } = start();
    const argv = [scene.programs.driverPath, "workspace-only", "--bwrap", "--", "bash", "-c", "touch runs; sleep 62.5"];
    const driver = spawn(process.execPath, argv, { cwd: scene.workspace, stdio: "ignore" });
    await eventually("the command runs", () => existsSync(path.join(scene.workspace, "runs")));
    driver.kill("SIGKILL");
    await eventually("it is gone", () => spawnSync("pgrep", ["-f", "sleep 62.5"]).status === 1);
  });

  test("bubblewrap needs no Landlock", () => {
    const scene = makeScene();
    const flags = ["workspace-only", "--landlock-errno", "38", "--bwrap", "--", "touch", "made"];
    const run = spawnSync(process.execPath, [scene.programs.driverPath, ...flags], { cwd: scene.workspace });
    expect([run.status, run.stderr.toString()]).toEqual([0, ""]);
    expect(existsSync(path.join(scene.workspace, "made"))).toBe(true);
  });
});

describe.skipIf(noBubblewrap)("which sandbox is taken", () => {
  const makeScene = useScenes();
  const prepare = (scene: Scene, env: Record<string, string>, linuxSandbox: "auto" | "landlock" | "bwrap") => {
    const { helperPath } = scene.programs;
    const sandbox = prepareSandbox(workspaceOnly, { cwd: scene.workspace, env, helperPath, linuxSandbox });
    sandbox.close();
    return sandbox;
  };

  test("auto is bubblewrap where it works, landlock is Landlock", () => {
    const scene = makeScene();
    expect(prepare(scene, { PATH }, "auto")).toMatchObject({ backend: "bubblewrap", warnings: [] });
    expect(prepare(scene, { PATH }, "landlock")).toMatchObject({ backend: "landlock", warnings: [] });
  });

  test("one that a command could have made is not run", () => {
    const scene = makeScene();
    const proof = path.join(scene.outside, "it-ran");
    const fake = path.join(scene.workspace, "bwrap");
    writeFileSync(fake, `#!/bin/sh\ntouch ${proof}\n`);
    chmodSync(fake, 0o755);
    symlinkSync(fake, path.join(scene.outside, "bwrap"));
    // Outside of this session's folders, but perhaps in those of another one.
    const other = path.join(scene.outside, "other");
    mkdirSync(other);
    copyFileSync(fake, path.join(other, "bwrap"));
    for (const folders of [scene.workspace, scene.outside, other, "."]) {
      expect(prepare(scene, { PATH: `${folders}:${PATH}` }, "auto").backend).toBe("bubblewrap");
    }
    expect(existsSync(proof)).toBe(false);
  });
});
