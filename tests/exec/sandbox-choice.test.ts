import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, describe, expect, test } from "vitest";
import { noBubblewrap, noSandbox, useScenes } from "../process/support.ts";
import { callShell, type FakeModel, fakeModel, say } from "../support/fake-model.ts";
import { codexBinary, configToml, runCodex } from "../support/run-codex.ts";
import { workspace } from "../support/workspace.ts";

const attack = ["bash", "-c", "echo a > mine; echo a >> .git/config"];

const folder = mkdtempSync("/var/tmp/codex-bwrap-"); // outside of what commands may write
afterAll(() => rmSync(folder, { recursive: true }));
const broken = path.join(folder, "bwrap");
writeFileSync(broken, "#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1\n", { mode: 0o755 });

/** The program where the machine's bubblewrap may not make namespaces, as in a container: another one lies over it. */
async function runWhereBroken(args: readonly string[], model: FakeModel) {
  using place = workspace({ homeFiles: { "config.toml": configToml({ model }) } });
  const covering = ["--dev-bind", "/", "/", "--ro-bind", broken, realpathSync("/usr/bin/bwrap"), "--"];
  const child = spawn("/usr/bin/bwrap", [...covering, process.execPath, codexBinary, ...args], {
    cwd: place.work,
    env: place.env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [stdout, stderr, [exitCode]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "close"),
  ]);
  const rollout = exitCode === 0 ? place.rollout() : [];
  return { exitCode, stdout, stderr, files: place.files(), rollout };
}

describe.skipIf(noSandbox || noBubblewrap)("linux_sandbox", () => {
  test.each([
    ["landlock", "landlock", 0],
    ["bwrap", "bubblewrap", 1],
    ["auto", "bubblewrap", 1],
  ])("= %s: %s, told in the log and in the session", async (choice, backend, status) => {
    await using model = await fakeModel([callShell(attack), say("done")]);
    const config = [`linux_sandbox = "${choice}"`];
    const env = { CODEX_LOG: "sandbox=info" };
    const run = await runCodex(["exec", "--json", "--full-auto", "go"], { model, config, env });
    expect(run.exitCode).toBe(0);
    expect(run.files).toMatchObject({ mine: "a\n" });
    expect(run.messages).toContainEqual(expect.objectContaining({ type: "exec_command_end", exit_code: status }));
    expect(run.rollout[0]?.payload).toMatchObject({ sandbox_backend: backend });
    expect(run.stderr).toMatch(new RegExp(`INFO sandbox: workspace-write: ${backend}`, "i"));
  });

  test("without it, it is Landlock", async () => {
    await using model = await fakeModel([say("done")]);
    const run = await runCodex(["exec", "go"], { model });
    expect(run.rollout[0]?.payload).toMatchObject({ sandbox_backend: "landlock" });
  });

  test("danger-full-access has none", async () => {
    await using model = await fakeModel([say("done")]);
    const run = await runCodex(["exec", "-s", "danger-full-access", "go"], { model });
    expect(run.rollout[0]?.payload).toMatchObject({ sandbox_backend: "none" });
  });

  test("= bwrap where it does not work: exit 1 before any request, and the choices", async () => {
    await using model = await fakeModel([say("done")]);
    const run = await runWhereBroken(["exec", "-c", "linux_sandbox=bwrap", "go"], model);
    expect(run).toMatchObject({ exitCode: 1, stdout: "" });
    expect(run.stderr).toBe(
      "Error: cannot sandbox commands: bubblewrap does not work here (bwrap: No permissions to create new namespace), " +
        "and linux_sandbox asks for it.\n-c linux_sandbox=landlock does without it; `codex doctor` shows what this " +
        "machine can enforce.\nNothing was run. To go on without a sandbox, use --sandbox danger-full-access, and only " +
        "inside a container or machine you can lose.\n",
    );
    expect(model.requests).toHaveLength(0);
  });

  test("= auto where it does not work: Landlock, with a warning", async () => {
    await using model = await fakeModel([callShell(attack), say("done")]);
    const run = await runWhereBroken(["exec", "--full-auto", "-c", "linux_sandbox=auto", "go"], model);
    expect(run).toMatchObject({ exitCode: 0, files: { mine: "a\n" } });
    expect(run.stderr).toContain(
      "Warning: bubblewrap does not work here (bwrap: No permissions to create new namespace)",
    );
    expect(run.rollout[0]?.payload).toMatchObject({ sandbox_backend: "landlock" });
  });

  test("= anything else is refused with the choices", async () => {
    const run = await runCodex(["exec", "-c", "linux_sandbox=firejail", "go"]);
    expect(run.exitCode).toBe(1);
    expect(run.stderr).toMatch(/`firejail`.*`auto`.*`landlock`.*`bwrap`/s);
  });
});

describe.skipIf(noSandbox)("a kernel without Landlock", () => {
  const makeScene = useScenes();
  /** The whole program, where the kernel refuses Landlock's first call. */
  const without = (scene: ReturnType<typeof makeScene>, args: readonly string[], config: string) => {
    const { driverPath } = scene.programs;
    const env = { PATH: process.env["PATH"] ?? "", HOME: scene.outside, CODEX_HOME: scene.outside };
    writeFileSync(path.join(scene.outside, "config.toml"), config);
    const argv = [driverPath, "none", "--landlock-errno", "38", "--", process.execPath, codexBinary, ...args];
    try {
      const stdout = execFileSync(process.execPath, argv, { cwd: scene.workspace, env, stdio: "pipe" });
      return { status: 0, stdout: String(stdout), stderr: "" };
    } catch (error) {
      const { status, stdout, stderr } = error as { status: number; stdout: Buffer; stderr: Buffer };
      return { status, stdout: String(stdout), stderr: String(stderr) };
    }
  };

  test("ends a run before its first request", async () => {
    await using model = await fakeModel([say("done")]);
    const scene = makeScene();
    const run = without(scene, ["exec", "--skip-git-repo-check", "go"], provider(model.url));
    expect(run).toEqual({
      status: 1,
      stdout: "",
      stderr:
        "Error: cannot sandbox commands: this kernel has no Landlock (Linux 5.13 or newer is needed) or a container " +
        "profile hides it.\nWith bubblewrap installed, -c linux_sandbox=bwrap may work instead; `codex doctor` shows " +
        "what this machine can enforce.\nNothing was run. To go on without a sandbox, use --sandbox " +
        "danger-full-access, and only inside a container or machine you can lose.\n",
    });
    expect(model.requests).toHaveLength(0);
  });

  test.skipIf(noBubblewrap)("leaves bubblewrap, for commands and patches; doctor tells", async () => {
    const scene = makeScene();
    const flags = ["sandbox", "-c", "linux_sandbox=auto", "-s", "workspace-write", "--", "sh", "-c"];
    expect(without(scene, [...flags, "echo ran"], "")).toEqual({ status: 0, stdout: "ran\n", stderr: "" });
    const doctor = without(
      scene,
      ["doctor", "--json"],
      'model_provider = "x"\n[model_providers.x]\nbase_url = "x:"\nname = "x"',
    );
    expect(doctor.status).toBe(1);
    expect(JSON.parse(doctor.stdout)).toMatchObject({
      ok: false,
      checks: {
        sandbox: {
          status: "failed",
          backend: null,
          linux_sandbox: "landlock",
          backends: { landlock: { available: false }, bubblewrap: { available: true } },
        },
      },
    });
  });
});

function provider(url: string): string {
  return `model_provider = "mock"\n[model_providers.mock]\nname = "mock"\nbase_url = "${url}"\n`;
}
