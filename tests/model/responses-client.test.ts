import { expect, test } from "vitest";
import { userMessage } from "../../src/protocol/response-item.ts";
import { callTool, fakeModel, say, think } from "../support/fake-model.ts";
import { ask, clientAt, conversationId, itemsOf } from "./ask.ts";

const done = { type: "completed", response_id: "resp_1" };
const usage = {
  input_tokens: 100,
  cached_input_tokens: 10,
  output_tokens: 20,
  reasoning_output_tokens: 5,
  total_tokens: 120,
};
const sse = (event: object) => `data: ${JSON.stringify(event)}\n\n`;
const itemDone = (item: object) => sse({ type: "response.output_item.done", item });
const completed = sse({ type: "response.completed", response: { id: "resp_1" } });

test("the body has exactly the fields of the wire, in their order", async () => {
  await using model = await fakeModel([say("hi")]);
  await ask(clientAt(model.url), { reasoning: { effort: "medium", summary: "auto" } });
  const [received] = model.requests;
  expect(JSON.stringify(received?.body)).toBe(
    JSON.stringify({
      model: "gpt-5",
      instructions: "Be brief.",
      input: [{ type: "message", role: "user", content: [{ type: "input_text", text: "hi" }] }],
      tools: [],
      tool_choice: "auto",
      parallel_tool_calls: false,
      reasoning: { effort: "medium", summary: "auto" },
      store: false,
      stream: true,
      include: ["reasoning.encrypted_content"],
      prompt_cache_key: conversationId,
    }),
  );
  expect(received).toMatchObject({ path: "/v1/responses", headers: { session_id: conversationId } });
});

test("no reasoning settings, a verbosity", async () => {
  await using model = await fakeModel([say("hi")]);
  await ask(clientAt(model.url), { verbosity: "low" });
  expect(model.requests[0]?.body).toMatchObject({ reasoning: null, include: [], text: { verbosity: "low" } });
});

test("exactly the headers of the wire", async () => {
  await using model = await fakeModel([say("hi")]);
  const credential = { kind: "chatgpt", token: "t0ken", source: "", accountId: "acc", plan: undefined } as const;
  await ask(clientAt(model.url, { credential: () => credential, env: { TERM: "xterm" } }));
  const {
    host,
    connection,
    "content-length": length,
    "user-agent": agent,
    ...headers
  } = model.requests[0]?.headers ?? {};
  expect(headers).toEqual({
    authorization: "Bearer t0ken",
    "chatgpt-account-id": "acc",
    "openai-beta": "responses=experimental",
    conversation_id: conversationId,
    session_id: conversationId,
    accept: "text/event-stream",
    "content-type": "application/json",
    originator: "codex_cli_rs",
  });
  expect(agent).toMatch(/^codex_cli_rs\/1\.2\.3 \(.+; \w+\) xterm$/);
  expect([host, connection, Number(length) > 0]).toEqual([new URL(model.url).host, "keep-alive", true]);
});

test.each([
  [{ TERM_PROGRAM: "vscode", TERM_PROGRAM_VERSION: "1.9", TERM: "xterm" }, "vscode/1.9"],
  [{ TERM_PROGRAM: "tmux\u2014x" }, "tmux_x"],
  [{}, "unknown"],
])("the user agent ends with the terminal of %j", async (env, terminal) => {
  await using model = await fakeModel([say("hi")]);
  await ask(clientAt(model.url, { env, originator: "my_host" }));
  const { originator, "user-agent": agent } = model.requests[0]?.headers ?? {};
  expect(originator).toBe("my_host");
  expect(agent).toMatch(/^my_host\/1\.2\.3 /);
  expect(agent?.split(") ")[1]).toBe(terminal);
});

test("headers and query of the provider", async () => {
  await using model = await fakeModel([say("hi")]);
  const provider = {
    httpHeaders: { "X-Test": "1", Accept: "text/x" },
    envHttpHeaders: { "api-key": "SET", "x-unset": "UNSET", "x-blank": "BLANK" },
    queryParams: { "api-version": "2025-04-01", odd: "a b&c=d" },
  };
  await ask(clientAt(`${model.url}/`, { provider, env: { SET: "secret", BLANK: " " } }));
  const { path, headers } = model.requests[0] ?? {};
  expect(path).toBe("/v1/responses?api-version=2025-04-01&odd=a%20b%26c%3Dd");
  expect(headers).toMatchObject({ "x-test": "1", accept: "text/x", "api-key": "secret" });
  expect(headers).not.toHaveProperty("x-unset");
  expect(headers).not.toHaveProperty("x-blank");
});

