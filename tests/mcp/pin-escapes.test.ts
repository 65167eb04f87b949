import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { callShell, fakeModel, say } from "../support/fake-model.ts";
import { install, installedBinary } from "../support/install.ts";
import { fullAccess, type McpMessage, startMcp } from "../support/mcp-session.ts";
import { runCodex } from "../support/run-codex.ts";

const writable = ['sandbox_mode = "workspace-write"', 'approval_policy = "on-request"'];
const bounded = ["-c", "mcp.max_sandbox=workspace-write"];

function said({ result, error }: McpMessage): string {
  return error?.message ?? result.structuredContent?.message ?? result.content?.[0]?.text ?? "done";
}

describe("a pinned server refuses a call that would", () => {
  test.each<[string, object, string]>([
    [
      "add a variable to what commands see",
      { "shell_environment_policy.set.PATH": "bin" },
      "The shell_environment_policy",
    ],
    ["show a variable that was masked", { "shell_environment_policy.set": null }, "The shell_environment_policy"],
    ["search the web", { "tools.web_search": true }, "tools.web_search is refused"],
    [
      "have a model's server of its own",
      { "model_providers.mock.base_url": "http://127.0.0.1:9/v1" },
      "at an address that",
    ],
    ["route a request elsewhere", { "model_providers.mock.http_headers.Host": "evil.example" }, "the header Host"],
  ])("%s", async (_, config, refusal) => {
    await using model = await fakeModel([]);
    const configTables = ['[shell_environment_policy.set]\nPGPASSWORD = "masked"'];
    await using mcp = startMcp({ model, config: writable, configTables, args: bounded });
    expect(said(await mcp.call("codex", { prompt: "x", config }))).toContain(refusal);
    expect(model.requests).toEqual([]);
  });

  test("give the model other instructions by another name", async () => {
    await using mcp = startMcp({ args: ["-c", 'mcp.locked=["base-instructions"]'] });
    const config = { developer_instructions: "Squawk." };
    expect(said(await mcp.call("codex", { prompt: "x", config }))).toContain("Other instructions are refused");
  });

  test("ask where the server never asks", async () => {
    await using mcp = startMcp({ config: ['approval_policy = "never"'], args: ["--lock"] });
    const answer = await mcp.call("codex", { prompt: "x", "approval-policy": "untrusted" });
    expect(said(answer)).toContain('approval-policy "untrusted" is refused');
  });

  test("run unasked what the locked approval policy asks for", async () => {
    const config = ['sandbox_mode = "danger-full-access"', 'approval_policy = "untrusted"'];
    await using mcp = startMcp({ config, args: ["--lock"] });
    const run = (command: readonly string[]) => mcp.request("execOneOffCommand", { command });
    expect(said(await run(["touch", "made"]))).toContain("the locked approval-policy untrusted asks for it");
    expect((await run(["ls"])).result).toMatchObject({ exitCode: 0, stdout: "" });
  });

  test.each([".git", ".git/hooks"])("write what belongs to git, with the cwd %s", async (cwd) => {
    await using model = await fakeModel([]);
    await using mcp = startMcp({ model, config: writable, args: ["--lock"] });
    expect(said(await mcp.call("codex", { prompt: "x", cwd }))).toContain("which belongs to git");
    expect(model.requests).toEqual([]);
  });

  test.each([
    ["loginApiKey", { apiKey: "sk-other" }],
    ["loginChatGpt", {}],
    ["logout", {}],
    ["logoutChatGpt", {}],
    ["getAuthStatus", { includeToken: true }],
  ])("sign somebody else in or tell the key: %s", async (method, params) => {
    await using mcp = startMcp({ args: ["--lock"] });
    expect((await mcp.request(method, params)).error?.message).toContain('is refused, because "config" is locked.');
    expect(Object.keys(mcp.codex.place.homeFiles())).toEqual(["config.toml"]);
  });
});

