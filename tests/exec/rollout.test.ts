import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { readdirSync, symlinkSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import packageJson from "../../package.json" with { type: "json" };
import { readRollout } from "../../src/rollout/reader.ts";
import { callShell, callTool, fakeModel, say } from "../support/fake-model.ts";
import { masked } from "../support/mask.ts";
import { inputOf } from "../support/requests.ts";
import { runCodex, startCodex } from "../support/run-codex.ts";
import type { Workspace } from "../support/workspace.ts";

const usage = (responses: number) => ({
  input_tokens: 100 * responses,
  cached_input_tokens: 10 * responses,
  output_tokens: 20 * responses,
  reasoning_output_tokens: 5 * responses,
  total_tokens: 120 * responses,
});
const tokenCount = (responses: number) => ({
  type: "token_count",
  info: { total_token_usage: usage(responses), last_token_usage: usage(1), model_context_window: null },
});
const rolloutFiles = (files: Readonly<Record<string, string>>) =>
  Object.keys(files).filter((file) => file.startsWith("sessions/"));

test("every line of a task with a command, a call before its output, in the order of what happened", async () => {
  await using model = await fakeModel([
    { reasoning: ["**One**", "**Two**"], encrypted: "ENC==", ...callShell(["bash", "-c", "echo hello"]) },
    callTool("update_plan", { plan: [{ step: "a", status: "completed" }] }),
    say("All done."),
  ]);
  const started = Date.now();
  const run = await runCodex(["exec", "--skip-git-repo-check", "do it"], { model, git: false });
  const ended = Date.now();
  const id = model.requests[0]?.headers["session_id"];
  const message = (role: string, type: string, text: string) => [
    "response_item",
    { type: "message", role, content: [{ type, text }] },
  ];
  const call = (call_id: string, name: string, args: string) => [
    "response_item",
    { type: "function_call", name, arguments: args, call_id },
  ];
  expect(run.rollout.map(({ type, payload }) => [type, payload])).toEqual([
    [
      "session_meta",
      {
        id,
        timestamp: expect.any(String),
        cwd: run.work,
        originator: "codex_cli_rs",
        sandbox_backend: "landlock",
        cli_version: packageJson.version,
        instructions: null,
      },
    ],
    message("user", "input_text", inputOf(model, 1)[0]?.content?.[0]?.text ?? ""),
    message("user", "input_text", "do it"),
    ["event_msg", { type: "user_message", message: "do it", kind: "plain" }],
    [
      "turn_context",
      {
        cwd: run.work,
        approval_policy: "never",
        sandbox_policy: { mode: "read-only" },
        model: "mock-model",
        effort: "medium",
        summary: "auto",
      },
    ],
    ["event_msg", { type: "agent_reasoning", text: "**One**" }],
    ["event_msg", { type: "agent_reasoning", text: "**Two**" }],
    ["response_item", inputOf(model, 2)[2]],
    call("call_1", "shell", '{"command":["bash","-c","echo hello"]}'),
    ["response_item", { type: "function_call_output", call_id: "call_1", output: inputOf(model, 2)[4]?.output }],
    ["event_msg", tokenCount(1)],
    call("call_2", "update_plan", '{"plan":[{"step":"a","status":"completed"}]}'),
    ["response_item", { type: "function_call_output", call_id: "call_2", output: "Plan updated" }],
    ["event_msg", tokenCount(2)],
    ["event_msg", { type: "agent_message", message: "All done." }],
    message("assistant", "output_text", "All done."),
    ["event_msg", tokenCount(3)],
  ]);
  const times = [String(run.rollout[0]?.payload["timestamp"]), ...run.rollout.map((line) => line.timestamp)];
  for (const time of times) expect(time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  const sorted = [started, ...times.map((time) => Date.parse(time)), ended];
  expect(sorted).toEqual([...sorted].sort((one, other) => one - other));
});

// At any time of the day one of these zones has another date than UTC.
test.each([
  ["Pacific/Kiritimati", 14],
  ["Etc/GMT+12", -12],
])("the file's place and name tell the local time: %s", async (zone, hoursAhead) => {
  await using model = await fakeModel([say("ok")]);
  const run = await runCodex(["exec", "go"], { model, env: { TZ: zone } });
  const { id, timestamp } = run.rollout[0]?.payload ?? {};
  const local = new Date(Date.parse(String(timestamp)) + hoursAhead * 3_600_000).toISOString();
  const [day = "", time = ""] = local.slice(0, 19).split("T");
  expect(rolloutFiles(run.homeFiles)).toEqual([
    `sessions/${day.replaceAll("-", "/")}/rollout-${day}T${time.replaceAll(":", "-")}-${id}.jsonl`,
  ]);
});

test("without CODEX_HOME it is in ~/.codex, which is made for it", async () => {
  await using model = await fakeModel([say("ok")]);
  const running = startCodex(["exec", "go"], { env: { CODEX_HOME: "", OPENAI_BASE_URL: model.url } });
  await once(running.child, "close");
  const sessions = readdirSync(path.join(running.place.root, "user/.codex/sessions"), { recursive: true });
  const run = await running.finished();
  expect(run).toMatchObject({ exitCode: 0, stdout: "ok\n" });
  expect(run.stderr).not.toContain("Warning");
  expect(sessions.filter((name) => String(name).endsWith(".jsonl"))).toHaveLength(1);
  expect(rolloutFiles(run.homeFiles)).toEqual([]);
});

describe("the repository in the first line", () => {
  const git = ({ work, env }: Workspace, ...args: string[]) =>
    execFileSync("git", ["-c", "user.name=a", "-c", "user.email=a@b", ...args], { cwd: work, env, encoding: "utf8" });

  test("its commit, its branch, and its origin without the password", async () => {
    await using model = await fakeModel([say("ok")]);
    let commit = "";
    const setup = (place: Workspace) => {
      git(place, "commit", "-q", "--allow-empty", "-m", "first");
      git(place, "switch", "-q", "-c", "topic/x");
      git(place, "remote", "add", "origin", "https://me:secret@example.org/a/b.git");
      commit = git(place, "rev-parse", "HEAD").trim();
    };
    const run = await runCodex(["exec", "-C", "sub", "go"], { model, setup, files: { "sub/x": "" } });
    expect(run.rollout[0]?.payload["git"]).toEqual({
      commit_hash: commit,
      branch: "topic/x",
      repository_url: "https://example.org/a/b.git",
    });
    expect(commit).toMatch(/^[\da-f]{40}$/);
  });

  test.each([
    ["without a commit", true, { git: {} }],
    ["that is none", false, {}],
  ])("%s", async (_, isRepository, expected) => {
    await using model = await fakeModel([say("ok")]);
    const run = await runCodex(["exec", "--skip-git-repo-check", "go"], { model, git: isRepository });
    expect(run.rollout[0]?.payload).toEqual({
      id: expect.any(String),
      timestamp: expect.any(String),
      cwd: run.work,
      originator: "codex_cli_rs",
      sandbox_backend: "landlock",
      cli_version: packageJson.version,
      instructions: null,
      ...expected,
    });
  });
});

test("what is on disk can be gone on with: the reader finds what the next request would begin with", async () => {
  await using model = await fakeModel([
    {
      reasoning: "**Look**",
      encrypted: "ENC==",
      calls: [
        { name: "shell", args: { command: ["bash", "-c", "echo hello"] } },
        { name: "apply_patch", custom: "*** Begin Patch\n*** Add File: n.txt\n+hi\n*** End Patch\n" },
      ],
    },
    say("All done."),
  ]);
  const running = startCodex(["exec", "--full-auto", "go"], { model });
  await once(running.child, "close");
  const { place } = running;
  const [file = ""] = rolloutFiles(place.homeFiles());
  const stored = readRollout(path.join(place.home, file));
  await running.finished();
  expect(stored).toMatchObject({ conversationId: model.requests[0]?.headers["session_id"], skipped: 0 });
  expect(stored.items).toEqual([
    ...inputOf(model, 2),
    { type: "message", role: "assistant", content: [{ type: "output_text", text: "All done." }] },
  ]);
});

test("--ephemeral leaves nothing behind", async () => {
  await using model = await fakeModel([callShell(["touch", "made.txt"]), say("ok")]);
  const run = await runCodex(["exec", "--full-auto", "--ephemeral", "go"], { model });
  expect(run).toMatchObject({ exitCode: 0, stdout: "ok\n", files: { "made.txt": "" } });
  expect(Object.keys(run.homeFiles)).toEqual(["config.toml"]);
});

test("a home that cannot keep the session costs one warning, and stdout stays as it is", async () => {
  await using model = await fakeModel([callShell(["true"]), say("ok")]);
  const setup = ({ home }: Workspace) => symlinkSync("sessions", path.join(home, "sessions"));
  const run = await runCodex(["exec", "--json", "go"], { model, setup });
  expect(run.exitCode).toBe(0);
  expect(masked(run.stderr, run).replace(/sessions\/[^"]*/, "sessions/…")).toBe(
    'Warning: This session is not recorded: cannot write "<HOME>/sessions/…": Too many levels of symbolic links (os error 40)\n',
  );
  expect(run.messages.at(-1)).toEqual(tokenCount(2));
});