test.each([
  ["/v1/", "/v1/responses"],
  ["/openai/v1?api-version=1", "/openai/v1/responses?api-version=1&x=y"],
  ["/v1/responses", "/v1/responses"],
])("the base URL %s keeps what it says", async (base, path) => {
  await using model = await fakeModel([say("hi")]);
  const queryParams: Record<string, string> = base.includes("?") ? { x: "y" } : {};
  await ask(clientAt(new URL(base, model.url).href, { provider: { queryParams } }));
  expect(model.requests[0]?.path).toBe(path);
});

test.each(["not a URL", "ftp://example.com", "localhost:8080/v1"])("the base URL %s is refused", async (base) => {
  const { error } = await ask(clientAt(base));
  expect(error).toMatchObject({
    isRetryable: false,
    message: `Cannot send requests to base_url "${base}" of model provider "test": not an http or https URL`,
  });
});

test("deltas, a message, the usage", async () => {
  await using model = await fakeModel([say("Hello", { deltas: ["Hel", "lo"] })]);
  expect(await ask(clientAt(model.url))).toEqual({
    events: [
      { type: "text_delta", delta: "Hel" },
      { type: "text_delta", delta: "lo" },
      { type: "item", item: { type: "message", role: "assistant", content: [{ type: "output_text", text: "Hello" }] } },
      { ...done, usage },
    ],
    error: undefined,
  });
});

test("a message in parts, a refusal and a part nobody knows", async () => {
  const content = [
    { type: "output_text", text: "one", annotations: [] },
    { type: "refusal", refusal: "no" },
    { type: "hologram", text: "?" },
    { type: "output_text", text: "two" },
  ];
  await using model = await fakeModel([{ items: [{ type: "message", id: "m", role: "assistant", content }] }]);
  const texts = ["one", "no", "two"].map((text) => ({ type: "output_text", text }));
  expect(itemsOf(await ask(clientAt(model.url)))).toEqual([{ type: "message", role: "assistant", content: texts }]);
});

test("reasoning in parts, raw reasoning", async () => {
  await using model = await fakeModel([think(["a", "b"], { rawReasoning: "raw", encrypted: "ENC==" })]);
  expect((await ask(clientAt(model.url))).events).toEqual([
    { type: "reasoning_section_break" },
    { type: "reasoning_delta", delta: "a" },
    { type: "reasoning_section_break" },
    { type: "reasoning_delta", delta: "b" },
    { type: "raw_reasoning_delta", delta: "raw" },
    {
      type: "item",
      item: {
        type: "reasoning",
        summary: [
          { type: "summary_text", text: "a" },
          { type: "summary_text", text: "b" },
        ],
        content: [{ type: "reasoning_text", text: "raw" }],
        encrypted_content: "ENC==",
      },
    },
    { ...done, usage },
  ]);
});

test("raw reasoning without a part of its own kind is not kept", async () => {
  const item = { type: "reasoning", summary: [], content: [{ type: "text", text: "x" }] };
  await using model = await fakeModel([{ items: [item] }]);
  expect(itemsOf(await ask(clientAt(model.url)))).toEqual([
    { type: "reasoning", summary: [], content: null, encrypted_content: null },
  ]);
});

test("calls of every kind, without the server's ids", async () => {
  const action = { type: "exec", command: ["ls"], timeout_ms: 5 };
  const items = [
    { type: "local_shell_call", id: "lsh_1", call_id: null, status: "completed", action },
    { type: "custom_tool_call", id: "ctc_1", status: "completed", call_id: "c", name: "apply_patch", input: "***" },
    { type: "mcp_call", id: "mcp_1" },
  ];
  await using model = await fakeModel([callTool("shell", { command: ["ls"] }, { items })]);
  expect(itemsOf(await ask(clientAt(model.url)))).toEqual([
    {
      type: "local_shell_call",
      call_id: "lsh_1",
      status: "completed",
      action: { ...action, working_directory: null, env: null, user: null },
    },
    { type: "custom_tool_call", status: "completed", call_id: "c", name: "apply_patch", input: "***" },
    { type: "function_call", name: "shell", arguments: '{"command":["ls"]}', call_id: "call_1" },
  ]);
});

test("a web search begins and ends, and leaves no item", async () => {
  const item = { type: "web_search_call", id: "ws_1" };
  const action = { type: "search", query: "weather" };
  const raw = [sse({ type: "response.output_item.added", item }), itemDone({ ...item, action }), completed];
  await using model = await fakeModel([{ raw }]);
  expect((await ask(clientAt(model.url))).events).toEqual([
    { type: "web_search_begin", call_id: "ws_1" },
    { type: "web_search_end", call_id: "ws_1", query: "weather" },
    { ...done, usage: null },
  ]);
});

