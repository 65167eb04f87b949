import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import net from "node:net";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { noSandbox } from "../process/support.ts";
import { codexBinary, type RunOptions, runCodex, startCodex } from "../support/run-codex.ts";
import { workspace } from "../support/workspace.ts";

const root = path.resolve(import.meta.dirname, "../..");
const hasPython = spawnSync("python3", ["-c", "import pty"]).status === 0;

/** Writes into the working directory, and says so. */
const writeHere = ["sh", "-c", "echo a > made && echo done"];

function sandbox(args: readonly string[], options: RunOptions = {}) {
  return runCodex(["sandbox", ...args], { git: false, ...options });
}

describe.skipIf(noSandbox)("codex sandbox", () => {
  test.each([[["sandbox"]], [["debug", "landlock"]], [["debug", "seatbelt"]]])(
    "%j: exit code, a write outside, a write inside with --full-auto",
    async (words) => {
      const run = (...args: readonly string[]) => runCodex([...words, ...args], { git: false });
      expect(await run("--", "sh", "-c", "exit 7")).toMatchObject({ exitCode: 7, stdout: "", stderr: "" });
      const outside = await run("--full-auto", "--", "sh", "-c", "echo a > ../home/made");
      expect(outside).toMatchObject({ exitCode: 2, homeFiles: { "config.toml": "\n" } });
      expect(outside.stderr).toMatch(/Permission denied/);
      expect(await run("--full-auto", "--", ...writeHere)).toMatchObject({ exitCode: 0, files: { made: "a\n" } });
    },
  );

  test("a warning that nobody reads stops no command", async () => {
    const args = ["sandbox", "--full-auto", "--add-dir", "../home", "--", ...writeHere]; // the home is warned of
    expect((await runCodex(args, { git: false })).stderr).toContain("Warning: ");
    const running = startCodex(args, { git: false });
    running.child.stderr.destroy();
    expect(await running.finished()).toMatchObject({ exitCode: 0, stdout: "done\n", files: { made: "a\n" } });
  });

  test.each<[string, readonly string[], RunOptions, boolean]>([
    ["nothing", [], {}, false],
    ["-s read-only", ["-s", "read-only"], {}, false],
    ["-s workspace-write", ["-s", "workspace-write"], {}, true],
    ["-s danger-full-access", ["-s", "danger-full-access"], {}, true],
    ["sandbox_mode", [], { config: ['sandbox_mode = "workspace-write"'] }, true],
    ["a flag over sandbox_mode", ["-s", "read-only"], { config: ['sandbox_mode = "workspace-write"'] }, false],
    ["-c", ["-c", 'sandbox_mode="workspace-write"'], {}, true],
    ["--network alone", ["--network"], {}, true],
  ])("%s: whether the command may write here", async (_, flags, options, mayWrite) => {
    const run = await sandbox([...flags, "--", ...writeHere], options);
    expect(run).toMatchObject(mayWrite ? { exitCode: 0, files: { made: "a\n" }, stderr: "" } : { files: {} });
    if (!mayWrite) expect(run.stderr).toMatch(/Permission denied/);
  });

  test("-c before the command counts too", async () => {
    const run = await runCodex(["-c", 'sandbox_mode="workspace-write"', "sandbox", ...writeHere]);
    expect(run.files).toEqual({ made: "a\n" });
  });

  test("sandbox_workspace_write is the configuration's", async () => {
    const config = ['sandbox_mode = "workspace-write"'];
    const configTables = ["[sandbox_workspace_write]", 'writable_roots = ["../user"]', "network_access = true"];
    const script = "echo a > ../user/made && echo [$CODEX_SANDBOX_NETWORK_DISABLED]";
    expect(await sandbox(["sh", "-c", script], { config, configTables })).toMatchObject({
      exitCode: 0,
      stdout: "[]\n",
    });
  });

  test("--add-dir adds a folder, and needs no mode", async () => {
    const script = ["sh", "-c", "echo a > ../one/made && echo b > ../two/made && cat ../*/made"];
    const setup: RunOptions["setup"] = (place) => {
      for (const name of ["one", "two"]) mkdirSync(path.join(place.root, name));
    };
    const both = ["--add-dir", "../one", "--add-dir", "../two"];
    expect(await sandbox([...both, "--", ...script], { setup })).toMatchObject({ exitCode: 0, stdout: "a\nb\n" });
    const one = await sandbox(["--full-auto", "--add-dir", "../one", "--", ...script], { setup });
    expect(one.stderr).toMatch(/two\/made: Permission denied/);
    expect(await sandbox(["--add-dir", "../three", "--", ...writeHere])).toMatchObject({
      exitCode: 1,
      files: {},
      stderr: 'Error: No such directory: "../three"\n',
    });
  });

  test("-C is the working directory and the workspace", async () => {
    const setup: RunOptions["setup"] = (place) => mkdirSync(path.join(place.work, "inner"));
    const run = await sandbox(
      ["-C", "inner", "--full-auto", "--", "sh", "-c", "pwd; echo a > made; echo a > ../made"],
      {
        setup,
      },
    );
    expect(run).toMatchObject({ exitCode: 2, stdout: `${run.work}/inner\n`, files: { "inner/made": "a\n" } });
  });

  test("the network is off and the command knows; --network turns it on", async () => {
    const server = net.createServer((socket) => socket.end("hello\n"));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const port = typeof address === "object" ? address?.port : undefined;
    const script = `echo "[$CODEX_SANDBOX_NETWORK_DISABLED]"; exec 6<>/dev/tcp/127.0.0.1/${port} && cat <&6`;
    const run = (...flags: readonly string[]) => sandbox([...flags, "--", "bash", "-c", script]);
    expect(await run("--full-auto")).toMatchObject({ exitCode: 1, stdout: "[1]\n" });
    expect(await run("--full-auto", "--network")).toMatchObject({ exitCode: 0, stdout: "[]\nhello\n" });
    expect(await run("-s", "danger-full-access")).toMatchObject({ exitCode: 0, stdout: "[]\nhello\n" });
    server.close();
  });

  test.each(["read-only", "danger-full-access"])(
    "the environment is kept but for our credentials (%s)",
    async (mode) => {
      const provider = '{ name = "own", base_url = "http://127.0.0.1:1", env_key = "OWN_PROVIDER" }';
      const run = await sandbox(["-s", mode, "--", "env"], {
        env: {
          CODEX_API_KEY: "a",
          OPENAI_API_KEY: "b",
          OWN_PROVIDER: "c",
          NPM_TOKEN: "kept",
          ODD: "a\nb=c",
          EMPTY: "",
        },
        config: ['model_provider = "own"', `model_providers.own = ${provider}`],
      });
      expect(run.stdout).not.toMatch(/^(CODEX_API_KEY|OPENAI_API_KEY|OWN_PROVIDER)=/m);
      expect(run.stdout).toMatch(/^NPM_TOKEN=kept$/m);
      expect(run.stdout).toMatch(/^ODD=a\nb=c$/m);
      expect(run.stdout).toMatch(/^EMPTY=$/m);
    },
  );

  test.each<[string, readonly string[], number, string]>([
    ["missing", ["no-such-program"], 127, 'Cannot run "no-such-program": No such file or directory (os error 2)'],
    ["missing in a folder", ["./no/such"], 127, 'Cannot run "./no/such": No such file or directory (os error 2)'],
    ["below a file", ["/etc/passwd/x"], 127, 'Cannot run "/etc/passwd/x": Not a directory (os error 20)'],
    ["no program", ["/etc/passwd"], 126, 'Cannot run "/etc/passwd": Permission denied (os error 13)'],
    ["a folder", ["/etc"], 126, 'Cannot run "/etc": Permission denied (os error 13)'],
    ["empty", [""], 127, 'Cannot run "": No such file or directory (os error 2)'],
  ])("a command that is %s", async (_, command, exitCode, text) => {
    for (const mode of ["read-only", "danger-full-access"]) {
      const run = await sandbox(["-s", mode, "--", ...command]);
      expect(run).toMatchObject({ exitCode, stdout: "", stderr: `Error: ${text}\n` });
    }
  });

  test.each<[readonly string[], RegExp]>([
    [[], /^Usage: codex sandbox \[options\] \[--\] <command\.\.\.>\n/],
    [["--"], /^Usage: codex sandbox /],
    [["--full-auto"], /^Usage: codex sandbox /],
    [["--no-such-flag", "true"], /^error: unknown option '--no-such-flag'/],
    [["-s", "some", "true"], /^error: option '-s, --sandbox <mode>' argument 'some' is invalid/],
    [["-s", "read-only", "--network", "true"], /^error: option '--network' means workspace-write/],
    [["-s", "read-only", "--add-dir", ".", "true"], /^error: option '--add-dir' means workspace-write/],
    [["-s", "read-only", "--full-auto", "true"], /^error: option '--full-auto' means workspace-write/],
    [["-s", "danger-full-access", "--full-auto", "true"], /^error: option '--full-auto' means workspace-write/],
  ])("a wrong command line ends with usage: %j", async (args, stderr) => {
    expect(await sandbox(args)).toMatchObject({ exitCode: 2, stdout: "", stderr: expect.stringMatching(stderr) });
  });

  test("arguments behind the command are the command's, as they are", async () => {
    const words = ["-s", "x", "--full-auto", "--", "", "a b", "new\nline", "é✓", "-h", "--help"];
    const run = await sandbox(["printf", "[%s]", ...words]);
    expect(run).toMatchObject({ exitCode: 0, stdout: words.map((word) => `[${word}]`).join("") });
  });

  test("the command is this very process, and its signals are as for any program", async () => {
    const running = startCodex([
      "sandbox",
      "--",
      "sh",
      "-c",
      "echo $$ $PPID; grep -E '^Sig(Blk|Ign)' /proc/self/status",
    ]);
    const { pid } = running.child;
    expect((await running.finished()).stdout).toBe(
      `${pid} ${process.pid}\nSigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n`,
    );
  });

  test.each(["SIGTERM", "SIGINT", "SIGHUP", "SIGKILL"] as const)("%s reaches the command", async (signal) => {
    const running = startCodex(["sandbox", "--", "sh", "-c", "echo ready; exec sleep 30"]);
    await running.sees("ready");
    running.child.kill(signal);
    await running.finished();
    expect(running.child.signalCode).toBe(signal);
  });

  test("a command may handle a signal", async () => {
    const script = 'trap "echo caught; exit 9" TERM; echo ready; while :; do sleep 0.02; done';
    const running = startCodex(["sandbox", "--", "sh", "-c", script]);
    await running.sees("ready");
    running.child.kill("SIGTERM");
    expect(await running.finished()).toMatchObject({ exitCode: 9, stdout: "ready\ncaught\n" });
  });

  test("the end of whoever started it is not the command's", () => {
    using place = workspace({ git: false });
    const script =
      '("$@" sh -c "echo begun > begun; sleep 0.3; echo on > on" &) ; until [ -e begun ]; do sleep 0.02; done';
    const args = ["-c", script, "_", process.execPath, codexBinary, "sandbox", "--full-auto"];
    // Its output stays open for as long as the command lives.
    expect(spawnSync("bash", args, { cwd: place.work, env: place.env }).status).toBe(0);
    expect(place.files()).toEqual({ begun: "begun\n", on: "on\n" });
  });

  test("stdin is handed on, whole and unread", async () => {
    const stdin = "x".repeat(1_000_000);
    expect(await sandbox(["wc", "-c"], { stdin })).toMatchObject({ exitCode: 0, stdout: "1000000\n" });
    expect(await sandbox(["cat"])).toMatchObject({ exitCode: 0, stdout: "" });
  });

  test.each(["read-only", "danger-full-access"])("the streams keep their flags (%s)", (mode) => {
    using place = workspace({ git: false });
    const look = 'for n in 0 1 2; do grep flags /proc/self/fdinfo/$n >> "$0"; done';
    const program = [process.execPath, codexBinary, "sandbox", "-s", mode, "--"];
    const run = (file: string, wrapper: readonly string[]) => {
      // Real pipes, as a shell makes them.
      const script = `echo | { "$@" 2>&1 3>>${file} | cat; } 2>&1 | cat`;
      const words = [...wrapper, "sh", "-c", look.replace('"$0"', "/proc/self/fd/2"), "look"];
      return spawnSync("bash", ["-c", script, "_", ...words], { cwd: place.work, env: place.env }).stdout.toString();
    };
    const direct = run("direct", []);
    expect(direct.match(/flags/g)).toHaveLength(3);
    expect(run("through", program)).toBe(direct);
  });

  test("no other descriptor gets in", () => {
    using place = workspace({ git: false });
    const fd = openSync(path.join(place.root, "open"), "w");
    const args = [codexBinary, "sandbox", "--", "bash", "-c", "ls /proc/self/fd; echo a >&3"];
    const run = spawnSync(process.execPath, args, {
      cwd: place.work,
      env: place.env,
      stdio: ["ignore", "pipe", "pipe", fd],
    });
    expect(run.stdout.toString().trim().split("\n")).toHaveLength(4); // ls has one for the folder
    expect(run.stderr.toString()).toMatch(/3: Bad file descriptor/);
    expect(readFileSync(path.join(place.root, "open"), "utf8")).toBe("");
  });

  test.skipIf(!hasPython)("a terminal is the command's, with its keys and its flags", () => {
    using place = workspace({ git: false });
    const python = `
import os, pty, sys, time
pid, fd = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], sys.argv[1:])
seen = b""
while b"ready" not in seen:
    seen += os.read(fd, 1000)
os.write(fd, b"\\x03")
try:
    while True:
        piece = os.read(fd, 1000)
        if not piece: break
        seen += piece
except OSError:
    pass
sys.stdout.write(seen.decode())
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
`;
    const script =
      'trap "echo key; exit 5" INT; test -t 0 && test -t 1 && test -t 2 && tty && grep flags /proc/self/fdinfo/0; echo ready; while :; do sleep 0.02; done';
    const run = (wrapper: readonly string[]) => {
      const args = ["-c", python, ...wrapper, "/bin/sh", "-c", script];
      const { status, stdout } = spawnSync("python3", args, { cwd: place.work, env: place.env });
      return { status, text: stdout.toString().replace(/\/dev\/pts\/\d+/, "TERMINAL") };
    };
    const through = run([process.execPath, codexBinary, "sandbox", "--"]);
    expect(through).toEqual(run([]));
    expect(through).toMatchObject({
      status: 5,
      text: expect.stringMatching(/^TERMINAL\r\nflags:.*\r\nready\r\n\^C?key/),
    });
  });

  test("warns on stderr of what is weaker than it looks", async () => {
    const run = await sandbox(["--full-auto", "-C", "..", "--", "echo", "hi"]);
    expect(run).toMatchObject({ exitCode: 0, stdout: "hi\n" });
    expect(run.stderr).toMatch(/^Warning: Commands may write ".*", which holds this program's own configuration/);
  });

  test("a sandbox in a sandbox holds both, and too many are refused in words", async () => {
    const program = [process.execPath, codexBinary, "sandbox", "--full-auto", "--"];
    expect((await sandbox(["--", ...program, ...writeHere])).files).toEqual({});
    const many = await sandbox([
      "--full-auto",
      "--",
      ...Array.from({ length: 16 }, () => program).flat(),
      ...writeHere,
    ]);
    expect(many).toMatchObject({ exitCode: 1, files: {}, stdout: "" });
    expect(many.stderr).toMatch(
      /^Error: cannot sandbox commands: too many nested sandboxes \(16 at most\)\.\nNothing/m,
    );
  });
});

describe.skipIf(process.platform !== "linux")("codex sandbox without the FFI", () => {
  /** The program as it is installed with --omit=optional. */
  function bareProgram(folder: string): string {
    for (const name of ["bin", "dist", "package.json"]) {
      cpSync(path.join(root, name), path.join(folder, name), { recursive: true });
    }
    return path.join(folder, "bin/codex.js");
  }

  test("nothing runs that should be sandboxed", () => {
    using place = workspace({ git: false });
    const program = bareProgram(path.join(place.root, "bare"));
    for (const flags of [[], ["--full-auto"], ["--network"]]) {
      const args = [program, "sandbox", ...flags, "--", "touch", "../home/made"];
      const run = spawnSync(process.execPath, args, { cwd: place.work, env: place.env });
      expect(run.status).toBe(1);
      expect(run.stdout.toString()).toBe("");
      expect(run.stderr.toString()).toMatch(
        /^Error: cannot sandbox commands: the optional package \S+ is missing .*\nNothing was run\. .*\n$/,
      );
      expect(existsSync(path.join(place.home, "made"))).toBe(false);
    }
  });

  test("a command without a sandbox is a child with the same streams, status and signals", () => {
    using place = workspace({ git: false });
    const program = bareProgram(path.join(place.root, "bare"));
    writeFileSync(path.join(place.work, "no-program"), "");
    const run = (...command: readonly string[]) => {
      const args = [program, "sandbox", "-s", "danger-full-access", "--", ...command];
      const { status, signal, stdout } = spawnSync(process.execPath, args, {
        cwd: place.work,
        env: place.env,
        input: "in",
      });
      return { status, signal, stdout: stdout.toString() };
    };
    expect(run("sh", "-c", "cat; exit 7")).toEqual({ status: 7, signal: null, stdout: "in" });
    expect(run("sh", "-c", "kill -TERM $$")).toEqual({ status: null, signal: "SIGTERM", stdout: "" });
    expect(run("sh", "-c", 'trap "echo caught; exit 9" INT; kill -INT $PPID; while :; do sleep 0.02; done')).toEqual({
      status: 9,
      signal: null,
      stdout: "caught\n",
    });
    expect(run("no-such-program")).toMatchObject({ status: 127 });
    expect(run("./no-program")).toMatchObject({ status: 126 });
  });
});
