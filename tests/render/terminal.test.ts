import { expect, test } from "vitest";
import type { EventMsg } from "../../src/protocol/event.ts";
import { HumanRenderer } from "../../src/render/human-renderer.ts";
import type { Spinner } from "../../src/render/spinner.ts";
import { CapturedOutput, command, commandEnd, play, tokenCount } from "./support.ts";

const frozenClock = () => Date.UTC(2025, 8, 10, 8, 48, 12);

/** A word before a command, then the answer. */
const twoMessages: readonly EventMsg[] = [
  { type: "task_started", model_context_window: null },
  { type: "agent_message_delta", delta: "Let me see." },
  { type: "agent_message", message: "Let me see." },
  command("c", ["ls"]),
  commandEnd("c", { output: "a.txt\n" }),
  tokenCount(1),
  { type: "agent_message_delta", delta: "All " },
  { type: "agent_message_delta", delta: "done." },
  { type: "agent_message", message: "All done." },
  tokenCount(2),
  { type: "task_complete", last_agent_message: "All done." },
];

test.each([
  { terminals: "", out: "All done.\n", messagesInLog: true },
  { terminals: "stderr", out: "All done.\n", messagesInLog: true },
  { terminals: "stdout", out: "All done.\n", messagesInLog: true },
  { terminals: "both", out: "Let me see.\nAll done.\n", messagesInLog: false },
] as const)("stdout and log when the terminals are: $terminals", ({ terminals, out, messagesInLog }) => {
  const output = new CapturedOutput({ terminals });
  play(new HumanRenderer(output, { now: frozenClock }), twoMessages);
  expect(output.out).toBe(out);
  expect(output.err.includes("Let me see.") && output.err.includes("All done.")).toBe(messagesInLog);
});

test("on a terminal the answer stands once, in its place in the log", () => {
  const output = new CapturedOutput({ terminals: "both" });
  play(new HumanRenderer(output, { now: frozenClock }), twoMessages);
  expect(output.screen.slice(output.screen.indexOf("do it\n"))).toMatchInlineSnapshot(`
    "do it
    [2025-09-10T08:48:12] codex

    Let me see.
    [2025-09-10T08:48:12] exec ls in /ws
    [2025-09-10T08:48:12] ls succeeded in 6ms:
    a.txt
    [2025-09-10T08:48:12] tokens used: 110
    [2025-09-10T08:48:12] codex

    All done.
    [2025-09-10T08:48:12] tokens used: 220
    [2025-09-10T08:48:12] completed in 0ms: 220 tokens, 1 command
    "
  `);
});

test("on a terminal a message that was not streamed is shown as well", () => {
  const output = new CapturedOutput({ terminals: "both" });
  play(new HumanRenderer(output, { now: frozenClock }), [{ type: "agent_message", message: "All done." }]);
  expect(output.out).toBe("All done.\n");
});

const attack = "\u001b[2J\u001b]0;owned\u0007a\u009b31mb\u0008c\r\n\td";

test("no control character reaches a terminal, whatever it stands in", () => {
  const output = new CapturedOutput({ terminals: "both" });
  const invocation = { server: attack, tool: attack, arguments: { [attack]: attack } };
  const duration = { secs: 0, nanos: 0 };
  const changes = {
    [attack]: { add: { content: attack } },
    [`${attack}2`]: { delete: { content: attack } },
    [`${attack}3`]: { update: { unified_diff: `@@ -1 +1 @@\n-${attack}\n+${attack}\n`, move_path: attack } },
  };
  play(
    new HumanRenderer(output, { now: frozenClock }),
    [
      ...[...attack].map((delta): EventMsg => ({ type: "agent_message_delta", delta })),
      { type: "agent_message", message: attack },
      { type: "agent_reasoning", text: attack },
      { type: "agent_message", message: attack },
      command("c", ["bash", "-lc", attack]),
      commandEnd("c", { output: attack, exitCode: 1 }),
      { type: "patch_apply_begin", call_id: "p", auto_approved: true, changes },
      { type: "patch_apply_end", call_id: "p", stdout: attack, stderr: attack, success: true },
      { type: "turn_diff", unified_diff: attack },
      { type: "mcp_tool_call_begin", call_id: "m", invocation },
      { type: "mcp_tool_call_end", call_id: "m", invocation, duration, result: { Err: attack } },
      { type: "web_search_end", call_id: "w", query: attack },
      { type: "plan_update", explanation: attack, plan: [{ step: attack, status: "pending" }] },
      { type: "error", message: attack },
      { type: "stream_error", message: attack },
    ],
    { exitCode: 0, lastAgentMessage: attack, reason: "completed" },
  );
  expect(output.screen.match(/[^\P{Cc}\n\t]/gu)).toBeNull();
});

test("a program that reads stdout gets the answer unchanged, a terminal does not", () => {
  const outcome = { exitCode: 0, lastAgentMessage: attack, reason: "completed" } as const;
  const pipe = new CapturedOutput({ terminals: "stderr" });
  play(new HumanRenderer(pipe), [], outcome);
  const terminal = new CapturedOutput({ terminals: "stdout" });
  play(new HumanRenderer(terminal), [], outcome);
  expect([pipe.out, terminal.out]).toEqual([`${attack}\n`, "abc\n\td\n"]);
});

test("the spinner waits for the model and for calls, and makes room for text", () => {
  const calls: string[] = [];
  const spinner: Spinner = {
    wait: (what) => calls.push(`wait: ${what}`),
    clear: () => calls.push("clear"),
    stop: () => calls.push("stop"),
  };
  const output = new CapturedOutput({ terminals: "both" });
  play(new HumanRenderer(output, { spinner }), [
    { type: "task_started", model_context_window: null },
    command("c", ["npm", "test"]),
    commandEnd("c"),
    { type: "agent_message_delta", delta: "All done." },
    { type: "agent_message", message: "All done." },
    { type: "task_complete", last_agent_message: "All done." },
  ]);
  expect(calls).toEqual([
    "wait: Waiting for the model",
    "wait: Running npm test",
    "wait: Waiting for the model",
    "stop",
    "clear", // the header is written, on stderr
    "wait: Waiting for the model",
    "stop",
    "stop",
    "clear", // the answer, on stdout
    "clear", // the summary
  ]);
});
