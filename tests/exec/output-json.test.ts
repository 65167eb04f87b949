import { describe, expect, test } from "vitest";
import { callShell, callTool, fakeModel, type ModelStep, say } from "../support/fake-model.ts";
import { type CodexRun, type RunOptions, runCodex } from "../support/run-codex.ts";

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
const started = { type: "task_started", model_context_window: null };
const duration = { secs: expect.any(Number), nanos: expect.any(Number) };
const event = (data: object) => `data: ${JSON.stringify(data)}\n\n`;
const patch = (...lines: readonly string[]) => `*** Begin Patch\n${lines.join("\n")}\n*** End Patch\n`;

/** The events of a run, each under the id of its only task. */
function expectEvents(run: CodexRun, messages: readonly object[]): void {
  expect(run.lines.slice(2)).toEqual(messages.map((msg) => ({ id: "0", msg })));
}

describe("the first two lines", () => {
  const keysOf = async (args: readonly string[], options: RunOptions = {}) => {
    await using model = await fakeModel([say("ok")]);
    const run = await runCodex(["exec", "--json", ...args, "do it"], { model, ...options });
    const head = Object.entries(run.lines[0] ?? {});
    expect(head.pop()).toEqual(["session id", run.rollout[0]?.payload["id"]]);
    return { run, head, prompt: run.lines[1] };
  };
  const settings = (run: CodexRun, model: string) => [
    ["workdir", run.work],
    ["model", model],
    ["provider", "mock"],
    ["approval", "never"],
    ["sandbox", "read-only"],
  ];

  test("the settings in their fixed order, then the prompt", async () => {
    const { run, head, prompt } = await keysOf([]);
    expect(head).toEqual(settings(run, "mock-model"));
    expect(prompt).toEqual({ prompt: "do it" });
  });

  test("the prompt is shown as it is sent, with what was piped in", async () => {
    const { prompt } = await keysOf([], { stdin: "data" });
    expect(prompt).toEqual({ prompt: "do it\n\n<stdin>\ndata\n</stdin>" });
  });

  test("two more keys for a model that reasons, on the Responses wire", async () => {
    const { run, head } = await keysOf(["-m", "o3", "-c", "model_reasoning_effort=high"]);
    expect(head).toEqual([...settings(run, "o3"), ["reasoning effort", "high"], ["reasoning summaries", "auto"]]);
  });

  test("not on the chat wire", async () => {
    const { run, head } = await keysOf(["-m", "o3"], { wire: "chat" });
    expect(head).toEqual(settings(run, "o3"));
  });
});

