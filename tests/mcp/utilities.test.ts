import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { isAlive } from "../process/support.ts";
import { longBefore } from "../support/long-before.ts";
import { startMcp } from "../support/mcp-session.ts";
import type { Workspace } from "../support/workspace.ts";

/** A clone with one pushed commit, one that is not, and changes that are in neither. */
function clone({ root, work, env }: Workspace): void {
  const git = (...args: string[]) =>
    execFileSync("git", ["-c", "user.name=t", "-c", "user.email=t@example.invalid", ...args], { cwd: work, env });
  writeFileSync(path.join(work, "a.txt"), "one\n");
  git("add", "-A");
  git("commit", "-qm", "pushed");
  const bare = path.join(root, "remote.git");
  execFileSync("git", ["clone", "-q", "--bare", work, bare], { env });
  git("remote", "add", "origin", bare);
  git("fetch", "-q", "origin");
  writeFileSync(path.join(work, "b.txt"), "local\n");
  git("add", "-A");
  git("commit", "-qm", "local");
  writeFileSync(path.join(work, "a.txt"), "two\n");
  writeFileSync(path.join(work, "new file"), "new\n");
  writeFileSync(path.join(work, ".gitignore"), "ignored\n");
  writeFileSync(path.join(work, "ignored"), "x\n");
}

const head = (place: Workspace, name: string) =>
  execFileSync("git", ["rev-parse", name], { cwd: place.work, env: place.env, encoding: "utf8" }).trim();

