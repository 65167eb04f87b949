import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { CommandHost } from "../../src/process/command-host.ts";
import type { DriverReport } from "./driver.ts";
import { policyNamed } from "./policies.ts";
import { eventually, isAlive, noSandbox, type Scene, useScenes, withoutPerl } from "./support.ts";

const policies = noSandbox ? ["danger-full-access"] : ["danger-full-access", "workspace-only"];

/** Our children by their command lines; the helper calls itself so while it waits. */
function childrenNamed(name: string, parent = process.pid): readonly number[] {
  return readdirSync("/proc")
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && describeProcess(pid).startsWith(`${parent} ${name}`));
}

function describeProcess(pid: number): string {
  try {
    const parent = /^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return `${parent} ${readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ")}`;
  } catch {
    return "";
  }
}

describe.skipIf(process.platform !== "linux")("life and death", () => {
  const makeScene = useScenes();

  function drive(scene: Scene, args: readonly string[]): ChildProcess {
    const stdio = ["ignore", "pipe", "pipe"] as const;
    return spawn(process.execPath, [scene.programs.driverPath, ...args], { cwd: scene.workspace, stdio: [...stdio] });
  }

  test.each(policies)("nothing of a command is left when we are killed (%s)", async (policy) => {
    const scene = makeScene();
    const pidsFile = path.join(scene.workspace, "pids");
    const script = `sleep 60 & a=$!; setsid sleep 60 & b=$!; echo $$ $a $b > new; mv new pids; wait`;
    const driver = drive(scene, [policy, "--", "bash", "-c", script]);
    await eventually("the command runs", () => existsSync(pidsFile));
    const pids = readFileSync(pidsFile, "utf8").trim().split(" ").map(Number);
    expect(pids.map(isAlive)).toEqual([true, true, true]);
    driver.kill("SIGKILL");
    await eventually("all of it is gone", () => !pids.some(isAlive));
  });

  test.each(policies)("a program that was left behind lives on when we end (%s)", async (policy) => {
    const scene = makeScene();
    const driver = drive(scene, [policy, "--", "bash", "-c", "sleep 60 > /dev/null 2>&1 & echo $! > left"]);
    await new Promise((resolve) => driver.once("exit", resolve));
    const pid = Number(readFileSync(path.join(scene.workspace, "left"), "utf8"));
    expect(isAlive(pid)).toBe(true);
    process.kill(pid, "SIGKILL");
  });

  test.each(policies)("our stderr stays a blocking pipe (%s)", (policy) => {
    const scene = makeScene();
    const args = [scene.programs.driverPath, policy, "--report", "--", "bash", "-c", "echo a; echo b >&2"];
    const { stdout, status } = spawnSync(process.execPath, args, { cwd: scene.workspace });
    expect(status).toBe(0);
    const { stderrFlags }: DriverReport = JSON.parse(stdout.toString());
    expect(Number.parseInt(stderrFlags, 8) & 0o4000).toBe(0);
  });

  test.each(policies)("of fifty megabytes of output both ends are kept (%s)", (policy) => {
    const scene = makeScene();
    const args = [scene.programs.driverPath, policy, "--report", "--", "head", "-c", "50000000", "/dev/zero"];
    const { stdout } = spawnSync(process.execPath, args, { cwd: scene.workspace });
    const report: DriverReport = JSON.parse(stdout.toString());
    expect(report.stdoutLength).toBe(4 * 1024 * 1024 + "\n[... 45805696 bytes omitted ...]\n".length);
  });

  test.each(policies)("descriptors do not add up (%s)", async (policy) => {
    const scene = makeScene();
    const sandbox = scene.sandbox(policyNamed(policy));
    const count = () => readdirSync("/proc/self/fd").length;
    const run = async () => {
      await scene.exited(["echo", "x"], { sandbox });
      await scene.run(["no-such-program"], { sandbox });
      await scene.exited(["sleep", "9"], { sandbox, timeoutMs: 5 });
    };
    await run();
    const before = count();
    for (let index = 0; index < 5; index++) await run();
    await eventually("as few are open as before", () => count() <= before);
  });
});