describe("event lines", () => {
  test("everything that happens, but no deltas and no beginning and end of the program", async () => {
    await using model = await fakeModel([
      {
        reasoning: ["**One**", "**Two**"],
        ...callShell(["bash", "-lc", "echo hello"]),
      },
      callTool("update_plan", { explanation: "why", plan: [{ step: "a", status: "in_progress" }] }),
      callTool("apply_patch", { input: patch("*** Add File: n.txt", "+hi") }),
      say("All done.", { deltas: ["All ", "done."] }),
    ]);
    const run = await runCodex(["exec", "--json", "--full-auto", "do it"], { model });
    expect(run).toMatchObject({ exitCode: 0, stderr: "", files: { "n.txt": "hi\n" } });
    expectEvents(run, [
      started,
      { type: "agent_reasoning_section_break" },
      { type: "agent_reasoning_section_break" },
      { type: "agent_reasoning", text: "**One**" },
      { type: "agent_reasoning", text: "**Two**" },
      {
        type: "exec_command_begin",
        call_id: "call_1",
        command: ["bash", "-lc", "echo hello"],
        cwd: run.work,
        parsed_cmd: [{ type: "unknown", cmd: "echo hello" }],
      },
      { type: "exec_command_output_delta", call_id: "call_1", stream: "stdout", chunk: "aGVsbG8K" },
      {
        type: "exec_command_end",
        call_id: "call_1",
        stdout: "hello\n",
        stderr: "",
        aggregated_output: "hello\n",
        exit_code: 0,
        duration,
        formatted_output: "hello\n",
      },
      tokenCount(1),
      { type: "plan_update", explanation: "why", plan: [{ step: "a", status: "in_progress" }] },
      tokenCount(2),
      {
        type: "patch_apply_begin",
        call_id: "call_3",
        auto_approved: true,
        changes: { [`${run.work}/n.txt`]: { add: { content: "hi\n" } } },
      },
      {
        type: "patch_apply_end",
        call_id: "call_3",
        stdout: "Success. Updated the following files:\nA n.txt\n",
        stderr: "",
        success: true,
      },
      {
        type: "turn_diff",
        unified_diff: [
          "diff --git a/n.txt b/n.txt",
          "new file mode 100644",
          "index 0000000000000000000000000000000000000000..45b983be36b73c0788dc9cbcb76cbb80fc7bb057",
          "--- /dev/null",
          "+++ b/n.txt",
          "@@ -0,0 +1 @@",
          "+hi\n",
        ].join("\n"),
      },
      tokenCount(3),
      { type: "agent_message", message: "All done." },
      tokenCount(4),
    ]);
  });

  test("a search of the provider's, and a message in two parts", async () => {
    const search = { type: "web_search_call", id: "ws_1" };
    const content = ["One.", "Two."].map((text) => ({ type: "output_text", text }));
    const raw = [
      event({ type: "response.output_item.added", item: search }),
      event({ type: "response.output_item.done", item: { ...search, action: { type: "search", query: "weather" } } }),
      event({ type: "response.output_text.delta", delta: "One." }),
      event({ type: "response.output_item.done", item: { type: "message", role: "assistant", content } }),
      event({ type: "response.completed", response: { id: "resp_1" } }),
    ];
    await using model = await fakeModel([{ raw }]);
    expectEvents(await runCodex(["exec", "--json", "go"], { model }), [
      started,
      { type: "web_search_begin", call_id: "ws_1" },
      { type: "web_search_end", call_id: "ws_1", query: "weather" },
      { type: "agent_message", message: "One." },
      { type: "agent_message", message: "Two." },
      { type: "token_count", info: null },
    ]);
  });

  test("what a command did to a patched file is told at the end of the task", async () => {
    await using model = await fakeModel([
      callTool("apply_patch", { input: patch("*** Add File: n.txt", "+hi") }),
      callShell(["bash", "-c", "echo more >> n.txt"]),
      say("ok"),
    ]);
    const run = await runCodex(["exec", "--json", "--full-auto", "go"], { model });
    expect(run.messages.map((msg) => msg.type)).toEqual([
      "task_started",
      "patch_apply_begin",
      "patch_apply_end",
      "turn_diff",
      "token_count",
      "exec_command_begin",
      "exec_command_end",
      "token_count",
      "agent_message",
      "token_count",
      "turn_diff",
    ]);
    expect(run.messages.at(-1)).toMatchObject({
      unified_diff: expect.stringMatching(/\n@@ -0,0 \+1,2 @@\n\+hi\n\+more\n$/),
    });
  });

  test("the last line of a failed run is its error", async () => {
    await using model = await fakeModel([{ status: 400, body: { error: "bad" } }]);
    const run = await runCodex(["exec", "--json", "go"], { model });
    expect(run.exitCode).toBe(1);
    expectEvents(run, [started, { type: "error", message: 'unexpected status 400 Bad Request: {"error":"bad"}' }]);
  });

  const rawReasoning = { type: "agent_reasoning_raw_content", text: "raw" };
  const rawDelta = { type: "agent_reasoning_raw_content_delta", delta: "raw" };
  const summary = [{ type: "agent_reasoning_section_break" }, { type: "agent_reasoning", text: "sum" }];

  test.each<[name: string, config: string, wire: "responses" | "chat", step: ModelStep, reasoning: readonly object[]]>([
    ["reasoning that people are not shown", "hide_agent_reasoning", "responses", { reasoning: "sum" }, summary],
    [
      "raw reasoning when asked for",
      "show_raw_agent_reasoning",
      "responses",
      { reasoning: "sum", rawReasoning: "raw" },
      [summary[0] ?? {}, rawDelta, summary[1] ?? {}, rawReasoning],
    ],
    [
      "raw reasoning when asked for, on the chat wire",
      "show_raw_agent_reasoning",
      "chat",
      { reasoning: "raw" },
      [rawDelta, rawReasoning],
    ],
    ["otherwise no raw reasoning", "hide_agent_reasoning", "responses", { rawReasoning: "raw" }, []],
  ])("%s", async (_, setting, wire, step, reasoning) => {
    await using model = await fakeModel([{ ...step, text: "ok", usage: null }]);
    const run = await runCodex(["exec", "--json", "go"], { model, wire, config: [`${setting} = true`] });
    expect(run.exitCode).toBe(0);
    expectEvents(run, [
      started,
      ...reasoning,
      { type: "agent_message", message: "ok" },
      { type: "token_count", info: null },
    ]);
  });

  test("a stream that breaks and is asked again is one line in a good run", async () => {
    await using model = await fakeModel([{ text: "lost", cut: 2 }, say("ok")]);
    const run = await runCodex(["exec", "--json", "go"], { model, provider: { stream_max_retries: 3 } });
    expect(run).toMatchObject({ exitCode: 0, stderr: "" });
    expectEvents(run, [
      started,
      {
        type: "stream_error",
        message: expect.stringMatching(
          /^stream error: stream disconnected before completion: Transport error: error decoding response body; retrying 1\/3 in \d+ms…$/,
        ),
      },
      { type: "agent_message", message: "ok" },
      tokenCount(1),
    ]);
  });
});