describe("gitDiffToRemote", () => {
  test("the pushed commit, and everything since, new files too; nothing in the repository changes", async () => {
    await using mcp = startMcp({ setup: clone });
    const { place } = mcp.codex;
    const status = () =>
      execFileSync("git", ["status", "--porcelain"], { cwd: place.work, env: place.env, encoding: "utf8" });
    const before = status();
    const { result } = await mcp.request("gitDiffToRemote", { cwd: place.work });
    expect(result.sha).toBe(head(place, "origin/main"));
    for (const text of ["-one\n+two\n", "+local\n", "b/new file", "+new\n"]) expect(result.diff).toContain(text);
    expect(result.diff).not.toContain("b/ignored");
    expect(status()).toBe(before);
  });

  test("in a folder below, and with nothing of its own", async () => {
    await using mcp = startMcp({ setup: clone, files: { "sub/x": "" } });
    const { place } = mcp.codex;
    execFileSync("git", ["push", "-q", "origin", "HEAD"], { cwd: place.work, env: place.env });
    execFileSync("git", ["fetch", "-q"], { cwd: place.work, env: place.env });
    const { result } = await mcp.request("gitDiffToRemote", { cwd: path.join(place.work, "sub") });
    expect(result.sha).toBe(head(place, "HEAD"));
    expect(result.diff).toContain("-one\n+two\n");
  });

  test("outside of a repository, and in one without a remote", async () => {
    await using mcp = startMcp();
    for (const cwd of [mcp.codex.place.home, mcp.codex.place.work, '/no/"such"']) {
      const message = `failed to compute git diff to remote for cwd: ${JSON.stringify(cwd)}`;
      expect((await mcp.request("gitDiffToRemote", { cwd })).error).toEqual({ code: -32600, message });
    }
  });

  test("a repository that would run programs runs none", async () => {
    const evil = (place: Workspace) => {
      clone(place);
      const program = path.join(place.work, "evil.sh");
      writeFileSync(program, `#!/bin/sh\ntouch "${place.root}/pwned"\ncat\n`);
      chmodSync(program, 0o755);
      mkdirSync(path.join(place.work, "bin"));
      writeFileSync(path.join(place.work, "bin/git"), `#!/bin/sh\ntouch "${place.root}/pwned"\n`);
      chmodSync(path.join(place.work, "bin/git"), 0o755);
      writeFileSync(path.join(place.work, ".gitattributes"), "* filter=evil diff=evil\n");
      const settings = {
        "core.fsmonitor": program,
        "core.hooksPath": place.work,
        "filter.evil.clean": program,
        "filter.evil.process": program,
        "filter.evil.required": "true",
        "diff.evil.command": program,
        "diff.evil.textconv": program,
        "diff.external": program,
        "core.sshCommand": program,
      };
      for (const [key, value] of Object.entries(settings)) {
        execFileSync("git", ["config", key, value], { cwd: place.work, env: place.env });
      }
    };
    const env = { GIT_EXTERNAL_DIFF: "/bin/false", GIT_DIR: "/nowhere" };
    await using mcp = startMcp({ setup: evil, env });
    const { place } = mcp.codex;
    const { result } = await mcp.request("gitDiffToRemote", { cwd: place.work });
    expect(result.diff).toContain("-one\n+two\n");
    expect(existsSync(path.join(place.root, "pwned"))).toBe(false);
  });

  test("nor does one of its submodules, for which git would start another git", async () => {
    const evil = (place: Workspace) => {
      clone(place);
      const git = (cwd: string, ...args: string[]) =>
        execFileSync("git", ["-c", "user.name=t", "-c", "user.email=t@example.invalid", ...args], {
          cwd,
          env: place.env,
        });
      const [library, sub, program] = ["library", "work/sub", "evil.sh"].map((name) => path.join(place.root, name)) as [
        string,
        string,
        string,
      ];
      writeFileSync(program, `#!/bin/sh\ntouch "${place.root}/pwned"\n`, { mode: 0o755 });
      mkdirSync(library);
      git(library, "init", "-q");
      writeFileSync(path.join(library, "file"), "one\n");
      git(library, "add", ".");
      git(library, "commit", "-qm", "one");
      git(place.work, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", library, "sub");
      git(place.work, "commit", "-qm", "sub");
      git(place.work, "push", "-q", "origin", "HEAD");
      git(place.work, "fetch", "-q");
      writeFileSync(path.join(sub, "file"), "two\n");
      git(sub, "commit", "-qam", "two");
      git(place.work, "config", "diff.submodule", "diff");
      for (const key of ["diff.external", "core.fsmonitor"]) git(sub, "config", key, program);
    };
    await using mcp = startMcp({ setup: evil });
    const { place } = mcp.codex;
    const { result } = await mcp.request("gitDiffToRemote", { cwd: place.work });
    expect(result.diff).toMatch(/^-Subproject commit .*\n\+Subproject commit /m);
    expect(existsSync(path.join(place.root, "pwned"))).toBe(false);
  });

  test("git ends with a cancel and with the server", async () => {
    const waiting = (place: Workspace) => {
      clone(place);
      const shim = path.join(place.root, "git");
      writeFileSync(shim, '#!/bin/sh\necho $$ > "$TMPDIR/pid"\nexec sleep 60\n', { mode: 0o755 });
      writeFileSync(path.join(place.home, ".env"), `PATH=${place.root}:${place.env["PATH"]}\n`);
    };
    await using mcp = startMcp({ setup: waiting });
    const { place } = mcp.codex;
    const pidFiles = () => Object.entries(place.homeFiles()).filter(([name]) => /^tmp\/git-[^/]+\/pid$/.test(name));
    const started = async () => {
      await expect.poll(() => pidFiles().some(([, pid]) => pid !== "")).toBe(true);
      return Number(pidFiles()[0]?.[1]);
    };
    const cancelled = mcp.request("gitDiffToRemote", { cwd: place.work }, 1);
    const first = await started();
    mcp.send({ method: "notifications/cancelled", params: { requestId: 1 } });
    expect((await cancelled).error?.code).toBe(-32600);
    expect(pidFiles()).toEqual([]);
    void mcp.request("gitDiffToRemote", { cwd: place.work }).catch(() => {});
    const second = await started();
    mcp.codex.child.kill("SIGTERM");
    await mcp.ended();
    for (const pid of [first, second]) expect(isAlive(pid)).toBe(false);
    expect(pidFiles()).toEqual([]);
  });

  test("a git among the files of the repository is not the one that is run", async () => {
    const planted = (place: Workspace) => {
      clone(place);
      mkdirSync(path.join(place.work, "bin"));
      writeFileSync(path.join(place.work, "bin/git"), `#!/bin/sh\ntouch "${place.root}/pwned"\n`);
      chmodSync(path.join(place.work, "bin/git"), 0o755);
      writeFileSync(path.join(place.home, ".env"), `PATH=${place.work}/bin:bin:.:${place.env["PATH"]}\n`);
    };
    await using mcp = startMcp({ setup: planted });
    const { place } = mcp.codex;
    expect((await mcp.request("gitDiffToRemote", { cwd: place.work })).result.diff).toContain("-one\n+two\n");
    expect(existsSync(path.join(place.root, "pwned"))).toBe(false);
  });
});

describe("execOneOffCommand", () => {
  const free = { sandboxPolicy: { mode: "danger-full-access" } };

  test("its status and both outputs", async () => {
    await using mcp = startMcp();
    const command = ["sh", "-c", "echo out; echo err >&2; exit 3"];
    expect((await mcp.request("execOneOffCommand", { command, ...free })).result).toEqual({
      exitCode: 3,
      stdout: "out\n",
      stderr: "err\n",
    });
  });

  test("whoever asks and closes stdin at once is still answered", async () => {
    await using mcp = startMcp();
    const answer = mcp.request("execOneOffCommand", { command: ["sh", "-c", "sleep 0.3; echo out"], ...free });
    mcp.end();
    expect((await answer).result).toEqual({ exitCode: 0, stdout: "out\n", stderr: "" });
    expect((await mcp.ended()).exitCode).toBe(0);
  });

  test("no command, no such program or folder, and a time limit; ping does not wait", async () => {
    await using mcp = startMcp();
    const fails = async (params: object) => (await mcp.request("execOneOffCommand", { ...free, ...params })).error;
    const missing = { code: -32603, message: "exec failed: No such file or directory (os error 2)" };
    expect(await fails({ command: [] })).toEqual({ code: -32600, message: "command must not be empty" });
    expect(await fails({ command: ["no-such-program-anywhere"] })).toEqual(missing);
    expect(await fails({ command: ["true"], cwd: "no/such/folder" })).toEqual(missing);
    const order: string[] = [];
    const go = path.join(mcp.codex.place.work, "go");
    const waits = ["sh", "-c", `until [ -e ${go} ]; do sleep 0.01; done`];
    const waiting = fails({ command: waits, timeoutMs: 900_000 }).then(() => order.push("the command"));
    await mcp.request("ping").then(() => order.push("ping"));
    writeFileSync(go, "");
    await waiting;
    expect(order).toEqual(["ping", "the command"]);
    const slow = () => fails({ command: ["sleep", "900"], timeoutMs: 300 });
    const timedOut = { code: -32603, message: "exec failed: sandbox error: command timed out" };
    expect(await longBefore(900_000, slow)).toEqual(timedOut);
    expect((await mcp.request("execOneOffCommand", {})).error?.code).toBe(-32602);
  });

  test("without a limit of its own it has ten seconds", async () => {
    await using mcp = startMcp();
    const order: string[] = [];
    const limited = async (name: string, limit: object) => {
      const { error } = await mcp.request("execOneOffCommand", { command: ["sleep", "900"], ...free, ...limit });
      expect(error?.message).toBe("exec failed: sandbox error: command timed out");
      order.push(name);
    };
    await Promise.all([limited("12", { timeoutMs: 12_000 }), limited("none", {}), limited("8", { timeoutMs: 8_000 })]);
    expect(order).toEqual(["8", "none", "12"]);
  });

  test.skipIf(process.platform !== "linux")("read-only holds, whether asked for or by default", async () => {
    await using mcp = startMcp({ env: { OPENAI_API_KEY: "sk-secret" } });
    for (const policy of [{}, { sandboxPolicy: { mode: "read-only" } }]) {
      const command = ["sh", "-c", "echo $OPENAI_API_KEY; touch made"];
      const { result } = await mcp.request("execOneOffCommand", { command, ...policy });
      expect(result.exitCode).not.toBe(0);
      expect(result.stdout).toBe("\n");
    }
    expect(mcp.codex.place.files()).toEqual({});
  });
});
