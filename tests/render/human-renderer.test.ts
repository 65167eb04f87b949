import { expect, test } from "vitest";
import type { EventMsg } from "../../src/protocol/event.ts";
import { HumanRenderer } from "../../src/render/human-renderer.ts";
import type { RunOutcome, ShownConfig } from "../../src/render/renderer.ts";
import { asEvents, CapturedOutput, command, commandEnd, completed, play, runSummary, tokenCount } from "./support.ts";

const frozenClock = () => Date.UTC(2025, 8, 10, 8, 48, 12);
const stamp = "[2025-09-10T08:48:12] ";

test("a run with reasoning, a command and an answer", () => {
  const output = new CapturedOutput();
  play(new HumanRenderer(output, { now: frozenClock }), [
    { type: "task_started", model_context_window: null },
    { type: "agent_reasoning_section_break" },
    { type: "agent_reasoning_delta", delta: "**T**" },
    { type: "agent_reasoning_delta", delta: " x" },
    { type: "agent_reasoning", text: "**T** x" },
    command("call_1", ["bash", "-lc", "echo hello; exit 0"]),
    { type: "exec_command_output_delta", call_id: "call_1", stream: "stdout", chunk: "aGVsbG8K" },
    commandEnd("call_1", { output: "hello\n" }),
    tokenCount(1),
    { type: "agent_message_delta", delta: "All " },
    { type: "agent_message_delta", delta: "done." },
    { type: "agent_message", message: "All done." },
    tokenCount(2),
    { type: "task_complete", last_agent_message: "All done." },
    { type: "shutdown_complete" },
  ]);
  expect(output.err).toMatchInlineSnapshot(`
    "[2025-09-10T08:48:12] OpenAI Codex v0.34.0 (research preview)
    --------
    workdir: /ws
    model: mock-model
    provider: mock
    approval: never
    sandbox: workspace-write [workdir, /tmp, $TMPDIR]
    session id: 01a1fd4b-49d0-4491-88eb-a0644606c6fd
    --------
    [2025-09-10T08:48:12] User instructions:
    do it
    [2025-09-10T08:48:12] thinking

    **T** x
    [2025-09-10T08:48:12] exec bash -lc 'echo hello; exit 0' in /ws
    [2025-09-10T08:48:12] bash -lc 'echo hello; exit 0' succeeded in 6ms:
    hello
    [2025-09-10T08:48:12] tokens used: 110
    [2025-09-10T08:48:12] codex

    All done.
    [2025-09-10T08:48:12] tokens used: 220
    [2025-09-10T08:48:12] completed in 0ms: 220 tokens, 1 command
    "
  `);
  expect(output.out).toBe("All done.\n");
});

test("colours are those of the list", () => {
  const output = new CapturedOutput({ hasColour: true });
  play(
    new HumanRenderer(output, { now: frozenClock }),
    [
      { type: "agent_message_delta", delta: "All done." },
      command("ok", ["true"]),
      commandEnd("ok", { output: "fine" }),
      command("bad", ["false"]),
      commandEnd("bad", { exitCode: 3 }),
      { type: "stream_error", message: "stream error: retrying 1/1" },
      { type: "error", message: "it broke" },
    ],
    { exitCode: 1, lastAgentMessage: null, reason: "failed" },
  );
  expect(output.err.replaceAll("\u001b", "^")).toMatchInlineSnapshot(`
    "^[2m[2025-09-10T08:48:12]^[22m OpenAI Codex v0.34.0 (research preview)
    --------
    ^[1mworkdir:^[22m /ws
    ^[1mmodel:^[22m mock-model
    ^[1mprovider:^[22m mock
    ^[1mapproval:^[22m never
    ^[1msandbox:^[22m workspace-write [workdir, /tmp, $TMPDIR]
    ^[1msession id:^[22m 01a1fd4b-49d0-4491-88eb-a0644606c6fd
    --------
    ^[2m[2025-09-10T08:48:12]^[22m ^[36m^[1mUser instructions:^[22m^[39m
    do it
    ^[2m[2025-09-10T08:48:12]^[22m ^[35m^[3mcodex^[23m^[39m

    All done.
    ^[2m[2025-09-10T08:48:12]^[22m ^[35mexec^[39m ^[1mtrue^[22m in /ws
    ^[2m[2025-09-10T08:48:12]^[22m ^[32m^[1mtrue^[22m^[39m succeeded in 6ms:
    ^[2mfine^[22m
    ^[2m[2025-09-10T08:48:12]^[22m ^[35mexec^[39m ^[1mfalse^[22m in /ws
    ^[2m[2025-09-10T08:48:12]^[22m ^[31m^[1mfalse^[22m^[39m exited 3 in 6ms:
    ^[2m[2025-09-10T08:48:12]^[22m ^[2mstream error: retrying 1/1^[22m
    ^[2m[2025-09-10T08:48:12]^[22m ^[31mERROR:^[39m it broke
    ^[2m[2025-09-10T08:48:12]^[22m ^[31mfailed after^[39m 0ms: 2 commands (1 failed)
    "
  `);
});