describe("nothing else is on stdout", () => {
  // Looks like our own lines, is no UTF-8, goes to every stream there is, and comes from two processes.
  const script = [
    `echo '{"id":"0","msg":{"type":"error","message":"not ours"}}'`,
    "printf 'a\\377\\000b\\r'",
    "echo noise >&2",
    "{ echo out > /dev/tty; echo out > /proc/$PPID/fd/1; } 2>/dev/null",
    "echo from behind &",
  ].join("\n");
  const noisy = () => callShell(["bash", "-c", script]);
  const types = (run: CodexRun) => new Set(run.messages.map((msg) => msg.type));

  test("with a noisy command and --json", async () => {
    await using model = await fakeModel([noisy(), say("ok")]);
    const run = await runCodex(["exec", "--json", "--yolo", "go"], { model });
    expect(run).toMatchObject({ exitCode: 0, stderr: "" });
    expect(run.lines.slice(2).map((line) => Object.keys(line))).toEqual(run.messages.map(() => ["id", "msg"]));
    expect([...types(run)].sort()).toEqual([
      "agent_message",
      "exec_command_begin",
      "exec_command_end",
      "exec_command_output_delta",
      "task_started",
      "token_count",
    ]);
    expect(run.messages.find((msg) => msg.type === "exec_command_end")).toMatchObject({
      stdout: expect.stringContaining('"not ours"}}\na\uFFFD\0b\rfrom behind\n'),
      stderr: "noise\n",
    });
  });

  test.each(["--json", "--experimental-json", "--color=never"])(
    "with a noisy notify program, and %s",
    async (format) => {
      await using model = await fakeModel([say("ok")]);
      const config = [`notify = ["bash", "-c", "echo noise; echo noise >&2; cat"]`];
      const run = await runCodex(["exec", format, "go"], { model, config });
      expect(run.exitCode).toBe(0);
      expect(run.stderr.match(/^noise$/gm)).toHaveLength(2); // the end of stderr is also that of the program
      expect(run.stdout).not.toContain("noise");
    },
  );

  test("with a noisy command, for people", async () => {
    await using model = await fakeModel([noisy(), say("ok")]);
    const run = await runCodex(["exec", "--yolo", "go"], { model });
    expect(run).toMatchObject({ exitCode: 0, stdout: "ok\n" });
    expect(run.stderr).toContain("noise\n");
  });
});
