import { expect, test } from "vitest";
import type { ToolDefinition } from "../../src/protocol/tool-definition.ts";
import { fakeModel, type ModelStep, say } from "../support/fake-model.ts";
import { type Answer, ask, type ClientChanges, clientAt, itemsOf } from "./ask.ts";

const overChat = (url: string, changes: ClientChanges = {}) =>
  clientAt(url, { ...changes, provider: { wireApi: "chat", ...changes.provider } });

async function answerTo(step: ModelStep, changes: ClientChanges = {}): Promise<Answer> {
  await using model = await fakeModel([step]);
  return await ask(overChat(model.url, changes));
}

const sse = (part: object) => `data: ${JSON.stringify(part)}\n\n`;
const chunk = (delta: object, finish_reason: string | null = null) =>
  sse({ id: "c1", choices: [{ index: 0, delta, finish_reason }] });
const doneLine = "data: [DONE]\n\n";
const pieces = (...tool_calls: object[]) => chunk({ tool_calls });

const message = (text: string) => ({ type: "message", role: "assistant", content: [{ type: "output_text", text }] });
const call = (call_id: string, args: string, name = "shell") => ({
  type: "function_call",
  name,
  arguments: args,
  call_id,
});
const thought = (text: string) => ({
  type: "reasoning",
  summary: [],
  content: [{ type: "reasoning_text", text }],
  encrypted_content: null,
});

const shell: ToolDefinition = {
  type: "function",
  name: "shell",
  description: "Runs a command.",
  strict: false,
  parameters: { type: "object" },
};

test("the request has the fields of the wire, and function tools only", async () => {
  await using model = await fakeModel([say("hi")]);
  await ask(overChat(model.url), { tools: [{ type: "local_shell" }, shell, { type: "web_search" }] });
  const [received] = model.requests;
  expect(received?.path).toBe("/v1/chat/completions");
  const { name, description, parameters, strict } = shell;
  expect(JSON.stringify(received?.body)).toBe(
    JSON.stringify({
      model: "gpt-5",
      messages: [
        { role: "system", content: "Be brief." },
        { role: "user", content: "hi" },
      ],
      stream: true,
      tools: [{ type: "function", function: { name, description, parameters, strict } }],
      stream_options: { include_usage: true },
    }),
  );
});

test("no tools at all are no empty list", async () => {
  await using model = await fakeModel([say("hi")]);
  await ask(overChat(model.url));
  expect(model.requests[0]?.body).not.toHaveProperty("tools");
});

test("only the headers of the wire", async () => {
  await using model = await fakeModel([say("hi")]);
  await ask(overChat(model.url));
  const {
    host,
    connection,
    "content-length": length,
    "user-agent": agent,
    ...headers
  } = model.requests[0]?.headers ?? {};
  expect(headers).toEqual({
    accept: "text/event-stream",
    "content-type": "application/json",
    originator: "codex_cli_rs",
  });
});

test("text comes as one message, deltas only when raw reasoning is shown", async () => {
  const step = say("Hello", { deltas: ["Hel", "lo"], reasoning: ["hm", "m"] });
  const end = [
    { type: "item", item: thought("hmm") },
    { type: "item", item: message("Hello") },
    { type: "completed", response_id: "chatcmpl-1", usage: null },
  ];
  expect(await answerTo(step)).toEqual({ events: end, error: undefined });
  expect((await answerTo(step, { showRawReasoning: true })).events).toEqual([
    { type: "raw_reasoning_delta", delta: "hm" },
    { type: "raw_reasoning_delta", delta: "m" },
    { type: "text_delta", delta: "Hel" },
    { type: "text_delta", delta: "lo" },
    ...end,
  ]);
});

test("the usage that follows the answer is counted, and ends it", async () => {
  const usage = { input: 100, cached: 10, output: 20, reasoning: 5 };
  expect((await answerTo(say("hi", { usage, keepOpen: true }))).events.at(-1)).toEqual({
    type: "completed",
    response_id: "chatcmpl-1",
    usage: {
      input_tokens: 100,
      cached_input_tokens: 10,
      output_tokens: 20,
      reasoning_output_tokens: 5,
      total_tokens: 120,
    },
  });
});

test.each([
  ["a text", { reasoning: "a" }],
  ["an object with text", { reasoning: { text: "a" } }],
  ["an object with content", { reasoning: { content: "a" } }],
  ["another name", { reasoning_content: "a" }],
  ["both names", { reasoning: "a", reasoning_content: "a" }],
])("reasoning as %s", async (_name, delta) => {
  expect(itemsOf(await answerTo({ raw: [chunk(delta), chunk({ content: "b" }, "stop")] }))).toEqual([
    thought("a"),
    message("b"),
  ]);
});

