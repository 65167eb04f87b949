import { expect, test } from "vitest";
import type { Event, EventMsg, FileChanges } from "../../src/protocol/event.ts";
import type { RunOutcome } from "../../src/render/renderer.ts";
import { ThreadRenderer } from "../../src/render/thread-renderer.ts";
import { checkExecLines } from "../support/exec-schema.ts";
import { asEvents, CapturedOutput, command, commandEnd, completed, runSummary, tokenCount } from "./support.ts";

const started: EventMsg = { type: "task_started", model_context_window: null };
const ended: EventMsg = { type: "task_complete", last_agent_message: null };
const threadStarted = `{"type":"thread.started","thread_id":"01a1fd4b-49d0-4491-88eb-a0644606c6fd"}`;
const turnStarted = `{"type":"turn.started"}`;
const noUsage = `{"input_tokens":0,"cached_input_tokens":0,"cache_write_input_tokens":0,"output_tokens":0,"reasoning_output_tokens":0}`;
const turnCompleted = `{"type":"turn.completed","usage":${noUsage}}`;

test("a text answer is four lines", () => {
  const usage = `{"input_tokens":200,"cached_input_tokens":20,"cache_write_input_tokens":0,"output_tokens":40,"reasoning_output_tokens":10}`;
  const lastUsage = `{"input_tokens":100,"cached_input_tokens":10,"cache_write_input_tokens":0,"output_tokens":20,"reasoning_output_tokens":5}`;
  const msgs: readonly EventMsg[] = [
    started,
    { type: "agent_message_delta", delta: "All done." },
    { type: "agent_message", message: "All done." },
    tokenCount(2),
    { type: "task_complete", last_agent_message: "All done." },
    { type: "shutdown_complete" },
  ];
  expect(linesOf(asEvents(msgs))).toEqual([
    threadStarted,
    turnStarted,
    `{"type":"item.completed","item":{"id":"item_0","type":"agent_message","text":"All done."}}`,
    `{"type":"turn.completed","usage":${usage},"last_usage":${lastUsage}}`,
  ]);
});

test.each([
  { exitCode: 0, status: "completed" },
  { exitCode: 3, status: "failed" },
])("a command that exits $exitCode has $status", ({ exitCode, status }) => {
  const item = `{"id":"item_0","type":"command_execution","command":"bash -lc 'echo x; exit 3'"`;
  expect(
    itemsOf([
      command("c", ["bash", "-lc", "echo x; exit 3"]),
      { type: "exec_command_output_delta", call_id: "c", stream: "stdout", chunk: "eAo=" },
      commandEnd("c", { exitCode, output: "x\n" }),
    ]),
  ).toEqual([
    `{"type":"item.started","item":${item},"aggregated_output":"","exit_code":null,"status":"in_progress"}}`,
    `{"type":"item.completed","item":${item},"aggregated_output":"x\\n","exit_code":${exitCode},"status":"${status}"}}`,
  ]);
});

test("a command that is still running when the turn ends is not completed", () => {
  expect(itemsOf([command("c", ["sleep", "9"])])).toHaveLength(1);
});

test.each([
  { success: true, status: "completed" },
  { success: false, status: "failed" },
])("a patch whose success is $success has $status", ({ success, status }) => {
  const changes: FileChanges = {
    "/ws/n.txt": { add: { content: "n\n" } },
    "/ws/b.txt": { update: { unified_diff: "@@ -1 +1 @@\n-a\n+b\n", move_path: "/ws/c.txt" } },
    "/ws/d.txt": { delete: { content: "d\n" } },
  };
  const item = `{"id":"item_0","type":"file_change","changes":[{"path":"/ws/b.txt","kind":"update"},{"path":"/ws/d.txt","kind":"delete"},{"path":"/ws/n.txt","kind":"add"}]`;
  expect(
    itemsOf([
      { type: "patch_apply_begin", call_id: "p", auto_approved: true, changes },
      { type: "patch_apply_end", call_id: "p", stdout: "", stderr: "", success },
      { type: "turn_diff", unified_diff: "" },
    ]),
  ).toEqual([
    `{"type":"item.started","item":${item},"status":"in_progress"}}`,
    `{"type":"item.completed","item":${item},"status":"${status}"}}`,
  ]);
});