test("a plan is readable, with and without an explanation", () => {
  const log = logOf([
    {
      type: "plan_update",
      explanation: "why",
      plan: [
        { step: "read", status: "completed" },
        { step: "write", status: "in_progress" },
        { step: "test", status: "pending" },
      ],
    },
    { type: "plan_update", explanation: null, plan: [{ step: "read", status: "completed" }] },
  ]);
  expect(log).toMatchInlineSnapshot(`
    "[2025-09-10T08:48:12] plan: why
    ✔ read
    → write
    • test
    [2025-09-10T08:48:12] plan:
    ✔ read
    "
  `);
});

test("a patch of all four kinds, and its end", () => {
  const changes = {
    "/ws/m.txt": { update: { unified_diff: "@@ -1,2 +1,2 @@\n-old\n+new\n same\n", move_path: null } },
    "/ws/a.txt": { add: { content: "one\ntwo\n" } },
    "/ws/r.txt": { update: { unified_diff: "@@ -1 +1 @@\n-x\n+y\n", move_path: "/ws/s.txt" } },
    "/ws/d.txt": { delete: { content: "gone\n" } },
  };
  const done = "Success. Updated the following files:\nA a.txt\n";
  const log = logOf([
    { type: "patch_apply_begin", call_id: "p", auto_approved: true, changes },
    { type: "patch_apply_end", call_id: "p", stdout: done, stderr: "", success: true },
    { type: "patch_apply_begin", call_id: "q", auto_approved: false, changes: {} },
    { type: "patch_apply_end", call_id: "q", stdout: "", stderr: "it does not fit\n", success: false },
    { type: "turn_diff", unified_diff: "diff --git a/a.txt b/a.txt\n--- a/a.txt\n+++ b/a.txt\n@@ -1 +1 @@\n-a\n+b\n" },
  ]);
  expect(log).toMatchInlineSnapshot(`
    "[2025-09-10T08:48:12] apply_patch auto_approved=true:
    A /ws/a.txt
    one
    two
    D /ws/d.txt
    gone
    M /ws/m.txt
    @@ -1,2 +1,2 @@
    -old
    +new
     same
    R /ws/r.txt -> /ws/s.txt
    @@ -1 +1 @@
    -x
    +y
    [2025-09-10T08:48:12] apply_patch(auto_approved=true) exited 0 in 0ms:
    Success. Updated the following files:
    A a.txt
    [2025-09-10T08:48:12] apply_patch auto_approved=false:
    [2025-09-10T08:48:12] apply_patch(auto_approved=false) exited 1 in 0ms:
    it does not fit
    [2025-09-10T08:48:12] turn diff:
    diff --git a/a.txt b/a.txt
    --- a/a.txt
    +++ b/a.txt
    @@ -1 +1 @@
    -a
    +b

    "
  `);
});

test("only lines inside a hunk are coloured", () => {
  const output = new CapturedOutput({ hasColour: true });
  play(new HumanRenderer(output, { now: frozenClock }), [
    { type: "turn_diff", unified_diff: "diff --git a/a b/a\n--- a/a\n+++ b/a\n@@ -1 +1 @@\n--- old\n+++ new\n" },
  ]);
  expect(output.err).toContain(
    "\n--- a/a\n+++ b/a\n@@ -1 +1 @@\n\u001b[31m--- old\u001b[39m\n\u001b[32m+++ new\u001b[39m\n",
  );
});

test("MCP calls: success, a refused request, a failed tool", () => {
  const invocation = { server: "tst", tool: "echo", arguments: { msg: "yo" } };
  const bare = { server: "tst", tool: "ping", arguments: null };
  const duration = { secs: 0, nanos: 1_611_968 };
  const log = logOf([
    { type: "mcp_tool_call_begin", call_id: "1", invocation },
    { type: "mcp_tool_call_end", call_id: "1", invocation, duration, result: { Ok: { content: [{ text: "yo" }] } } },
    { type: "mcp_tool_call_begin", call_id: "2", invocation: bare },
    { type: "mcp_tool_call_end", call_id: "2", invocation: bare, duration, result: { Err: "tool call error: kaput" } },
    { type: "mcp_tool_call_end", call_id: "3", invocation, duration, result: { Ok: { content: [], isError: true } } },
  ]);
  expect(log).toMatchInlineSnapshot(`
    "[2025-09-10T08:48:12] tool tst.echo({"msg":"yo"})
    [2025-09-10T08:48:12] tst.echo({"msg":"yo"}) success in 1ms:
    {
      "content": [
        {
          "text": "yo"
        }
      ]
    }
    [2025-09-10T08:48:12] tool tst.ping()
    [2025-09-10T08:48:12] tst.ping() failed in 1ms:
    tool call error: kaput
    [2025-09-10T08:48:12] tst.echo({"msg":"yo"}) failed in 1ms:
    {
      "content": [],
      "isError": true
    }
    "
  `);
});