describe("a pinned server does not start", () => {
  test("where its commands could change the pins", async () => {
    const args = ["mcp", "--lock", "-c", "sandbox_mode=workspace-write"];
    const run = await runCodex(args, { env: { CODEX_HOME: "home" }, files: { "home/a": "" } });
    expect([run.exitCode, run.stdout]).toEqual([1, ""]);
    expect(run.stderr).toMatch(
      /commands may write "[^"]*\/work", which holds the configuration "[^"]*\/work\/home" with its pins/,
    );
  });

  test.each(["mcp.max-sandbox=read-only", "mcp.maxSandbox=read-only", "max_sandbox=read-only", "mcp.lcoked=[]"])(
    "where a pin is misspelt: %s",
    async (override) => {
      const run = await runCodex(["mcp", "-c", override]);
      expect([run.exitCode, run.stdout]).toEqual([1, ""]);
      expect(run.stderr).toContain(`unknown key ${override.split("=")[0]}: docs/mcp.md lists the keys`);
    },
  );
});

test("an approval for the session counts for the folder and the policy it was given for", async () => {
  const make = (workdir: string) =>
    callShell(["sh", "run.sh"], { args: { with_escalated_permissions: true, justification: "build", workdir } });
  await using model = await fakeModel([make("good"), make("good"), make("evil"), say("done")]);
  await using mcp = startMcp({
    model,
    config: writable,
    setup: ({ work }) => {
      for (const folder of ["good", "evil"]) {
        mkdirSync(path.join(work, folder));
        writeFileSync(path.join(work, folder, "run.sh"), "echo >> ran\n");
      }
    },
  });
  await mcp.initialize();
  const call = mcp.call("codex", { prompt: "x" });
  const first = await mcp.asked("elicitation/create");
  mcp.answer(first, { action: "accept", content: { decision: "approved_for_session" } });
  const second = await mcp.asked("elicitation/create");
  expect(second.params.codex_cwd).toBe(path.join(mcp.codex.place.work, "evil"));
  mcp.answer(second, { action: "decline" });
  expect(said(await call)).toBe("done");
  expect(mcp.codex.place.files()).toMatchObject({ "good/ran": "\n\n" });
  expect(Object.keys(mcp.codex.place.files())).not.toContain("evil/ran");
});

test.each([
  ["a key of ours", "CODEX_API_KEY"],
  ["what stands in CODEX_HOME/.env alone", "ONLY_THERE"],
])("without any pin, too, a call does not send %s to another address", async (_, env_key) => {
  await using thief = await fakeModel([]);
  const homeFiles = { ".env": "ONLY_THERE=secret\n" };
  await using mcp = startMcp({ config: fullAccess, homeFiles, env: { CODEX_API_KEY: "sk-codex" } });
  const e = { name: "e", base_url: thief.url, wire_api: "responses", env_key };
  const config = { model_provider: "e", "model_providers.e": e };
  expect(said(await mcp.call("codex", { prompt: "x", config }))).toContain(`would send the variable ${env_key}`);
  expect(thief.requests).toEqual([]);
});

test.each<[string, (roots: readonly string[]) => readonly [string, object]]>([
  [
    "a turn",
    (roots) => [
      "execOneOffCommand",
      { command: ["true"], sandboxPolicy: { mode: "workspace-write", writable_roots: roots } },
    ],
  ],
  [
    "a session",
    (roots) => [
      "newConversation",
      { config: { sandbox_mode: "workspace-write", "sandbox_workspace_write.writable_roots": roots } },
    ],
  ],
])("thousands of writable folders of %s are refused, not compared with each other", async (_, ask) => {
  await using mcp = startMcp();
  const roots = Array.from({ length: 8_000 }, (_, at) => `/none/${at}`);
  expect(said(await mcp.request(...ask(roots)))).toContain("there are more than 256 writable folders");
});

describe.skipIf(process.platform !== "linux")("a program that is installed in the workspace", () => {
  test.each(["a read-only command", "gitDiffToRemote"])(
    "has mapped nothing that a later command may write, after %s",
    async (first) => {
      const setup = (place: Parameters<typeof install>[0]) => void install(place);
      await using mcp = startMcp({ config: writable, setup, binary: installedBinary });
      if (first === "gitDiffToRemote") await mcp.request(first, { cwd: "." });
      else await mcp.request("execOneOffCommand", { command: ["true"], sandboxPolicy: { mode: "read-only" } });
      const maps = readFileSync(`/proc/${mcp.codex.child.pid}/maps`, "utf8");
      expect(maps).not.toContain(path.join(mcp.codex.place.work, "node_modules"));
    },
  );
});
