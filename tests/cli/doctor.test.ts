import { chmodSync, existsSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import packageJson from "../../package.json" with { type: "json" };
import { noBubblewrap, noSandbox } from "../process/support.ts";
import { type RunOptions, runCodex } from "../support/run-codex.ts";
import type { Workspace } from "../support/workspace.ts";

const key = "sk-marked-0123456789";

function doctor(args: readonly string[] = [], options: RunOptions = {}) {
  return runCodex(["doctor", ...args], { git: false, ...options });
}

async function checks(args: readonly string[] = [], options: RunOptions = {}) {
  const run = await doctor(["--json", ...args], options);
  expect(run.stderr).toBe("");
  return { exitCode: run.exitCode, ...JSON.parse(run.stdout) };
}

describe("codex doctor", () => {
  test.skipIf(noSandbox)("a machine where a run starts: status 0, one line for each check", async () => {
    const run = await doctor([], { env: { OPENAI_API_KEY: key } });
    expect(run).toMatchObject({ exitCode: 0, stderr: "" });
    const names = [...run.stdout.matchAll(/^(ok|warning|failed) +(\w+) /gm)].map(([, status, name]) => [status, name]);
    expect(names).toEqual(
      ["program", "config", "model", "credential", "sandbox", "sessions"].map((name) => ["ok", name]),
    );
    expect(run.stdout).toContain(`codex ${packageJson.version}, Node ${process.versions.node}`);
    expect(run.stdout).toContain("credential  OPENAI_API_KEY\n");
    expect(run.stdout).toMatch(/sandbox {5}read-only: Landlock \(ABI \d+\) and seccomp/);
    expect(run.stdout).not.toContain(key);
    expect(existsSync(path.join(run.home, "sessions"))).toBe(false);
  });

  test("without a key it says what to set, with status 1", async () => {
    const found = await checks();
    expect(found).toMatchObject({
      exitCode: 1,
      version: packageJson.version,
      ok: false,
      checks: {
        credential: { status: "failed", source: null, summary: expect.stringContaining("No API key for OpenAI") },
      },
    });
  });

  test("a stored key, a provider's own variable, a provider that needs none", async () => {
    const auth = { homeFiles: { "auth.json": JSON.stringify({ OPENAI_API_KEY: key }) } };
    expect((await checks([], auth)).checks.credential).toMatchObject({ status: "ok", source: "auth.json" });
    const provider = (...lines: string[]) => ({
      config: ['model_provider = "own"'],
      configTables: ["[model_providers.own]", 'name = "Own"', 'base_url = "http://127.0.0.1:9/v1"', ...lines],
    });
    const own = provider('env_key = "OWN_LOGIN"');
    expect((await checks([], own)).checks.credential).toMatchObject({
      status: "failed",
      summary: expect.stringContaining("OWN_LOGIN"),
    });
    const set = await checks([], { ...own, env: { OWN_LOGIN: key } });
    expect(set.checks.credential).toMatchObject({ status: "ok", source: "OWN_LOGIN" });
    expect(JSON.stringify(set)).not.toContain(key);
    expect((await checks([], provider())).checks.credential).toMatchObject({ status: "ok", source: null });
  });

  test.skipIf(noSandbox || noBubblewrap)(
    "the sandboxes of this machine, and which one these settings take",
    async () => {
      const env = { OPENAI_API_KEY: key };
      const found = await checks(["-c", "linux_sandbox=auto", "-s", "workspace-write"], { env });
      const available = { available: true, summary: expect.stringContaining("seccomp") };
      expect(found.checks.sandbox).toMatchObject({
        status: "ok",
        mode: "workspace-write",
        linux_sandbox: "auto",
        backend: "bubblewrap",
        backends: { landlock: available, bubblewrap: available },
      });
      const none = await checks(["-s", "danger-full-access"], { env });
      expect(none).toMatchObject({ exitCode: 0, checks: { sandbox: { status: "warning", backend: "none" } } });
    },
  );

  test("a configuration that cannot be read is the first thing to mend", async () => {
    const found = await checks([], { config: ["model = 3"] });
    expect(found).toMatchObject({ exitCode: 1, ok: false, checks: { config: { status: "failed" } } });
    expect(found.checks.config.summary).toContain("`model`");
    expect(Object.keys(found.checks)).toEqual(["program", "config"]);
  });

  test("keys that nothing reads are named, those of the interactive program are not", async () => {
    const found = await checks(["-c", "modle=x", "-c", "tools.web_serach=true"], {
      env: { OPENAI_API_KEY: key },
      config: ['file_opener = "cursor"'],
      configTables: [
        "[tui]\nanimations = false",
        '[profiles.fast]\nmodel = "m"\nsandbox_mode = "read-only"',
        "[shell_environment_policy.set]\nANY = '1'",
      ],
    });
    const unknown_keys = ["profiles.fast.sandbox_mode", "modle", "tools.web_serach"];
    expect(found.checks.config).toMatchObject({ status: "warning", exists: true, unknown_keys });
    expect(found.checks.config.summary).toBe(`Nothing reads these keys: ${unknown_keys.join(", ")}`);
    expect((await checks()).checks.config).toMatchObject({ status: "ok", unknown_keys: [] });
  });

  test("a server that cannot be reached by any request, and a misspelt key in place of its address", async () => {
    const provider = (line: string) => ["model_provider=own", `model_providers.own={name="Own",env_key="K",${line}}`];
    const with_ = (line: string) =>
      checks(
        provider(line).flatMap((value) => ["-c", value]),
        { env: { K: key } },
      );
    const wrong = await with_('base_url="127.0.0.1:1/v1"');
    expect(wrong).toMatchObject({ exitCode: 1, checks: { model: { status: "failed" } } });
    expect(wrong.checks.model.summary).toContain('base_url "127.0.0.1:1/v1"');
    const misspelt = await with_('base_urll="http://127.0.0.1:1/v1"');
    expect(misspelt.checks.config).toMatchObject({ status: "failed", unknown_keys: ["model_providers.own.base_urll"] });
    expect(misspelt.checks.config.summary).toContain("has no base_url");
  });

  test("MCP servers: what would be started, what is missing; none is started", async () => {
    const env = { OPENAI_API_KEY: key };
    const tables = {
      files: { "bin/mine": "#!/bin/sh\ntouch started\n", "bin/plain": "" },
      setup: ({ work }: Workspace) => chmodSync(path.join(work, "bin/mine"), 0o755),
      configTables: [
        "[mcp_servers.mine]\ncommand = './bin/mine'",
        "[mcp_servers.gone]\ncommand = 'no-such-program'",
        "[mcp_servers.plain]\ncommand = 'bin/plain'",
        "[mcp_servers.'odd name']\ncommand = 'sh'",
        "[mcp_servers.path]\ncommand = 'mine'\nenv = { PATH = '/nowhere:bin' }",
      ],
    };
    const run = await doctor(["--json"], { env, ...tables });
    const program = `${run.work}/bin/mine`;
    const server = (name: string, command: string, found: object) => ({
      name,
      command,
      required: false,
      program: null,
      problem: null,
      ...found,
    });
    expect(JSON.parse(run.stdout)).toMatchObject({
      ok: true,
      checks: {
        mcp_servers: {
          status: "warning",
          servers: [
            server("mine", "./bin/mine", { program }),
            server("gone", "no-such-program", { problem: "no-such-program: No such file or directory (os error 2)" }),
            server("plain", "bin/plain", { problem: "bin/plain: Permission denied (os error 13)" }),
            server("odd name", "sh", { problem: expect.stringContaining("invalid server name") }),
            server("path", "mine", { program }),
          ],
        },
      },
    });
    expect(Object.keys(run.files)).not.toContain("started");
    const text = await doctor([], { env, ...tables });
    expect(text).toMatchObject({ exitCode: 0 });
    expect(text.stdout).toMatch(
      /^warning {2}mcp_servers {2}mine: \/.*\/bin\/mine\n {22}gone: no-such-program: No such/m,
    );
    const required = await checks(["-c", "mcp_servers.gone.required=true"], { env, ...tables });
    expect(required).toMatchObject({ exitCode: 1, ok: false, checks: { mcp_servers: { status: "failed" } } });
    expect((await checks([], { env })).checks).not.toHaveProperty("mcp_servers");
  });

  test("nothing it was given gets to steer the terminal", async () => {
    const run = await doctor(["-c", 'model="a\\u001b[31mb"'], { env: { OPENAI_API_KEY: key } });
    expect(run.stdout).toContain("a\\x1b[31mb from OpenAI");
  });

  test("a word too many is a usage error", async () => {
    expect(await doctor(["now"])).toMatchObject({ exitCode: 2, stdout: "" });
  });
});