test("notices stand alone on their lines", () => {
  const log = logOf([
    { type: "web_search_end", call_id: "w", query: "codex" },
    { type: "stream_error", message: "stream error: retrying 1/1" },
    { type: "background_event", message: "still here" },
    { type: "turn_aborted", reason: "interrupted" },
    { type: "error", message: "it broke" },
  ]);
  expect(log).toBe(
    ["🌐 Searched: codex", "stream error: retrying 1/1", "still here", "task interrupted", "ERROR: it broke"]
      .map((line) => `${stamp}${line}\n`)
      .join(""),
  );
});

test.each([20, 21, 25])("of a command with %i lines the first 20 are shown", (count) => {
  const lines = Array.from({ length: count }, (_, index) => `line ${index + 1}\n`);
  const rest: Record<number, string> = { 20: "", 21: "… 1 more line\n", 25: "… 5 more lines\n" };
  const log = logOf([command("c", ["seq"]), commandEnd("c", { output: lines.join("") })]);
  expect(log).toBe(
    `${stamp}exec seq in /ws\n${stamp}seq succeeded in 6ms:\n${lines.slice(0, 20).join("")}${rest[count]}`,
  );
});

test("a failed command names its exit code and shows both streams", () => {
  const log = logOf([command("c", ["make"]), commandEnd("c", { exitCode: 3, output: "out\nerr", ms: 1255 })]);
  expect(log).toBe(`${stamp}exec make in /ws\n${stamp}make exited 3 in 1.25s:\nout\nerr\n`);
});

test("a script of many lines is shown whole once, and by its first line at its end", () => {
  const log = logOf([command("c", ["bash", "-lc", "cd src\nls"]), commandEnd("c")]);
  expect(log).toBe(`${stamp}exec bash -lc 'cd src\nls' in /ws\n${stamp}bash -lc 'cd src … succeeded in 6ms:\n`);
});

test("tokens add up over the responses", () => {
  const log = logOf([tokenCount(1), tokenCount(2), { type: "token_count", info: null }, tokenCount(30)]);
  expect(log).toBe(`${stamp}tokens used: 110\n${stamp}tokens used: 220\n${stamp}tokens used: 3,300\n`);
});

test.each<{ name: string; msgs: readonly EventMsg[]; log: string }>([
  {
    name: "a streamed message of two parts",
    msgs: [
      { type: "agent_message_delta", delta: "One." },
      { type: "agent_message_delta", delta: "Two." },
      { type: "agent_message", message: "One." },
      { type: "agent_message", message: "Two." },
    ],
    log: `${stamp}codex\n\nOne.Two.\n`,
  },
  {
    name: "reasoning of two parts",
    msgs: [
      { type: "agent_reasoning_section_break" },
      { type: "agent_reasoning_delta", delta: "One." },
      { type: "agent_reasoning_section_break" },
      { type: "agent_reasoning_delta", delta: "Two." },
      { type: "agent_reasoning", text: "One." },
      { type: "agent_reasoning", text: "Two." },
    ],
    log: `${stamp}thinking\n\nOne.\n\nTwo.\n`,
  },
  {
    name: "a message that was not streamed, and one that was after it",
    msgs: [
      { type: "agent_message", message: "One." },
      { type: "agent_message_delta", delta: "Two.\n" },
      { type: "agent_message", message: "Two.\n" },
    ],
    log: `${stamp}codex\nOne.\n${stamp}codex\n\nTwo.\n`,
  },
  {
    name: "a message that broke off and was said again",
    msgs: [
      { type: "agent_message_delta", delta: "Hel" },
      { type: "stream_error", message: "again" },
      { type: "agent_message_delta", delta: "Hello" },
      { type: "agent_message", message: "Hello" },
    ],
    log: `${stamp}codex\n\nHel\n${stamp}again\n${stamp}codex\n\nHello\n`,
  },
  {
    name: "a text that differs from its pieces",
    msgs: [
      { type: "agent_message_delta", delta: "Hel" },
      { type: "agent_message", message: "Hello" },
    ],
    log: `${stamp}codex\n\nHel\n${stamp}codex\nHello\n`,
  },
])("each part is shown once: $name", ({ msgs, log }) => {
  expect(logOf(msgs)).toBe(log);
});