test("reasoning in a message beside the delta", async () => {
  const choice = { index: 0, delta: {}, message: { reasoning: "a" }, finish_reason: "stop" };
  expect(itemsOf(await answerTo({ raw: [sse({ choices: [choice] }), doneLine] }))).toEqual([thought("a")]);
});

test("arguments in five fragments", async () => {
  const raw = [
    pieces({ index: 0, id: "c", type: "function", function: { name: "shell", arguments: "" } }),
    ...['{"com', 'mand":', '["a', '"]', "}"].map((part) => pieces({ index: 0, function: { arguments: part } })),
    chunk({}, "tool_calls"),
    doneLine,
  ];
  expect(itemsOf(await answerTo({ raw }))).toEqual([call("c", '{"command":["a"]}')]);
});

const first = { id: "a", function: { name: "shell", arguments: '{"x":' } };
const second = { id: "b", function: { name: "shell", arguments: '{"y":' } };
const rest = (number: number) => ({ function: { arguments: `${number}}` } });

test.each([
  [
    "an index each, one after the other",
    [[{ index: 0, ...first }], [{ index: 0, ...rest(1) }], [{ index: 1, ...second }], [{ index: 1, ...rest(2) }]],
  ],
  [
    "an index each, mixed",
    [[{ index: 0, ...first }], [{ index: 1, ...second }], [{ index: 1, ...rest(2) }], [{ index: 0, ...rest(1) }]],
  ],
  [
    "an index each, in one chunk",
    [
      [
        { index: 0, ...first },
        { index: 1, ...second },
      ],
      [
        { index: 0, ...rest(1) },
        { index: 1, ...rest(2) },
      ],
    ],
  ],
  [
    "all with index 0",
    [[{ index: 0, ...first }], [{ index: 0, ...rest(1) }], [{ index: 0, ...second }], [{ index: 0, ...rest(2) }]],
  ],
  ["ids alone", [[first], [second], [{ id: "b", ...rest(2) }], [{ id: "a", ...rest(1) }]]],
  ["an id at the start, nothing later", [[first], [rest(1)], [second], [rest(2)]]],
])("two calls are two calls: %s", async (_name, chunks) => {
  const raw = [...chunks.map((list) => pieces(...list)), chunk({}, "tool_calls"), doneLine];
  expect(itemsOf(await answerTo({ raw }))).toEqual([call("a", '{"x":1}'), call("b", '{"y":2}')]);
});

test("calls without any id get one each", async () => {
  const whole = { function: { name: "shell", arguments: { command: ["a"] } } };
  const items = itemsOf(await answerTo({ raw: [pieces(whole, whole), chunk({}, "stop"), doneLine] }));
  const expected = { type: "function_call", name: "shell", arguments: '{"command":["a"]}' };
  expect(items).toEqual([1, 2].map(() => ({ ...expected, call_id: expect.stringMatching(/^call_\w{10,}$/) })));
  expect(new Set(items.map((item) => JSON.stringify(item))).size).toBe(2);
});

test("a call in the shape of old", async () => {
  const raw = [
    chunk({ function_call: { name: "shell", arguments: '{"a"' } }),
    chunk({ function_call: { arguments: ":1}" } }, "function_call"),
    doneLine,
  ];
  expect(itemsOf(await answerTo({ raw }))).toMatchObject([{ name: "shell", arguments: '{"a":1}' }]);
});

test("no arguments at all are an empty object", async () => {
  const raw = [pieces({ index: 0, id: "c", function: { name: "list" } }), chunk({}, "tool_calls"), doneLine];
  expect(itemsOf(await answerTo({ raw }))).toEqual([call("c", "{}", "list")]);
});

test.each(["stop", "length", "tool_calls", ""])(
  "a call is handed over whatever the finish reason: %j",
  async (reason) => {
    const raw = [
      pieces({ index: 0, id: "c", function: { name: "shell", arguments: "{}" } }),
      chunk({}, reason),
      doneLine,
    ];
    expect(await answerTo({ raw })).toMatchObject({
      events: [{ type: "call_started" }, { item: call("c", "{}") }, { type: "completed" }],
      error: undefined,
    });
  },
);

test("a call that was cut off is an error, one that the model finished badly is not", async () => {
  const broken = pieces({ index: 0, id: "c", function: { name: "shell", arguments: '{"com' } });
  expect((await answerTo({ raw: [broken, chunk({}, "length"), doneLine] })).error).toMatchObject({
    message: "stream disconnected before completion: a tool call was cut off (finish reason: length)",
    isRetryable: true,
  });
  expect(itemsOf(await answerTo({ raw: [broken, chunk({}, "tool_calls"), doneLine] }))).toEqual([call("c", '{"com')]);
});

