import { expect, test } from "vitest";
import type { ResponseItem } from "../../src/protocol/response-item.ts";
import { userMessage } from "../../src/protocol/response-item.ts";
import { withMissingOutputs } from "../../src/rollout/answer-calls.ts";

const say = userMessage("hi");
const call = (call_id: string): ResponseItem => ({ type: "function_call", name: "shell", arguments: "{}", call_id });
const custom = (call_id: string): ResponseItem => ({
  type: "custom_tool_call",
  name: "apply_patch",
  input: "",
  call_id,
});
const local = (call_id: string): ResponseItem => ({
  type: "local_shell_call",
  call_id,
  status: "completed",
  action: { type: "exec", command: ["ls"] },
});
const output = (call_id: string, text = "ok"): ResponseItem => ({
  type: "function_call_output",
  call_id,
  output: text,
});
const customOutput = (call_id: string, text = "ok"): ResponseItem => ({
  type: "custom_tool_call_output",
  call_id,
  output: text,
});

test.each<[name: string, items: readonly ResponseItem[], expected: readonly ResponseItem[]]>([
  [
    "each kind of call gets its kind of output right behind it",
    [say, call("a"), custom("b"), local("c"), say],
    [
      say,
      call("a"),
      output("a", "aborted"),
      custom("b"),
      customOutput("b", "aborted"),
      local("c"),
      output("c", "aborted"),
      say,
    ],
  ],
  [
    "the one of two calls without an output",
    [call("a"), call("b"), output("a")],
    [call("a"), call("b"), output("b", "aborted"), output("a")],
  ],
  ["an output of the wrong kind is none", [custom("a"), output("a")], [custom("a"), customOutput("a", "aborted")]],
  [
    "an id that comes twice: the output belongs to the later call",
    [call("a"), say, call("a"), output("a")],
    [call("a"), output("a", "aborted"), say, call("a"), output("a")],
  ],
  ["an output before its call", [output("a"), call("a")], [call("a"), output("a", "aborted")]],
  ["a second output", [call("a"), output("a"), output("a", "aborted")], [call("a"), output("a")]],
  ["an output without a call", [say, customOutput("x")], [say]],
])("%s", (_, items, expected) => {
  const repaired = withMissingOutputs(items);
  expect(repaired).toEqual(expected);
  expect(withMissingOutputs(repaired)).toBe(repaired);
});

test.each<[name: string, items: readonly ResponseItem[]]>([
  ["nothing", []],
  ["messages", [say, say]],
  ["answered calls", [call("a"), call("b"), output("b"), output("a"), custom("a"), customOutput("a")]],
  ["repeated ids", [call("a"), output("a"), call("a"), output("a"), call("a"), call("a"), output("a"), output("a")]],
])("a history in order comes back as it is: %s", (_, items) => {
  expect(withMissingOutputs(items)).toBe(items);
});

test("a long history takes linear time", () => {
  const items = Array.from({ length: 100_000 }, (_, index) => call(`call_${index % 10}`));
  expect(withMissingOutputs(items)).toHaveLength(200_000);
});
