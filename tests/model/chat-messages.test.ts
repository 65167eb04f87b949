import { expect, test } from "vitest";
import { chatMessages } from "../../src/model/chat-messages.ts";
import type { ResponseItem } from "../../src/protocol/response-item.ts";
import { userMessage } from "../../src/protocol/response-item.ts";
import { problemOf } from "../support/request-check.ts";

const said = (text: string): ResponseItem => ({
  type: "message",
  role: "assistant",
  content: [{ type: "output_text", text }],
});
const thought = (text: string): ResponseItem => ({
  type: "reasoning",
  summary: [{ type: "summary_text", text: "not sent" }],
  content: [{ type: "reasoning_text", text }],
  encrypted_content: null,
});
const call = (call_id: string): ResponseItem => ({ type: "function_call", name: "shell", arguments: "{}", call_id });
const output = (call_id: string): ResponseItem => ({ type: "function_call_output", call_id, output: `of ${call_id}` });

const toolCall = (id: string) => ({ id, type: "function", function: { name: "shell", arguments: "{}" } });
const calling = (...ids: string[]) => ({ role: "assistant", content: null, tool_calls: ids.map(toolCall) });
const answered = (id: string) => ({ role: "tool", tool_call_id: id, content: `of ${id}` });
const user = (content: string) => ({ role: "user", content });
const assistant = (content: string) => ({ role: "assistant", content });

const cases: [string, ResponseItem[], object[]][] = [
  ["texts", [userMessage("a"), said("b"), userMessage("c")], [user("a"), assistant("b"), user("c")]],
  [
    "parts of a text are joined",
    [{ type: "message", role: "user", content: ["a", "b"].map((text) => ({ type: "input_text", text })) }],
    [user("ab")],
  ],
  ["a developer is the system", [{ ...userMessage("a"), role: "developer" }], [{ role: "system", content: "a" }]],
  [
    "images are parts",
    [
      {
        type: "message",
        role: "user",
        content: [
          { type: "input_text", text: "see" },
          { type: "input_image", image_url: "data:x" },
        ],
      },
    ],
    [
      {
        role: "user",
        content: [
          { type: "text", text: "see" },
          { type: "image_url", image_url: { url: "data:x" } },
        ],
      },
    ],
  ],
  ["the same text twice in a row", [said("a"), said("a"), said("b"), said("a")], ["a", "b", "a"].map(assistant)],
  ["a call and its output", [userMessage("a"), call("1"), output("1")], [user("a"), calling("1"), answered("1")]],
  [
    "calls that ran one after the other",
    [call("1"), output("1"), call("2"), output("2")],
    [calling("1"), answered("1"), calling("2"), answered("2")],
  ],
  [
    "calls of one answer are one message",
    [call("1"), call("2"), output("1"), output("2")],
    [calling("1", "2"), answered("1"), answered("2")],
  ],
  ["text before a call", [said("a"), call("1"), output("1")], [{ ...calling("1"), content: "a" }, answered("1")]],
  ["text after a call", [call("1"), said("a"), output("1")], [{ ...calling("1"), content: "a" }, answered("1")]],
  ["text after an output", [call("1"), output("1"), said("a")], [calling("1"), answered("1"), assistant("a")]],
  [
    "input that came between a call and its output",
    [call("1"), userMessage("a"), output("1"), said("b")],
    [calling("1"), answered("1"), user("a"), assistant("b")],
  ],
  [
    "ids that servers use again",
    [call("1"), output("1"), said("a"), call("1"), output("1")],
    [calling("1"), answered("1"), { ...calling("1"), content: "a" }, answered("1")],
  ],
  [
    "a custom call",
    [
      { type: "custom_tool_call", call_id: "1", name: "apply_patch", input: "***" },
      { type: "custom_tool_call_output", call_id: "1", output: "of 1" },
    ],
    [
      { ...calling(), tool_calls: [{ id: "1", type: "custom", custom: { name: "apply_patch", input: "***" } }] },
      answered("1"),
    ],
  ],
  [
    "a local shell call",
    [
      { type: "local_shell_call", call_id: "1", status: "completed", action: { type: "exec", command: ["ls"] } },
      output("1"),
    ],
    [
      {
        ...calling(),
        tool_calls: [
          { id: "1", type: "local_shell_call", status: "completed", action: { type: "exec", command: ["ls"] } },
        ],
      },
      answered("1"),
    ],
  ],
  [
    "reasoning goes to the call behind it",
    [userMessage("a"), thought("hm"), call("1"), output("1")],
    [user("a"), { ...calling("1"), reasoning: "hm" }, answered("1")],
  ],
  [
    "reasoning goes to the text before it",
    [userMessage("a"), said("b"), thought("hm"), call("1"), output("1")],
    [user("a"), { ...calling("1"), content: "b", reasoning: "hm" }, answered("1")],
  ],
  [
    "reasoning of an earlier task",
    [userMessage("a"), thought("hm"), said("b"), userMessage("c")],
    [user("a"), assistant("b"), user("c")],
  ],
  ["reasoning alone", [userMessage("a"), thought("hm")], [user("a")]],
];

test.each(cases)("%s", (_name, input, messages) => {
  const result = chatMessages("Be brief.", input);
  expect(result).toEqual([{ role: "system", content: "Be brief." }, ...messages]);
  expect(problemOf("chat", { model: "m", stream: true, messages: result })).toBeUndefined();
});
