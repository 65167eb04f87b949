import { expect, test } from "vitest";
import { callShell, fakeModel, say } from "../support/fake-model.ts";

async function ask(url: string, body: object): Promise<{ status: number; text: string }> {
  const response = await fetch(url, { method: "POST", body: JSON.stringify({ model: "m", stream: true, ...body }) });
  return { status: response.status, text: await response.text() };
}

const call = { type: "function_call", name: "shell", arguments: "{}", call_id: "c" };
const output = { type: "function_call_output", call_id: "c", output: "" };

test("takes one step a request, on either wire", async () => {
  await using model = await fakeModel([say("hi"), callShell(["true"])]);
  const first = await ask(`${model.url}/responses`, { input: [] });
  const second = await ask(`${model.url}/chat/completions`, { messages: [] });
  expect(first.text).toContain('"type":"response.output_text.delta"');
  expect(second.text).toContain('"name":"shell"');
  expect(model.requests.map((request) => request.path)).toEqual(["/v1/responses", "/v1/chat/completions"]);
});

test.each([
  ["an output without its call", [output]],
  ["a call without its output", [call]],
  ["a call answered twice", [call, output, output]],
  ["an output of the wrong kind", [call, { ...output, type: "custom_tool_call_output" }]],
  ["a server's id", [{ type: "message", role: "user", content: [], id: "msg_1" }]],
])("refuses %s", async (_name, input) => {
  const model = await fakeModel([say("hi")]);
  expect(await ask(`${model.url}/responses`, { input })).toMatchObject({ status: 400 });
  await expect(model.close()).rejects.toThrow("asked the impossible");
});

const toolCalls = { role: "assistant", content: null, tool_calls: [{ id: "a" }, { id: "b" }] };
const answer = (id: string) => ({ role: "tool", tool_call_id: id, content: "" });

test.each([
  ["a text between call and answer", [toolCalls, answer("a"), { role: "user", content: "x" }, answer("b")]],
  ["a tool message without its call", [answer("a")]],
  ["a call without a tool message", [toolCalls, answer("a")]],
  ["two answers", [toolCalls, answer("a"), answer("a"), answer("b")]],
])("refuses %s on the chat wire", async (_name, messages) => {
  const model = await fakeModel([say("hi")]);
  expect(await ask(`${model.url}/chat/completions`, { messages })).toMatchObject({ status: 400 });
  await expect(model.close()).rejects.toThrow("asked the impossible");
});

test("refuses a request beyond the script unless the last step repeats", async () => {
  const strict = await fakeModel([]);
  expect(await ask(`${strict.url}/responses`, { input: [] })).toMatchObject({ status: 400 });
  await expect(strict.close()).rejects.toThrow("the script has only 0 steps");

  await using lenient = await fakeModel([say("again")], { lenient: true, repeatLast: true });
  await ask(`${lenient.url}/responses`, { input: [output] });
  expect(await ask(`${lenient.url}/responses`, { input: [output] })).toMatchObject({ status: 200 });
});