const content = [{ type: "text", text: "you said yo" }];
const contentJson = `[{"type":"text","text":"you said yo"}]`;

test.each([
  {
    name: "success",
    result: { Ok: { content } },
    end: `"result":{"content":${contentJson},"structured_content":null},"error":null,"status":"completed"`,
  },
  {
    name: "isError",
    result: { Ok: { content, isError: true } },
    end: `"result":{"content":${contentJson},"structured_content":null},"error":null,"status":"failed"`,
  },
  {
    name: "structured content",
    result: { Ok: { content: [], structuredContent: { n: 1 } } },
    end: `"result":{"content":[],"structured_content":{"n":1}},"error":null,"status":"completed"`,
  },
  {
    name: "an RPC error",
    result: { Err: "kaput" },
    end: `"result":null,"error":{"message":"kaput"},"status":"failed"`,
  },
])("an MCP call with $name", ({ result, end }) => {
  const invocation = { server: "tst", tool: "echo", arguments: { msg: "yo" } };
  const item = `{"id":"item_0","type":"mcp_tool_call","server":"tst","tool":"echo","arguments":{"msg":"yo"}`;
  expect(
    itemsOf([
      { type: "mcp_tool_call_begin", call_id: "m", invocation },
      { type: "mcp_tool_call_end", call_id: "m", invocation, duration: { secs: 0, nanos: 0 }, result },
    ]),
  ).toEqual([
    `{"type":"item.started","item":${item},"result":null,"error":null,"status":"in_progress"}}`,
    `{"type":"item.completed","item":${item},${end}}}`,
  ]);
});

test("a plan is updated, and completed just before the turn", () => {
  const list = (done: boolean) =>
    `{"id":"item_0","type":"todo_list","items":[{"text":"a","completed":${done}},{"text":"b","completed":false}]}`;
  expect(
    linesOf(
      asEvents([
        started,
        plan("in_progress", "pending"),
        plan("completed", "in_progress"),
        { type: "agent_message", message: "All done." },
        ended,
      ]),
    ),
  ).toEqual([
    threadStarted,
    turnStarted,
    `{"type":"item.started","item":${list(false)}}`,
    `{"type":"item.updated","item":${list(true)}}`,
    `{"type":"item.completed","item":{"id":"item_1","type":"agent_message","text":"All done."}}`,
    `{"type":"item.completed","item":${list(true)}}`,
    turnCompleted,
  ]);
});

test("a web search has one id", () => {
  const lines = itemsOf([
    { type: "web_search_begin", call_id: "ws_1" },
    { type: "web_search_end", call_id: "ws_1", query: "q" },
    { type: "web_search_end", call_id: "ws_2", query: "r" },
  ]);
  expect(lines).toEqual([
    `{"type":"item.started","item":{"id":"item_0","type":"web_search","query":"","action":{"type":"other"}}}`,
    `{"type":"item.completed","item":{"id":"item_0","type":"web_search","query":"q","action":{"type":"search","query":"q"}}}`,
    `{"type":"item.completed","item":{"id":"item_1","type":"web_search","query":"r","action":{"type":"search","query":"r"}}}`,
  ]);
});

const again = `{"type":"error","message":"again"}`;

test("a retry that helps is an error line in a good run", () => {
  const events = asEvents([started, { type: "stream_error", message: "again" }, ended]);
  expect(linesOf(events)).toEqual([threadStarted, turnStarted, again, turnCompleted]);
});