test("text and calls keep the model's order", async () => {
  const piece = pieces({ index: 0, id: "c", function: { name: "shell", arguments: "{}" } });
  const text = chunk({ content: "I look." });
  expect(itemsOf(await answerTo({ raw: [text, piece, chunk({}, "tool_calls"), doneLine] }))).toEqual([
    message("I look."),
    call("c", "{}"),
  ]);
  expect(itemsOf(await answerTo({ raw: [piece, text, chunk({}, "tool_calls"), doneLine] }))).toEqual([
    call("c", "{}"),
    message("I look."),
  ]);
});

test.each([
  ["cut by the length", [chunk({ content: "half" }), chunk({}, "length"), doneLine]],
  ["no [DONE]", [chunk({ content: "half" }, "stop")]],
  ["no [DONE] and no finish reason", [chunk({ content: "half" })]],
  [
    "content in parts",
    [
      chunk(
        {
          content: [
            { type: "text", text: "ha" },
            { type: "text", text: "lf" },
          ],
        },
        "stop",
      ),
    ],
  ],
  ["a refusal", [chunk({ refusal: "half" }, "stop")]],
  ["a finish reason in every chunk", [chunk({ content: "half" }, ""), chunk({}, "stop")]],
  ["garbage between", ["data: {\n\n", chunk({ content: "half" }), "data: []\n\n", sse({ choices: [] }), doneLine]],
  [
    "a message instead of deltas",
    [sse({ choices: [{ message: { role: "assistant", content: "half" }, finish_reason: "stop" }] })],
  ],
  [
    "a document instead of a stream",
    [JSON.stringify({ choices: [{ message: { content: "half" }, finish_reason: "stop" }] })],
  ],
])("the text is the answer: %s", async (_name, raw) => {
  const answer = await answerTo({ raw });
  expect(answer.error).toBeUndefined();
  expect(itemsOf(answer)).toEqual([message("half")]);
  expect(answer.events.at(-1)).toMatchObject({ type: "completed" });
});

test.each([
  [{ error: { message: "boom", code: 500 } }, "boom"],
  [{ error: "boom" }, "boom"],
  [{ error: {} }, "response.failed event received"],
])("an error object is an error: %j", async (part, text) => {
  const { error } = await answerTo({ raw: [chunk({ content: "x" }), sse(part), doneLine] });
  expect(error).toMatchObject({ message: `stream disconnected before completion: ${text}`, isRetryable: true });
});

test.each([
  ["nothing", []],
  ["a web page", ["<html><body>Sign in</body></html>"]],
])("%s is no answer", async (_name, raw) => {
  expect((await answerTo({ raw })).error).toMatchObject({
    message: "stream disconnected before completion: stream closed before any part of an answer",
  });
});

test("an answer that is finished needs neither [DONE] nor the end of the connection", async () => {
  const raw = [chunk({ content: "hi" }, "stop")];
  const provider = { streamIdleTimeoutMs: 50 };
  expect((await answerTo({ raw, keepOpen: true }, { provider })).error).toBeUndefined();
  expect((await answerTo({ raw, cut: 1 })).error).toBeUndefined();
});

test.each([
  [20, "xhi"],
  [20_000, "hi"],
])("content nested %i deep is harmless", async (depth, text) => {
  const nested = `${"[".repeat(depth)}"x"${"]".repeat(depth)}`;
  const raw = [
    `data: {"choices":[{"delta":{"content":${nested}}}]}\n\n`,
    chunk({ content: [["hi"]] }, "stop"),
    doneLine,
  ];
  const answer = await answerTo({ raw });
  expect(answer.error).toBeUndefined();
  expect(itemsOf(answer)).toEqual([message(text)]);
});

test("arguments nested too deep for a text end the attempt", async () => {
  const nested = `${"[".repeat(50_000)}${"]".repeat(50_000)}`;
  const part = `{"tool_calls":[{"id":"1","function":{"name":"shell","arguments":{"a":${nested}}}}]}`;
  const { error } = await answerTo({ raw: [`data: {"choices":[{"delta":${part}}]}\n\n`, doneLine] });
  expect(error).toMatchObject({ name: "ModelError", isRetryable: false });
});

const megabyte = "x".repeat(2 ** 20);
test.each([
  ["text", chunk({ content: megabyte })],
  ["reasoning", chunk({ reasoning: megabyte })],
  ["arguments", pieces({ index: 0, id: "1", function: { name: "shell", arguments: megabyte } })],
])("an answer with more than 64 MiB is refused: %s", async (_name, event) => {
  const { error } = await answerTo({ raw: [event.repeat(65)] });
  expect(error).toMatchObject({
    message: "stream disconnected before completion: the answer is longer than 64 MiB",
    isRetryable: false,
  });
});