describe.skipIf(noSandbox)("the helper that waits", () => {
  const makeScene = useScenes(withoutPerl);
  const helpers = () => childrenNamed("codex-sandbox-helper");

  test("is one, serves the next command, and goes when it is not wanted any more", async () => {
    const scene = makeScene();
    const sandbox = scene.sandbox(policyNamed("workspace-only"));
    for (let index = 0; index < 3; index++) sandbox.warmUp();
    await eventually("one waits", () => helpers().length === 1);
    const [pid] = helpers();
    const outcome = await scene.exited(["sh", "-c", "echo $$; pwd"], { sandbox });
    expect(outcome.stdout).toBe(`${pid}\n${scene.workspace}\n`);
    expect(helpers()).toEqual([]);
    sandbox.warmUp();
    await eventually("one waits again", () => helpers().length === 1);
    sandbox.close();
    await eventually("it is gone", () => helpers().length === 0);
    sandbox.warmUp();
    expect(helpers()).toEqual([]);
  });

  test("is replaced when somebody killed it", async () => {
    const scene = makeScene();
    const sandbox = scene.sandbox(policyNamed("workspace-only"));
    sandbox.warmUp();
    await eventually("one waits", () => helpers().length === 1);
    for (const pid of helpers()) process.kill(pid, "SIGKILL");
    await eventually("it is gone", () => helpers().length === 0);
    expect(await scene.exited(["echo", "x"], { sandbox })).toMatchObject({ stdout: "x\n" });
  });

  test("serves every sandbox of a process that shares it, each with its own policy", async () => {
    const scene = makeScene();
    const host = new CommandHost({ ...scene.programs, ...withoutPerl });
    const writing = scene.sandbox(policyNamed("workspace-only"), { host });
    const reading = scene.sandbox({ mode: "read-only" }, { host });
    writing.warmUp();
    reading.warmUp();
    await eventually("one waits", () => helpers().length === 1);
    expect(await scene.exited(["touch", "a"], { sandbox: reading })).toMatchObject({ exitCode: 1 });
    reading.close();
    reading.warmUp();
    expect(await scene.exited(["touch", "a"], { sandbox: writing })).toMatchObject({ exitCode: 0 });
    host.close();
  });

  test.each(["SIGKILL", "SIGTERM"] as const)("goes when we are ended by %s", async (signal) => {
    const scene = makeScene();
    const args = [scene.programs.driverPath, "workspace-only", "--no-perl", "--warm", "--idle", "--", "true"];
    const driver = spawn(process.execPath, args, { cwd: scene.workspace, stdio: "ignore" });
    const ofDriver = () => childrenNamed("codex-sandbox-helper", driver.pid);
    await eventually("one waits", () => ofDriver().length === 1);
    const [pid = 0] = ofDriver();
    driver.kill(signal);
    await eventually("it is gone", () => !isAlive(pid));
  });

  test("knows nothing of the environment and the working directory before its request", async () => {
    const scene = makeScene();
    mkdirSync(path.join(scene.workspace, "here"));
    writeFileSync(path.join(scene.workspace, "here", "file"), "");
    const sandbox = scene.sandbox(policyNamed("workspace-only"));
    sandbox.warmUp();
    await eventually("one waits", () => helpers().length === 1);
    expect(readFileSync(`/proc/${helpers()[0]}/environ`, "utf8")).toBe("");
    const env = { PATH: process.env["PATH"] ?? "", A: "1" };
    const cwd = path.join(scene.workspace, "here");
    const outcome = await scene.exited(["sh", "-c", "echo $A; ls"], { sandbox, env, cwd });
    expect(outcome.stdout).toBe("1\nfile\n");
  });
});