test.each<{ name: string; msgs: readonly EventMsg[]; outcome: RunOutcome; lines: readonly string[] }>([
  {
    name: "retries that do not help",
    msgs: [
      { type: "stream_error", message: "again" },
      { type: "error", message: "broken off" },
    ],
    outcome: { exitCode: 1, lastAgentMessage: null, reason: "failed" },
    lines: [
      again,
      `{"type":"error","message":"broken off"}`,
      `{"type":"turn.failed","error":{"message":"broken off"}}`,
    ],
  },
  {
    name: "a refused request",
    msgs: [{ type: "error", message: `{"error":{"message":"bad"}}` }],
    outcome: { exitCode: 1, lastAgentMessage: null, reason: "failed" },
    lines: [
      `{"type":"error","message":"{\\"error\\":{\\"message\\":\\"bad\\"}}"}`,
      `{"type":"turn.failed","error":{"message":"{\\"error\\":{\\"message\\":\\"bad\\"}}"}}`,
    ],
  },
  {
    name: "a failure without a word",
    msgs: [],
    outcome: { exitCode: 1, lastAgentMessage: null, reason: "failed" },
    lines: [`{"type":"turn.failed","error":{"message":"the task did not complete"}}`],
  },
  {
    name: "an interrupt",
    msgs: [{ type: "turn_aborted", reason: "interrupted" }],
    outcome: { exitCode: 130, lastAgentMessage: null, reason: "interrupted" },
    lines: [`{"type":"turn.failed","error":{"message":"interrupted"}}`],
  },
  {
    name: "a limit",
    msgs: [{ type: "error", message: "no more than 3 turns", code: "turn_limit" }],
    outcome: { exitCode: 3, lastAgentMessage: "half", reason: "limit" },
    lines: [
      `{"type":"error","message":"no more than 3 turns","code":"turn_limit"}`,
      `{"type":"turn.failed","error":{"message":"no more than 3 turns","code":"turn_limit"}}`,
    ],
  },
])("the end of a turn after $name", ({ msgs, outcome, lines }) => {
  expect(linesOf(asEvents([started, ...msgs, ended]), outcome)).toEqual([threadStarted, turnStarted, ...lines]);
});

test.each<{ name: string; msgs: readonly EventMsg[]; lines: readonly string[] }>([
  {
    name: "the parts of one item are joined",
    msgs: [
      { type: "agent_reasoning_section_break" },
      { type: "agent_reasoning_delta", delta: "One" },
      { type: "agent_reasoning", text: "One" },
      { type: "agent_reasoning", text: "Two" },
    ],
    lines: [`{"type":"item.completed","item":{"id":"item_0","type":"reasoning","text":"One\\nTwo"}}`],
  },
  {
    name: "a blank summary is no item",
    msgs: [
      { type: "agent_reasoning", text: " " },
      { type: "agent_message", message: "All done." },
    ],
    lines: [`{"type":"item.completed","item":{"id":"item_0","type":"agent_message","text":"All done."}}`],
  },
  {
    name: "two items stay apart",
    msgs: [
      { type: "agent_reasoning", text: "One" },
      { type: "agent_reasoning_section_break" },
      { type: "agent_reasoning", text: "Two" },
    ],
    lines: [
      `{"type":"item.completed","item":{"id":"item_0","type":"reasoning","text":"One"}}`,
      `{"type":"item.completed","item":{"id":"item_1","type":"reasoning","text":"Two"}}`,
    ],
  },
])("reasoning: $name", ({ msgs, lines }) => {
  expect(itemsOf(msgs)).toEqual(lines);
});

test("a server that did not start is a warning before the turn", () => {
  const warning: Event = { id: "", msg: { type: "error", message: "bad server" } };
  expect(linesOf([warning, ...asEvents([started, ended])])).toEqual([
    threadStarted,
    `{"type":"item.completed","item":{"id":"item_0","type":"error","message":"bad server"}}`,
    turnStarted,
    turnCompleted,
  ]);
});

function plan(a: "in_progress" | "completed", b: "pending" | "in_progress"): EventMsg {
  return {
    type: "plan_update",
    explanation: null,
    plan: [
      { step: "a", status: a },
      { step: "b", status: b },
    ],
  };
}

/** The lines between the beginning and the end of the turn. */
function itemsOf(msgs: readonly EventMsg[]): readonly string[] {
  return linesOf(asEvents([started, ...msgs, ended])).slice(2, -1);
}

function linesOf(events: readonly Event[], outcome = completed): readonly string[] {
  const output = new CapturedOutput();
  const renderer = new ThreadRenderer(output);
  renderer.start(runSummary());
  for (const event of events) renderer.show(event);
  renderer.finish(outcome);
  const lines = output.out.split("\n");
  expect(lines.pop()).toBe("");
  const objects: readonly unknown[] = lines.map((line) => JSON.parse(line));
  expect(objects.map((line) => JSON.stringify(line))).toEqual(lines);
  checkExecLines(objects, "thread");
  return lines;
}
