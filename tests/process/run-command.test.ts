import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import type { CommandRequest } from "../../src/process/run-command.ts";
import { longBefore } from "../support/long-before.ts";
import { policyNamed } from "./policies.ts";
import { eventually, isAlive, noSandbox, type Scene, useScenes, withoutPerl } from "./support.ts";

const modes = [
  { name: "without a sandbox", policy: "danger-full-access", skip: false, options: {} },
  { name: "in the sandbox, by perl", policy: "workspace-only", skip: noSandbox, options: {} },
  { name: "in the sandbox, by Node", policy: "workspace-only", skip: noSandbox, options: withoutPerl },
];

for (const { name, policy, skip, options: helper } of modes) {
  describe.skipIf(skip)(`a command ${name}`, () => {
    const makeScene = useScenes(helper);
    const start = () => {
      const scene = makeScene();
      return { scene, sandbox: scene.sandbox(policyNamed(policy)) };
    };
    const bash = (scene: Scene, script: string, options: Parameters<Scene["exited"]>[1]) =>
      scene.exited(["bash", "-c", script], options);

    test("has an exit code, both outputs and a duration", async () => {
      const { scene, sandbox } = start();
      const script = "date +%s%N > began; echo out; sleep 0.05; echo err >&2; date +%s%N > ended; exit 3";
      const started = performance.now();
      const outcome = await bash(scene, script, { sandbox });
      const around = performance.now() - started;
      expect(outcome).toEqual({
        kind: "exited",
        exitCode: 3,
        signal: null,
        timedOut: false,
        aborted: false,
        durationMs: expect.any(Number),
        stdout: "out\n",
        stderr: "err\n",
        aggregatedOutput: "out\nerr\n",
      });
      const nanoseconds = (name: string) => Number(readFileSync(path.join(scene.workspace, name), "utf8"));
      const within = (nanoseconds("ended") - nanoseconds("began")) / 1e6;
      expect([within, outcome.durationMs, around].toSorted((one, other) => one - other)).toEqual([
        within,
        outcome.durationMs,
        around,
      ]);
    });

    test.each<[string, readonly string[], Partial<CommandRequest>, string]>([
      ["a missing program", ["no-such-program"], {}, "No such file or directory (os error 2)"],
      ["a missing path", ["./no/program"], {}, "No such file or directory (os error 2)"],
      ["a missing folder", ["true"], { cwd: "/no/such/folder" }, "No such file or directory (os error 2)"],
      ["a folder that is a file", ["true"], { cwd: "/etc/passwd" }, "Not a directory (os error 20)"],
      ["an empty command", [], {}, "command args are empty"],
      ["an empty name", [""], {}, "No such file or directory (os error 2)"],
      ["a file that is no program", ["/etc/passwd"], {}, "Permission denied (os error 13)"],
      ["a zero byte", ["echo", "a\0b"], {}, "nul byte found in provided data"],
      ["a zero byte in the environment", ["true"], { env: { A: "\0" } }, "nul byte found in provided data"],
      ["too long an argument", ["/bin/echo", "x".repeat(200_000)], {}, "Argument list too long (os error 7)"],
    ])("%s does not start", async (_, argv, options, message) => {
      const { scene, sandbox } = start();
      expect(await scene.run(argv, { sandbox, ...options })).toEqual({ kind: "not_started", message });
    });

    test("that is killed by a signal says which", async () => {
      const { scene, sandbox } = start();
      expect(await bash(scene, "echo a; kill -9 $$", { sandbox })).toMatchObject({
        exitCode: 137,
        signal: "SIGKILL",
        stdout: "a\n",
      });
      expect(await bash(scene, "kill -TERM $$", { sandbox })).toMatchObject({ exitCode: 143, signal: "SIGTERM" });
    });

    test("keeps what it printed before its time was over", async () => {
      const { scene, sandbox } = start();
      const outcome = await longBefore(900_000, () =>
        bash(scene, "echo out; echo err >&2; sleep 900", { sandbox, timeoutMs: 600 }),
      );
      expect(outcome).toMatchObject({
        exitCode: 124,
        signal: null,
        timedOut: true,
        aborted: false,
        stdout: "out\n",
        stderr: "err\n",
      });
    });

    test("with no time at all is over at once", async () => {
      const { scene, sandbox } = start();
      const outcome = await bash(scene, "sleep 900", { sandbox, timeoutMs: 0 });
      expect(outcome).toMatchObject({ exitCode: 124, timedOut: true });
    });

    test("may have more time than a timer can count", async () => {
      const { scene, sandbox } = start();
      expect(await bash(scene, "echo x", { sandbox, timeoutMs: 1e12 })).toMatchObject({ exitCode: 0, timedOut: false });
    });

    test("is ended by the signal it was given", async () => {
      const { scene, sandbox } = start();
      const controller = new AbortController();
      const onOutput = () => {
        controller.abort();
        return undefined;
      };
      const { signal } = controller;
      const outcome = await bash(scene, "echo begun; exec sleep 20", { sandbox, signal, onOutput });
      expect(outcome).toMatchObject({ exitCode: 130, signal: null, aborted: true, timedOut: false, stdout: "begun\n" });
    });

    test("does not begin once the signal was given", async () => {
      const { scene, sandbox } = start();
      const outcome = await bash(scene, "touch made", { sandbox, signal: AbortSignal.abort() });
      expect(outcome).toMatchObject({ exitCode: 130, aborted: true, stdout: "" });
      expect(existsSync(path.join(scene.workspace, "made"))).toBe(false);
    });

    test("that ignores SIGTERM dies all the same", async () => {
      const { scene, sandbox } = start();
      const outcome = await bash(scene, 'trap "" TERM INT HUP; echo $$; while :; do sleep 1; done', {
        sandbox,
        timeoutMs: 600,
      });
      expect(outcome.timedOut).toBe(true);
      await eventually("the command is gone", () => !isAlive(Number(outcome.stdout)));
    });

    test("takes its grandchildren along, also those that moved to a session of their own", async () => {
      const { scene, sandbox } = start();
      const script = 'sleep 900 & echo $!; setsid sh -c "echo \\$\\$; exec sleep 900" & sleep 900';
      const outcome = await longBefore(900_000, () => bash(scene, script, { sandbox, timeoutMs: 600 }));
      const pids = outcome.stdout.trim().split("\n").map(Number);
      expect(pids).toHaveLength(2);
      await eventually("both are gone", () => !pids.some(isAlive));
    });

    test("is over when it ends, not when what it left behind does", async () => {
      const { scene, sandbox } = start();
      const outcome = await longBefore(900_000, () => bash(scene, "sleep 900 & echo $!; echo hi", { sandbox }));
      expect(outcome).toMatchObject({ exitCode: 0, aggregatedOutput: expect.stringMatching(/^\d+\nhi\n$/) });
      const pid = Number.parseInt(outcome.stdout, 10);
      expect(isAlive(pid)).toBe(true);
      process.kill(pid, "SIGKILL");
    });

    test("may leave a program behind that goes on printing", async () => {
      const { scene, sandbox } = start();
      const script = "(for i in $(seq 200); do echo $i || exit; sleep 0.01; done; echo done > finished) & exit 0";
      const outcome = await bash(scene, script, { sandbox });
      expect(outcome.exitCode).toBe(0);
      await eventually("it could print to its end", () => existsSync(path.join(scene.workspace, "finished")));
    });

    test("has an empty input", async () => {
      const { scene, sandbox } = start();
      expect(await scene.exited(["cat"], { sandbox })).toMatchObject({ exitCode: 0, stdout: "" });
    });

    test("has real pipes for its outputs", async () => {
      const { scene, sandbox } = start();
      const script = "echo a > /dev/stdout; echo b > /dev/stderr; echo c | tee /dev/stderr; readlink /proc/self/fd/1";
      const outcome = await bash(scene, script, { sandbox });
      expect(outcome).toMatchObject({ exitCode: 0, stderr: "b\nc\n", stdout: expect.stringMatching(/^a\nc\npipe:/) });
    });

    test("has the default action for every signal", async () => {
      const { scene, sandbox } = start();
      const script = 'yes | head -1; echo "$PIPESTATUS"; grep -E "^Sig(Blk|Ign)" /proc/self/status';
      const outcome = await bash(scene, script, { sandbox });
      expect(outcome.stdout).toBe("y\n141\nSigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
    });

    test("gets its arguments as they are", async () => {
      const { scene, sandbox } = start();
      const args = ["", "a b", "", 'q"q', "n\nn", "é✓", "$x", "-c", ""];
      const outcome = await scene.exited(["printf", "<%s>", ...args], { sandbox });
      expect(outcome.stdout).toBe(args.map((arg) => `<${arg}>`).join(""));
    });

    test("gets its environment as it is, and nothing else", async () => {
      const { scene, sandbox } = start();
      const env = { PATH: "/usr/bin:/bin", NODE_OPTIONS: "--require /no/such/file", LINES_: "a\nb\n", EMPTY: "" };
      const outcome = await scene.exited(["env", "-0"], { sandbox, env });
      const found = Object.fromEntries(
        outcome.stdout
          .split("\0")
          .filter((entry) => entry !== "")
          .map((entry) => [entry.slice(0, entry.indexOf("=")), entry.slice(entry.indexOf("=") + 1)]),
      );
      expect(found).toEqual({ ...env, CODEX_COMMAND_ID: expect.any(String) });
    });

    test("may have a large environment and many arguments", async () => {
      const { scene, sandbox } = start();
      const env: Record<string, string> = { PATH: "/usr/bin:/bin" };
      for (let index = 0; index < 10; index++) env[`LARGE_${index}`] = "x".repeat(100_000);
      const args = Array.from({ length: 5000 }, (_, index) => `argument-${index}`);
      const outcome = await bash(scene, "", { sandbox });
      expect(outcome.exitCode).toBe(0);
      const script = 'shift 4999; echo "$LARGE_0$LARGE_9" | wc -c; echo "$@"';
      const large = await scene.exited(["bash", "-c", script, "bash", ...args], { sandbox, env });
      expect(large.stdout).toBe("200001\nargument-4999\n");
    });

    test("is found in the PATH it is given", async () => {
      const { scene, sandbox } = start();
      mkdirSync(path.join(scene.workspace, "tools"));
      writeFileSync(path.join(scene.workspace, "tools", "mine"), "#!/bin/sh\necho mine\n", { mode: 0o755 });
      const env = { PATH: "tools:/usr/bin:/bin" };
      expect(await scene.exited(["mine"], { sandbox, env })).toMatchObject({ stdout: "mine\n" });
      expect(await scene.exited(["tools/mine"], { sandbox, env: {} })).toMatchObject({ stdout: "mine\n" });
      expect(await scene.exited(["true"], { sandbox, env: {} })).toMatchObject({ exitCode: 0 });
    });

    test.each(["with space", "quote'\"`$(x)", "new\nline", "é✓", "-dash"])(
      "runs in a folder named %j",
      async (name) => {
        const scene = makeScene();
        const cwd = path.join(scene.workspace, name);
        mkdirSync(cwd);
        const sandbox = scene.sandbox(policyNamed(policy), { cwd });
        const outcome = await scene.exited(["bash", "-c", "echo a > made; pwd"], { sandbox, cwd });
        expect(outcome).toMatchObject({ exitCode: 0, stdout: `${cwd}\n`, stderr: "" });
        expect(readFileSync(path.join(cwd, "made"), "utf8")).toBe("a\n");
      },
    );

    test("hands on its output in pieces, and has it whole at its end", async () => {
      const { scene, sandbox } = start();
      const pieces: Buffer[] = [];
      const outcome = await bash(scene, "head -c 3000000 /dev/urandom | base64 -w 0", {
        sandbox,
        onOutput: (stream, chunk) => {
          expect(stream).toBe("stdout");
          expect(chunk.length).toBeLessThanOrEqual(8192);
          pieces.push(Buffer.from(chunk));
        },
      });
      expect(outcome.stdout).toHaveLength(4_000_000);
      expect(Buffer.concat(pieces).toString() === outcome.stdout).toBe(true);
      expect(outcome.aggregatedOutput === outcome.stdout).toBe(true);
    });

    test("hands on at most ten thousand pieces of a stream", async () => {
      const { scene, sandbox } = start();
      const count = { stdout: 0, stderr: 0 };
      const outcome = await bash(scene, "head -c 100000000 /dev/zero; echo end; echo x >&2", {
        sandbox,
        onOutput: (stream) => {
          count[stream]++;
        },
      });
      expect(count).toEqual({ stdout: 10_000, stderr: 1 });
      expect(outcome.stdout.endsWith("\0end\n")).toBe(true);
    });

    test("prints twenty megabytes to each stream at once", async () => {
      const { scene, sandbox } = start();
      const script = "head -c 20000000 /dev/zero & head -c 20000000 /dev/zero >&2; wait; echo o; echo e >&2";
      const outcome = await bash(scene, script, { sandbox });
      const bytes = 4 * 1024 * 1024;
      const marker = (total: number) => `\n[... ${total - bytes} bytes omitted ...]\n`;
      expect(outcome.stdout.replaceAll("\0", "")).toBe(`${marker(20_000_002)}o\n`);
      expect(outcome.stderr.replaceAll("\0", "")).toBe(`${marker(20_000_002)}e\n`);
      expect(outcome.aggregatedOutput).toContain(marker(40_000_004));
    });

    test("runs beside others", async () => {
      const { scene, sandbox } = start();
      sandbox.warmUp();
      const outcomes = await Promise.all(
        [0, 1, 2, 3, 4, 5].map((index) => bash(scene, `sleep 0.1; echo ${index}; exit ${index}`, { sandbox })),
      );
      expect(outcomes.map(({ exitCode, stdout }) => [exitCode, stdout])).toEqual(
        outcomes.map((_, index) => [index, `${index}\n`]),
      );
    });
  });
}
