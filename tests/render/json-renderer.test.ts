import { expect, test } from "vitest";
import type { Event, EventMsg } from "../../src/protocol/event.ts";
import { JsonRenderer } from "../../src/render/json-renderer.ts";
import type { ShownConfig } from "../../src/render/renderer.ts";
import { checkExecLines } from "../support/exec-schema.ts";
import { CapturedOutput, command, commandEnd, completed, play, runSummary, tokenCount } from "./support.ts";

const settings = `{"workdir":"/ws","model":"mock-model","provider":"mock","approval":"never","sandbox":"workspace-write [workdir, /tmp, $TMPDIR]"`;
const id = `,"session id":"01a1fd4b-49d0-4491-88eb-a0644606c6fd"}`;

test("the first two lines have fixed keys in a fixed order", () => {
  expect(linesOf([])).toEqual([`${settings}${id}`, `{"prompt":"do it"}`]);
});

const reasoningModel = { supportsReasoning: true };

test.each<{ name: string; config: Partial<ShownConfig>; hasKeys: boolean }>([
  { name: "a reasoning model on the Responses wire", config: { modelFamily: reasoningModel }, hasKeys: true },
  { name: "another model on the Responses wire", config: {}, hasKeys: false },
  {
    name: "a reasoning model on the Chat wire",
    config: { modelFamily: reasoningModel, modelProvider: { wireApi: "chat" } },
    hasKeys: false,
  },
])("reasoning settings for $name", ({ config, hasKeys }) => {
  const output = new CapturedOutput();
  const renderer = new JsonRenderer(output);
  renderer.start(runSummary(config));
  renderer.finish();
  const keys = hasKeys ? `,"reasoning effort":"medium","reasoning summaries":"auto"` : "";
  expect(output.out.split("\n")[0]).toBe(`${settings}${keys}${id}`);
});

const unprinted: readonly EventMsg[] = [
  {
    type: "session_configured",
    session_id: "01a1fd4b-49d0-4491-88eb-a0644606c6fd",
    model: "mock-model",
    history_log_id: 0,
    history_entry_count: 0,
    rollout_path: "/home/me/.codex/sessions/x.jsonl",
  },
  { type: "agent_message_delta", delta: "A" },
  { type: "agent_reasoning_delta", delta: "A" },
  { type: "task_complete", last_agent_message: "A" },
  { type: "shutdown_complete" },
];

test.each(unprinted)("$type is not printed", (msg) => {
  expect(linesOf([msg])).toHaveLength(2);
});

const invocation = { server: "tst", tool: "echo", arguments: { msg: "yo" } };
const changes = { "/ws/a.txt": { add: { content: "a\n" } } };

const printed: readonly EventMsg[] = [
  { type: "task_started", model_context_window: null },
  { type: "agent_reasoning_section_break" },
  { type: "agent_reasoning", text: "**T** x" },
  { type: "agent_reasoning_raw_content_delta", delta: "raw" },
  { type: "agent_reasoning_raw_content", text: "raw" },
  { type: "stream_error", message: "again" },
  { type: "background_event", message: "notice" },
  command("c", ["bash", "-lc", "echo '\u001b[31m'"]),
  { type: "exec_command_output_delta", call_id: "c", stream: "stderr", chunk: "ZXJyCg==" },
  commandEnd("c", { output: "err\n" }),
  { type: "patch_apply_begin", call_id: "p", auto_approved: true, changes },
  { type: "patch_apply_end", call_id: "p", stdout: "ok", stderr: "", success: true },
  { type: "mcp_tool_call_begin", call_id: "m", invocation },
  {
    type: "mcp_tool_call_end",
    call_id: "m",
    invocation,
    duration: { secs: 0, nanos: 1 },
    result: { Ok: { content: [] } },
  },
  { type: "web_search_begin", call_id: "w" },
  { type: "web_search_end", call_id: "w", query: "q" },
  { type: "plan_update", explanation: null, plan: [{ step: "a", status: "pending" }] },
  { type: "agent_message", message: "All done.\u2028" },
  tokenCount(1),
  { type: "turn_diff", unified_diff: "diff --git a/a.txt b/a.txt\n" },
  { type: "turn_aborted", reason: "interrupted" },
  { type: "error", message: "it broke" },
];

test("every other event is one line, in the order of the events", () => {
  const output = new CapturedOutput({ terminals: "both", hasColour: true });
  play(new JsonRenderer(output), printed);
  const lines = output.out.split("\n");
  expect(lines.pop()).toBe("");
  expect(lines.slice(2).map((line): unknown => JSON.parse(line))).toEqual(printed.map((msg) => ({ id: "0", msg })));
  expect(output.err).toBe("");
});

test("an event keeps its own id", () => {
  const event: Event = { id: "", msg: { type: "error", message: "MCP client for `bad` failed to start" } };
  const output = new CapturedOutput();
  const renderer = new JsonRenderer(output);
  renderer.show(event);
  renderer.finish();
  expect(output.out).toBe(`{"id":"","msg":{"type":"error","message":"MCP client for \`bad\` failed to start"}}\n`);
});

test("reasoning is printed although people are not to see it", () => {
  const output = new CapturedOutput();
  const renderer = new JsonRenderer(output);
  renderer.start(runSummary({ hideAgentReasoning: true }));
  renderer.show({ id: "0", msg: { type: "agent_reasoning", text: "x" } });
  renderer.finish();
  expect(output.out.split("\n")[2]).toBe(`{"id":"0","msg":{"type":"agent_reasoning","text":"x"}}`);
});

test.each([
  { name: "a good run", msgs: [{ type: "agent_message", message: "A" }, tokenCount(1)], last: "token_count" },
  {
    name: "a good run that changed files",
    msgs: [tokenCount(1), { type: "turn_diff", unified_diff: "" }],
    last: "turn_diff",
  },
  { name: "a failed run", msgs: [{ type: "error", message: "it broke" }], last: "error" },
] satisfies { name: string; msgs: EventMsg[]; last: string }[])("the last line of $name", ({ msgs, last }) => {
  const lines = linesOf([...msgs, { type: "task_complete", last_agent_message: null }, { type: "shutdown_complete" }]);
  expect(JSON.parse(lines.at(-1) ?? "")).toMatchObject({ msg: { type: last } });
});

function linesOf(msgs: readonly EventMsg[]): readonly string[] {
  const output = new CapturedOutput();
  play(new JsonRenderer(output), msgs, completed);
  const lines = output.out.trimEnd().split("\n");
  checkExecLines(
    lines.map((line) => JSON.parse(line)),
    "json",
  );
  return lines;
}