test("what is no JSON, unknown or of the wrong shape is skipped", async () => {
  const raw = [
    "data: not json\n\n",
    ": comment\n\n",
    "data: 5\n\n",
    "data: null\n\n",
    sse({ type: "response.from_the_future", delta: "x" }),
    sse({ type: "response.output_text.delta", delta: 7 }),
    itemDone({ type: "function_call" }),
    sse({ type: "response.output_item.done" }),
    completed,
  ];
  await using model = await fakeModel([{ raw }]);
  expect(await ask(clientAt(model.url))).toEqual({ events: [{ ...done, usage: null }], error: undefined });
});

test("an incomplete answer is an early end; what came before it counts", async () => {
  await using model = await fakeModel([callTool("shell", {}, { incomplete: "max_output_tokens" })]);
  const answer = await ask(clientAt(model.url));
  expect(itemsOf(answer)).toHaveLength(1);
  expect(answer.error).toMatchObject({
    message: "stream disconnected before completion: stream closed before response.completed",
    isRetryable: true,
    cause: new Error("the answer is incomplete: max_output_tokens"),
  });
});

test("a reason that is no text is told as it came", async () => {
  const response = { id: "r", incomplete_details: { reason: { toString: 1 } } };
  await using model = await fakeModel([{ raw: [sse({ type: "response.incomplete", response })] }]);
  expect((await ask(clientAt(model.url))).error).toMatchObject({
    name: "ModelError",
    cause: new Error('the answer is incomplete: {"toString":1}'),
  });
});

test("the answer ends when it is complete, not when the connection is closed", async () => {
  await using model = await fakeModel([say("hi", { keepOpen: true })]);
  const { events } = await ask(clientAt(model.url));
  expect(events.at(-1)).toEqual({ ...done, usage });
});

test("an answer without usage", async () => {
  await using model = await fakeModel([say("hi", { usage: null })]);
  const { events } = await ask(clientAt(model.url));
  expect(events.at(-1)).toEqual({ ...done, usage: null });
});

test("text in several bytes a letter may be cut anywhere", async () => {
  const text = "dé — 漢字 🎉";
  const item = itemDone({ type: "message", role: "assistant", content: [{ type: "output_text", text }] });
  await using model = await fakeModel([{ raw: [...`${item}${completed}`], gapMs: 0 }]);
  expect(itemsOf(await ask(clientAt(model.url)))).toMatchObject([{ content: [{ text }] }]);
});

test("items are sent as they are, also a second time", async () => {
  await using model = await fakeModel([say("a"), say("b")]);
  const client = clientAt(model.url);
  const first = userMessage("one");
  await ask(client, { input: [first] });
  await ask(client, { input: [first, userMessage("two")] });
  expect(model.requests.map(({ body }) => body)).toMatchObject([
    { input: [first] },
    { input: [first, userMessage("two")] },
  ]);
});

test("calls without an id get one of their own", async () => {
  const action = { type: "exec", command: ["ls"] };
  const calls = [
    { type: "function_call", name: "shell", arguments: "{}" },
    { type: "function_call", call_id: "", id: 7, name: "shell", arguments: "{}" },
    { type: "custom_tool_call", call_id: null, name: "apply_patch", input: "x" },
    { type: "local_shell_call", status: "completed", action },
  ];
  await using model = await fakeModel([{ raw: [...calls.map(itemDone), completed] }]);
  const items = itemsOf(await ask(clientAt(model.url))) as { type: string; call_id: string }[];
  expect(items.map(({ type }) => type)).toEqual(calls.map(({ type }) => type));
  for (const { call_id } of items) expect(call_id).toMatch(/^call_\w{10,}$/);
  expect(new Set(items.map(({ call_id }) => call_id)).size).toBe(4);
});

const megabyte = "x".repeat(2 ** 20);
test.each([
  ["deltas", sse({ type: "response.output_text.delta", delta: megabyte })],
  ["items", itemDone({ type: "message", role: "assistant", content: [{ type: "output_text", text: megabyte }] })],
])("an answer with more than 64 MiB is refused: %s", async (_name, event) => {
  await using model = await fakeModel([{ raw: [event.repeat(65)] }]);
  expect((await ask(clientAt(model.url))).error).toMatchObject({
    message: "stream disconnected before completion: the answer is longer than 64 MiB",
    isRetryable: false,
  });
});
