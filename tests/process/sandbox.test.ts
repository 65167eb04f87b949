import { spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { looksDenied } from "../../src/process/is-sandbox-denial.ts";
import { checkSandboxes, prepareSandbox } from "../../src/process/sandbox.ts";
import { explainRefusal, SandboxSetupError } from "../../src/process/sandbox-error.ts";
import type { SandboxPolicy } from "../../src/protocol/policy.ts";
import { policyNamed, workspaceDefault, workspaceOnly } from "./policies.ts";
import { noSandbox, type Scene, useScenes, withoutPerl } from "./support.ts";

const isRoot = process.getuid?.() === 0;
const readOnly: SandboxPolicy = { mode: "read-only" };

describe.skipIf(noSandbox).each([
  ["perl", {}],
  ["Node", withoutPerl],
] as const)("the sandbox of Linux, by %s", (_helper, helper) => {
  const makeScene = useScenes(helper);

  /** True when the script ended well; its outcome looks like a denial otherwise. */
  async function works(scene: Scene, script: string, policy: SandboxPolicy): Promise<boolean> {
    const sandbox = scene.sandbox(policy);
    const env = { PATH: process.env["PATH"] ?? "", OUT: scene.outside };
    const outcome = await scene.exited(["bash", "-c", script], { sandbox, env });
    if (outcome.exitCode !== 0) expect(outcome).toSatisfy(looksDenied);
    return outcome.exitCode === 0;
  }

  test.each<[string, boolean, boolean]>([
    ["echo a > made", false, true],
    ["mkdir -p n/m && echo a > n/m/f && rm -r n", false, true],
    ["echo a >> there && mv there moved", false, true],
    ["mkdir d && echo a > d/f && mv d/f f && ln f d/g", false, true],
    ["chmod 600 there", false, true],
    ["echo a > /dev/null", true, true],
    ["cat $OUT/victim && ls /etc && head -c 8 /dev/urandom > /dev/null", true, true],
    ["cat <(echo a)", true, true],
    ["echo a > $OUT/made", false, false],
    ["echo a >> $OUT/victim", false, false],
    ["rm $OUT/victim", false, false],
    ["mkdir $OUT/made", false, false],
    ["ln -s x $OUT/made", false, false],
    ["mv $OUT/victim .", false, false],
    ["mv there $OUT/", false, false],
    ["ln -s $OUT mine && echo a > mine/made", false, false],
    ["echo a > ../outside/victim", false, false],
    ["exec 5< $OUT/victim; echo a > /proc/self/fd/5", false, false],
    ["truncate -s 0 $OUT/victim", false, false],
    ["bash -c 'bash -c \"echo a > $OUT/made\"'", false, false],
    ["unshare -Urm true && unshare -Urm mount --bind . $OUT", false, false],
    ["kill -0 $PPID", false, false],
  ])("%s: read-only %s, workspace %s", async (script, inReadOnly, inWorkspace) => {
    for (const [policy, expected] of [[readOnly, inReadOnly] as const, [workspaceOnly, inWorkspace] as const]) {
      const scene = makeScene();
      writeFileSync(path.join(scene.workspace, "there"), "");
      writeFileSync(path.join(scene.outside, "victim"), "original");
      expect([policy.mode, await works(scene, script, policy)]).toEqual([policy.mode, expected]);
      expect(readFileSync(path.join(scene.outside, "victim"), "utf8")).toBe("original");
      expect(existsSync(path.join(scene.outside, "made"))).toBe(false);
    }
  });

  test("nothing outside loses its mode or times in read-only", async () => {
    const scene = makeScene();
    writeFileSync(path.join(scene.outside, "victim"), "", { mode: 0o644 });
    const before = statSync(path.join(scene.outside, "victim"));
    expect(await works(scene, "chmod 600 $OUT/victim", readOnly)).toBe(false);
    expect(await works(scene, "touch -d 2001-01-01 $OUT/victim", readOnly)).toBe(false);
    expect(statSync(path.join(scene.outside, "victim"))).toEqual(before);
  });

  test.skipIf(!isRoot)("root keeps what is about files and loses the rest", async () => {
    const scene = makeScene();
    const sandbox = scene.sandbox(workspaceOnly);
    const outcome = await scene.exited(["grep", "-E", "^Cap|NoNew|^Seccomp:", "/proc/self/status"], { sandbox });
    expect(outcome.stdout).toMatch(
      /CapInh:\s0{16}\nCapPrm:\s0{13}4fb\nCapEff:\s0{13}4fb\nCapBnd:\s0{13}4fb\nCapAmb:\s0{16}/,
    );
    expect(outcome.stdout).toMatch(/NoNewPrivs:\s1\nSeccomp:\s2/);
    expect(await works(scene, "touch owned && chown 1:1 owned", workspaceOnly)).toBe(true);
    expect(await works(scene, "mknod device b 7 0", workspaceOnly)).toBe(false);
  });

  test("/tmp and $TMPDIR are writable unless they are excluded", async () => {
    const scene = makeScene();
    const inTmp = path.join("/tmp", `codex-test-${process.pid}`);
    const TMPDIR = path.join(scene.folder, "temporary");
    mkdirSync(TMPDIR);
    const run = async (target: string, policy: SandboxPolicy) => {
      const sandbox = scene.sandbox(policy, { env: { TMPDIR } });
      const outcome = await scene.exited(["sh", "-c", 'echo a > "$0"', target], { sandbox });
      rmSync(target, { force: true });
      return outcome.exitCode;
    };
    expect(await run(inTmp, workspaceDefault)).toBe(0);
    expect(await run(inTmp, workspaceOnly)).not.toBe(0);
    expect(await run(path.join(TMPDIR, "a"), workspaceDefault)).toBe(0);
    expect(await run(path.join(TMPDIR, "a"), workspaceOnly)).not.toBe(0);
  });

  test("a root may be a link, a file, or missing", async () => {
    const scene = makeScene();
    const data = path.join(scene.folder, "data");
    mkdirSync(data);
    symlinkSync(data, path.join(scene.folder, "link"));
    writeFileSync(path.join(scene.folder, "one-file"), "");
    const writable_roots = ["link", "one-file", "missing"].map((name) => path.join(scene.folder, name));
    const sandbox = scene.sandbox({ ...workspaceOnly, writable_roots });
    expect(sandbox.writableRoots).toEqual([data, path.join(scene.folder, "one-file"), scene.workspace]);
    const script = "echo a > ../link/made && echo b > ../one-file && cat ../data/made ../one-file; mkdir ../missing";
    const outcome = await scene.exited(["sh", "-c", script], { sandbox });
    expect(outcome).toMatchObject({ exitCode: 1, stdout: "a\nb\n" });
  });

  test("a command cannot turn a root elsewhere for the next session", async () => {
    const scene = makeScene();
    const TMPDIR = path.join(scene.workspace, "temporary");
    mkdirSync(TMPDIR);
    const env = { TMPDIR };
    const swap = ["sh", "-c", `rm -r temporary && ln -s ${scene.outside} temporary`];
    expect(await scene.exited(swap, { sandbox: scene.sandbox(workspaceDefault, { env }) })).toMatchObject({
      exitCode: 0,
    });
    // Where the tests' own folder is below /tmp, /tmp would be a root above it.
    const policy = { ...workspaceDefault, exclude_slash_tmp: true };
    const outcome = await scene.exited(["touch", "temporary/made"], { sandbox: scene.sandbox(policy, { env }) });
    expect(outcome.exitCode).toBe(1);
  });

  test("nothing runs in a root that was replaced", async () => {
    const scene = makeScene();
    const sandbox = scene.sandbox(workspaceOnly);
    renameSync(scene.workspace, `${scene.workspace}-old`);
    mkdirSync(scene.workspace);
    await expect(scene.run(["touch", "made"], { sandbox })).rejects.toThrow(
      `cannot sandbox commands: the writable folder "${scene.workspace}" was replaced since the session began.`,
    );
    expect(existsSync(path.join(scene.workspace, "made"))).toBe(false);
  });

  test("no network, but pairs of sockets", async () => {
    const scene = makeScene();
    const server = net.createServer((socket) => socket.end("hello"));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const port = typeof address === "object" ? address?.port : undefined;
    const scripts = {
      tcp: `exec 6<>/dev/tcp/127.0.0.1/${port} && head -c 5 <&6`,
      udp: `echo a > /dev/udp/127.0.0.1/${port}`,
      pair: "perl -MSocket -e 'socketpair(A, B, AF_UNIX, SOCK_STREAM, 0) && send(A, 1, 0) && shutdown(A, 1) or exit 1'",
      unix: `perl -MSocket -e 'socket(A, AF_UNIX, SOCK_STREAM, 0) && bind(A, sockaddr_un("s")) && listen(A, 1) or die $!'`,
    };
    const results: Record<string, readonly boolean[]> = {};
    for (const [name, script] of Object.entries(scripts)) {
      results[name] = [
        await works(scene, script, workspaceOnly),
        await works(scene, script, { ...workspaceOnly, network_access: true }),
      ];
    }
    server.close();
    expect(results).toEqual({ tcp: [false, true], udp: [false, true], pair: [true, true], unix: [false, true] });
  });

  test.each(["io_uring_setup", "ptrace", "mount", "keyctl"])("%s is refused", async (call) => {
    const scene = makeScene();
    const numbers: Record<string, readonly [number, number]> = {
      io_uring_setup: [425, 425],
      ptrace: [101, 117],
      mount: [165, 40],
      keyctl: [250, 219],
    };
    const number = numbers[call]?.[process.arch === "arm64" ? 1 : 0];
    const script = `perl -e 'my $p = "\\0" x 120; syscall(${number}, 4, $p, 0, 0, 0) < 0 or exit 0; die $!'`;
    expect(await works(scene, script, { ...workspaceOnly, network_access: true })).toBe(false);
  });

  test.each([1, 2, 3, 4, 5, 6])("an older kernel's ABI %i keeps writes inside too", async (landlockAbiLimit) => {
    const scene = makeScene();
    writeFileSync(path.join(scene.outside, "victim"), "original");
    const sandbox = scene.sandbox(workspaceOnly, { landlockAbiLimit });
    const env = { PATH: process.env["PATH"] ?? "", OUT: scene.outside };
    const run = async (script: string) => (await scene.exited(["bash", "-c", script], { sandbox, env })).exitCode === 0;
    expect(await run("echo a > made && cat made && echo b > made && rm made")).toBe(true);
    expect(await run("echo a > $OUT/victim")).toBe(false);
    expect(await run("truncate -s 0 $OUT/victim")).toBe(false);
    expect(await run(`perl -e 'use Fcntl; sysopen(F, "$ENV{OUT}/victim", 3 | O_TRUNC) or exit 1'`)).toBe(false);
    expect(await run(`perl -e 'use Fcntl; sysopen(F, "$ENV{OUT}/victim", O_RDONLY | O_TRUNC) or exit 1'`)).toBe(false);
    expect(await run("mkdir d && echo a > f && perl -e 'rename(q(f), q(d/f)) or exit 1'")).toBe(landlockAbiLimit > 1);
    expect(readFileSync(path.join(scene.outside, "victim"), "utf8")).toBe("original");
    expect(sandbox.warnings).toHaveLength(landlockAbiLimit === 1 ? 1 : 0);
    expect(sandbox.summary).toMatch(landlockAbiLimit < 6 ? /this kernel lacks/ : /^Landlock \(ABI 6\) and seccomp$/);
  });

  test.each([
    [
      os.constants.errno.ENOSYS,
      "this kernel has no Landlock (Linux 5.13 or newer is needed) or a container profile hides it.",
    ],
    [
      os.constants.errno.EOPNOTSUPP,
      'Landlock is built into this kernel but not enabled. Add "landlock" to the kernel\'s lsm= list.',
    ],
    [os.constants.errno.EPERM, "a container's seccomp profile blocks Landlock."],
    [os.constants.errno.EACCES, "a container's seccomp profile blocks Landlock."],
    [os.constants.errno.EIO, "landlock_create_ruleset failed: I/o error (os error 5)."],
  ])("without Landlock (errno %i) nothing runs", (errno, cause) => {
    const scene = makeScene();
    const flags = ["workspace-only", "--landlock-errno", String(errno), "--", "touch", "made"];
    const result = spawnSync(process.execPath, [scene.programs.driverPath, ...flags], { cwd: scene.workspace });
    expect(result.stderr.toString()).toBe(
      `cannot sandbox commands: ${cause}\nWith bubblewrap installed, -c linux_sandbox=bwrap may work instead; ` +
        "`codex doctor` shows what this machine can enforce.\nNothing was run. To go on without a sandbox, use " +
        "--sandbox danger-full-access, and only inside a container or machine you can lose.\n",
    );
    expect(result.status).toBe(1);
    expect(existsSync(path.join(scene.workspace, "made"))).toBe(false);
  });

  test("without the FFI nothing runs, and danger-full-access runs all the same", async () => {
    const scene = makeScene();
    const helperPath = path.join(scene.folder, "sandbox-helper.cjs");
    cpSync(scene.programs.helperPath, helperPath);
    const reason =
      `cannot sandbox commands: the optional package @koromix/koffi-linux-${process.arch} is missing ` +
      "(was it installed with --omit=optional?).\nNothing was run.";
    expect(() => scene.sandbox(readOnly, { helperPath })).toThrow(reason);
    const refused = { available: false, reason: expect.stringContaining(reason) };
    const found = checkSandboxes({ helperPath, cwd: scene.folder, env: {} });
    expect(found).toEqual({ landlock: refused, bubblewrap: refused });
    const sandbox = scene.sandbox({ mode: "danger-full-access" }, { helperPath });
    const outcome = await scene.exited(["sh", "-c", "echo out; echo err >&2"], { sandbox });
    expect(outcome).toMatchObject({ exitCode: 0, stdout: "out\n", stderr: "err\n" });
    const stopped = await scene.exited(["sh", "-c", "echo out; sleep 20"], { sandbox, timeoutMs: 200 });
    expect(stopped).toMatchObject({ exitCode: 124, stdout: "out\n" });
  });

  test("a helper that cannot run is not taken for a failing command", async () => {
    const scene = makeScene();
    const helperPath = path.join(scene.folder, "broken.cjs");
    symlinkSync(
      path.join(path.dirname(scene.programs.helperPath), "node_modules"),
      path.join(scene.folder, "node_modules"),
    );
    writeFileSync(helperPath, "throw new Error('broken on purpose')");
    const sandbox = scene.sandbox(readOnly, { helperPath, ...withoutPerl });
    const running = scene.run(["true"], { sandbox });
    await expect(running).rejects.toBeInstanceOf(SandboxSetupError);
    await expect(running).rejects.toThrow(/the helper ended too early \(exit code 1\)\..*broken on purpose/s);
  });

  test("a helper inside of a writable folder is started from a copy that no command can change", async () => {
    const scene = makeScene();
    const inside = path.join(scene.workspace, "tool");
    const packages = path.join(inside, "node_modules", "@koromix");
    mkdirSync(packages, { recursive: true });
    cpSync(scene.programs.helperPath, path.join(inside, "sandbox-helper.cjs"));
    const name = `koffi-linux-${process.arch}`;
    const installed = path.join(path.dirname(scene.programs.helperPath), "node_modules", "@koromix", name);
    cpSync(installed, path.join(packages, name), { recursive: true });
    const sandbox = scene.sandbox(workspaceOnly, { helperPath: path.join(inside, "sandbox-helper.cjs") });
    expect(sandbox.warnings).toEqual([]);
    const attack = `
      echo 'require("fs").writeFileSync("${scene.outside}/escaped", "")' > tool/sandbox-helper.cjs
      find tool -name koffi.node -exec sh -c 'echo broken > "$1"' - {} ';'`;
    expect(await scene.exited(["sh", "-c", attack], { sandbox })).toMatchObject({ exitCode: 0, stderr: "" });
    const script = `echo fine; echo a > ${scene.outside}/made`;
    const outcome = await scene.exited(["sh", "-c", script], { sandbox });
    expect(outcome).toMatchObject({ exitCode: 2, stdout: "fine\n" });
    expect(existsSync(path.join(scene.outside, "escaped"))).toBe(false);
    sandbox.warmUp();
    expect(await scene.exited(["echo", "warm"], { sandbox })).toMatchObject({ stdout: "warm\n" });
  });

  test("warns when commands may write the configuration or the home folder", () => {
    const scene = makeScene();
    const codexHome = path.join(scene.workspace, ".codex");
    const warnings = (options: object, policy: SandboxPolicy = workspaceOnly) =>
      scene.sandbox(policy, { codexHome: "/nowhere", ...options }).warnings;
    const ofHome = `Commands may write "${scene.workspace}", the home folder`;
    const ofConfiguration = `Commands may write "${scene.workspace}", which holds this program's own configuration`;
    expect(warnings({ env: { HOME: scene.folder } })).toEqual([]);
    expect(warnings({ env: { HOME: scene.workspace } })).toEqual([expect.stringContaining(ofHome)]);
    expect(warnings({ codexHome })).toEqual([expect.stringContaining(ofConfiguration)]);
    expect(warnings({ codexHome, env: { HOME: scene.workspace } })).toEqual([expect.stringContaining(ofConfiguration)]);
    expect(warnings({ codexHome, env: { HOME: scene.workspace } }, readOnly)).toEqual([]);
  });

  test("a link or a move from outside is refused as if it were another disk", async () => {
    const scene = makeScene();
    writeFileSync(path.join(scene.outside, "victim"), "original");
    const sandbox = scene.sandbox(workspaceOnly);
    const script = `link("../outside/victim", "a") || rename("../outside/victim", "b") || rename("c", "../outside/c") or exit 1`;
    writeFileSync(path.join(scene.workspace, "c"), "");
    expect(await scene.exited(["perl", "-e", script], { sandbox })).toMatchObject({ exitCode: 1 });
  });

  test("a hard link that was there before is the one way out that is known", async () => {
    const scene = makeScene();
    writeFileSync(path.join(scene.outside, "victim"), "original");
    linkSync(path.join(scene.outside, "victim"), path.join(scene.workspace, "linked"));
    expect(await works(scene, "echo changed > linked", workspaceOnly)).toBe(true);
  });
});

test("a sandbox too deep in others is refused in words", () => {
  expect(explainRefusal("landlock_restrict_self", os.constants.errno.E2BIG)).toBe(
    "too many nested sandboxes (16 at most).",
  );
});

test("danger-full-access needs nothing and may write all", () => {
  const options = { cwd: "/somewhere", env: {}, helperPath: "/nowhere/helper.cjs" };
  expect(prepareSandbox(policyNamed("danger-full-access"), options)).toMatchObject({
    backend: "none",
    writableRoots: ["/"],
    warnings: [],
  });
});