const reasoning: readonly EventMsg[] = [
  { type: "agent_reasoning_delta", delta: "sum" },
  { type: "agent_reasoning", text: "sum" },
  { type: "agent_reasoning_raw_content_delta", delta: "raw" },
  { type: "agent_reasoning_raw_content", text: "raw" },
];

test.each<{ name: string; config: Partial<ShownConfig>; log: string }>([
  { name: "the summary by default", config: {}, log: `${stamp}thinking\n\nsum\n` },
  { name: "nothing when hidden", config: { hideAgentReasoning: true }, log: "" },
  {
    name: "both when asked for",
    config: { showRawAgentReasoning: true },
    log: `${stamp}thinking\n\nsum\n${stamp}thinking\n\nraw\n`,
  },
])("of the reasoning the log shows $name", ({ config, log }) => {
  expect(logOf(reasoning, config)).toBe(log);
});

test("reasoning that was not streamed is headed as thinking, and blank reasoning is left out", () => {
  const log = logOf([
    { type: "agent_reasoning", text: "**T** x" },
    { type: "agent_reasoning", text: " \n" },
  ]);
  expect(log).toBe(`${stamp}thinking\n**T** x\n`);
});

test.each<{ name: string; outcome: RunOutcome; line: string; stdout: string }>([
  { name: "a good run", outcome: completed, line: "completed in 1.50s", stdout: "All done.\n" },
  {
    name: "an answer that ends its line",
    outcome: { ...completed, lastAgentMessage: "All done.\n" },
    line: "completed in 1.50s",
    stdout: "All done.\n",
  },
  {
    name: "a run without an answer",
    outcome: { ...completed, lastAgentMessage: null },
    line: "completed in 1.50s",
    stdout: "",
  },
  {
    name: "a failed run that had said something",
    outcome: { exitCode: 1, lastAgentMessage: "Let me see.", reason: "failed" },
    line: "failed after 1.50s",
    stdout: "",
  },
  {
    name: "an interrupted run",
    outcome: { exitCode: 130, lastAgentMessage: null, reason: "interrupted" },
    line: "interrupted after 1.50s",
    stdout: "",
  },
  {
    name: "a run at its limit",
    outcome: { exitCode: 3, lastAgentMessage: null, reason: "limit" },
    line: "stopped by a limit after 1.50s",
    stdout: "",
  },
])("the last line and stdout of $name", ({ outcome, line, stdout }) => {
  const output = new CapturedOutput();
  let time = frozenClock() - 1500;
  const renderer = new HumanRenderer(output, { now: () => time });
  time = frozenClock();
  renderer.finish(outcome);
  expect(output).toMatchObject({ err: `${stamp}${line}\n`, out: stdout });
});

test("the last line counts what was done and what of it failed", () => {
  const output = new CapturedOutput();
  const changes = { "/ws/a": { add: { content: "" } }, "/ws/b": { delete: { content: "" } } };
  const invocation = { server: "s", tool: "t", arguments: null };
  const duration = { secs: 0, nanos: 0 };
  play(new HumanRenderer(output, { now: frozenClock }), [
    command("1", ["true"]),
    commandEnd("1"),
    command("2", ["false"]),
    commandEnd("2", { exitCode: 1 }),
    { type: "mcp_tool_call_end", call_id: "3", invocation, duration, result: { Err: "kaput" } },
    { type: "patch_apply_begin", call_id: "4", auto_approved: true, changes },
    { type: "patch_apply_end", call_id: "4", stdout: "", stderr: "", success: true },
    { type: "patch_apply_begin", call_id: "5", auto_approved: true, changes },
    { type: "patch_apply_end", call_id: "5", stdout: "", stderr: "", success: false },
    tokenCount(20),
  ]);
  expect(output.err.trimEnd().split("\n").at(-1)).toBe(
    `${stamp}completed in 0ms: 2,200 tokens, 2 commands (1 failed), 1 tool call (1 failed), 1 patch failed, 2 files changed`,
  );
});

test("the head names reasoning settings for models that have them", () => {
  const output = new CapturedOutput();
  const renderer = new HumanRenderer(output, { now: frozenClock });
  renderer.start(runSummary({ modelFamily: { supportsReasoning: true } }));
  renderer.finish(completed);
  expect(output.err).toContain("reasoning effort: medium\nreasoning summaries: auto\nsession id: 01a1fd4b-");
});

/** What the log gains by these events. */
function logOf(msgs: readonly EventMsg[], config: Partial<ShownConfig> = {}): string {
  const output = new CapturedOutput();
  const renderer = new HumanRenderer(output, { now: frozenClock });
  renderer.start(runSummary(config));
  renderer.finish(completed);
  const before = output.err.length;
  for (const event of asEvents(msgs)) renderer.show(event);
  renderer.finish(completed);
  const log = output.err.slice(before);
  return log.slice(0, log.lastIndexOf(stamp));
}
