import { describe, expect, test } from "vitest";
import { startConversation } from "../support/conversation.ts";
import { callTool, fakeModel, say } from "../support/fake-model.ts";
import { runCodex, startCodex } from "../support/run-codex.ts";
import { callEvents, fakeServer, outputsIn, receivedBy, sdkServer } from "./support.ts";

const anyDuration = { secs: expect.any(Number), nanos: expect.any(Number) };
const tools = ["echo", "structured", "failing", "rpcerr", "never", "exit", "last-words", "big", "lines", "ask"];

/** One call by the model in a run of the binary. */
async function runCall(name: string, args: unknown, server = fakeServer("tst", { tools })) {
  await using model = await fakeModel([callTool(name, args), say("done")]);
  const run = await runCodex(["exec", "--json", "go"], { model, configTables: [server] });
  return { run, events: callEvents(run), output: outputsIn(model, 2)[0] };
}

function eventsOf(tool: string, args: unknown, result: object): readonly object[] {
  const invocation = { server: "tst", tool, arguments: args };
  return [
    { type: "mcp_tool_call_begin", call_id: "call_1", invocation },
    { type: "mcp_tool_call_end", call_id: "call_1", invocation, duration: anyDuration, result },
  ];
}

const failedCall = (tool: string) => `tool call error: tool call failed for \`tst/${tool}\``;

describe("a call", () => {
  test.each<[string, string, object, string]>([
    ["success", "echo", { content: [{ type: "text", text: "you said yo" }] }, '[{"type":"text","text":"you said yo"}]'],
    [
      "structured content",
      "structured",
      { content: [{ type: "text", text: "42" }], structuredContent: { answer: 42 } },
      '{"answer":42}',
    ],
    [
      "a failure that the tool reports",
      "failing",
      { content: [{ type: "text", text: "no such city" }], isError: true },
      '[{"type":"text","text":"no such city"}]',
    ],
  ])("%s", async (_, tool, result, text) => {
    const { run, events, output } = await runCall(`tst__${tool}`, { msg: "yo" });
    expect(run.exitCode).toBe(0);
    expect(events).toEqual(eventsOf(tool, { msg: "yo" }, { Ok: result }));
    expect(output).toBe(text);
    expect(receivedBy(run, "tst")).toContainEqual({
      id: 3,
      jsonrpc: "2.0",
      method: "tools/call",
      params: { arguments: { msg: "yo" }, name: tool },
    });
  });

  test("an error of the server", async () => {
    const { run, events, output } = await runCall("tst__rpcerr", {});
    expect(run.exitCode).toBe(0);
    expect(events).toEqual(eventsOf("rpcerr", {}, { Err: failedCall("rpcerr") }));
    expect(output).toBe(failedCall("rpcerr"));
  });

  test("of the official SDK's server", async () => {
    const { events, output } = await runCall("adder__add", { left: 40, right: 2 }, sdkServer("adder"));
    expect(events[1]).toMatchObject({
      result: { Ok: { content: [{ type: "text", text: '{"sum":42}' }], structuredContent: { sum: 42 } } },
    });
    expect(output).toBe('{"sum":42}');
  });

  test("without arguments is sent without any", async () => {
    await using model = await fakeModel([{ calls: [{ name: "tst__echo", rawArgs: "" }] }, say("done")]);
    const run = await runCodex(["exec", "--json", "go"], { model, configTables: [fakeServer("tst")] });
    const result = { Ok: { content: [{ type: "text", text: "you said undefined" }] } };
    expect(callEvents(run)).toEqual(eventsOf("echo", null, result));
    expect(receivedBy(run, "tst").at(-1)).toEqual({
      id: 3,
      jsonrpc: "2.0",
      method: "tools/call",
      params: { name: "echo" },
    });
  });

  test.each([
    ["{bad", /^err: \S/],
    ["[1]", /^err: the arguments of a tool are a JSON object$/],
  ])("with the arguments %s is not sent", async (rawArgs, text) => {
    await using model = await fakeModel([{ calls: [{ name: "tst__echo", rawArgs }] }, say("done")]);
    const run = await runCodex(["exec", "--json", "go"], { model, configTables: [fakeServer("tst")] });
    expect(callEvents(run)).toEqual([]);
    expect(outputsIn(model, 2)).toEqual([expect.stringMatching(text)]);
    expect(receivedBy(run, "tst").map(({ method }) => method)).not.toContain("tools/call");
  });

  test("of a tool that no server has is unsupported", async () => {
    const { events, output } = await runCall("tst__nothing", {});
    expect(events).toEqual([]);
    expect(output).toBe("unsupported call: tst__nothing");
  });

  test("works on the chat wire", async () => {
    await using model = await fakeModel([callTool("tst__echo", { msg: "yo" }), say("done")]);
    const run = await runCodex(["exec", "go"], { model, wire: "chat", configTables: [fakeServer("tst")] });
    expect(run.stdout).toBe("done\n");
    expect(model.requests[1]?.body).toMatchObject({
      messages: expect.arrayContaining([
        { role: "tool", tool_call_id: "call_1", content: '[{"type":"text","text":"you said yo"}]' },
      ]),
    });
  });

  test("the model is shown both ends of a long output, the client all of it", async () => {
    const { events, output } = await runCall("tst__big", {});
    const text = "x".repeat(10_000_000);
    // Not toEqual: a difference of ten megabytes would take minutes to print.
    expect(JSON.stringify(events[1]).includes(text)).toBe(true);
    expect(Buffer.byteLength(String(output))).toBe(10_240);
    expect(String(output)).toMatch(/^\[\{"type":"text","text":"x+\n\[\.\.\. omitted 0 of 1 lines \.\.\.\]\n\nx+"\}\]$/);
  });
});

describe("what a person and the current SDKs see of a call", () => {
  test("success, a reported failure and an error", async () => {
    await using model = await fakeModel([
      callTool("tst__echo", { msg: "yo" }),
      callTool("tst__rpcerr", {}),
      callTool("tst__failing", {}),
      say("done"),
    ]);
    const run = await runCodex(["exec", "go"], { model, configTables: [fakeServer("tst", { tools })] });
    expect(run.stdout).toBe("done\n");
    expect(run.stderr).toMatch(/tool tst\.echo\(\{"msg":"yo"\}\)\n/);
    expect(run.stderr).toMatch(/tst\.echo\(\{"msg":"yo"\}\) success in \S+:\n/);
    expect(run.stderr).toMatch(/tst\.rpcerr\(\{\}\) failed in \S+:\n/);
    expect(run.stderr).toMatch(/tst\.failing\(\{\}\) failed in \S+:\n/);
  });

  test("the items of the thread format", async () => {
    await using model = await fakeModel([
      callTool("tst__echo", { msg: "yo" }),
      callTool("tst__failing", {}),
      callTool("tst__structured", {}),
      callTool("tst__rpcerr", {}),
      say("done"),
    ]);
    const run = await runCodex(["exec", "--experimental-json", "go"], {
      model,
      configTables: [fakeServer("tst", { tools })],
    });
    const item = (tool: string, args: object, end: object) => ({
      type: "mcp_tool_call",
      server: "tst",
      tool,
      arguments: args,
      error: null,
      result: null,
      ...end,
    });
    const result = (text: string, structured_content: object | null = null) => ({
      result: { content: [{ type: "text", text }], structured_content },
    });
    expect(run.lines.filter(({ type }) => type === "item.completed").map((line) => line["item"])).toMatchObject([
      item("echo", { msg: "yo" }, { ...result("you said yo"), status: "completed" }),
      item("failing", {}, { ...result("no such city"), status: "failed" }),
      item("structured", {}, { ...result("42", { answer: 42 }), status: "completed" }),
      item("rpcerr", {}, { error: { message: failedCall("rpcerr") }, status: "failed" }),
      { type: "agent_message", text: "done" },
    ]);
  });
});

describe("a server that misbehaves in a call", () => {
  test("exits: this call and the next one fail, and the task goes on", async () => {
    await using model = await fakeModel([callTool("tst__exit", {}), callTool("tst__echo", {}), say("done")]);
    const run = await runCodex(["exec", "--json", "go"], { model, configTables: [fakeServer("tst", { tools })] });
    expect(run.exitCode).toBe(0);
    expect(outputsIn(model, 3)).toEqual([failedCall("exit"), failedCall("echo")]);
    expect(callEvents(run)).toHaveLength(4);
  });

  test("answers and exits: the answer counts", async () => {
    const { output } = await runCall("tst__last-words", {});
    expect(output).toBe('[{"type":"text","text":"bye"}]');
  });

  test("answers in Latin-1 and exits before the end of the line: what can be read counts", async () => {
    const server = fakeServer("tst", { tools: ["no-newline"] });
    const { output } = await runCall("tst__no-newline", {}, server);
    expect(output).toBe('[{"type":"text","text":"caf\ufffd"}]');
  });

  test("prints what is no message: that is passed over", async () => {
    const server = fakeServer("tst", { behaviour: "noisy talks", tools });
    const { run, output } = await runCall("tst__echo", { msg: "yo" }, server);
    expect(output).toBe('[{"type":"text","text":"you said yo"}]');
    expect(run.stdout).not.toContain("Server listening");
    expect(run.stderr).toBe("");
  });

  test("never ends its line: the call fails", async () => {
    const server = fakeServer("tst", { tools: ["endless-line"] });
    const { run, output } = await runCall("tst__endless-line", {}, server);
    expect(output).toBe(failedCall("endless-line"));
    expect(run.exitCode).toBe(0);
  });

  test("takes longer than tool_timeout_sec: the call is cancelled and the model knows why", async () => {
    const server = fakeServer("tst", { tools, keys: { tool_timeout_sec: 0.2 } });
    const { run, events, output } = await runCall("tst__never", {}, server);
    const text = `${failedCall("never")}: request timed out`;
    expect(events).toEqual(eventsOf("never", {}, { Err: text }));
    expect(output).toBe(text);
    expect(receivedBy(run, "tst").at(-1)).toEqual({
      jsonrpc: "2.0",
      method: "notifications/cancelled",
      params: { requestId: 3, reason: "timed out" },
    });
  });

  test("never answers: a signal ends the run at once, and the server is told", async () => {
    await using model = await fakeModel([callTool("tst__never", {})]);
    const running = startCodex(["exec", "--json", "go"], { model, configTables: [fakeServer("tst", { tools })] });
    await running.sees("mcp_tool_call_begin");
    running.child.kill("SIGINT");
    const run = await running.finished(); // the call itself has no end
    expect(run.exitCode).toBe(130);
    expect(run.messages.at(-1)).toEqual({ type: "turn_aborted", reason: "interrupted" });
    expect(receivedBy(run, "tst").at(-1)).toEqual({
      jsonrpc: "2.0",
      method: "notifications/cancelled",
      params: { requestId: 3, reason: "interrupted" },
    });
  });

  test("never answers: after an interrupt the same server serves the next task", async () => {
    await using model = await fakeModel([
      callTool("tst__never", {}),
      callTool("tst__echo", { msg: "again" }),
      say("done"),
    ]);
    await using conversation = await startConversation({ model, configTables: [fakeServer("tst", { tools })] });
    conversation.input("first");
    await conversation.next("mcp_tool_call_begin");
    conversation.submit({ type: "interrupt" });
    await conversation.next("turn_aborted");
    conversation.input("second");
    const { msg } = await conversation.next("mcp_tool_call_end");
    expect(msg.result).toEqual({ Ok: { content: [{ type: "text", text: "you said again" }] } });
    await conversation.next("task_complete");
  });
});

test("a server's own requests are answered: ping, a question to nobody, and what we do not know", async () => {
  const { output } = await runCall("tst__ask", {});
  const [{ text }] = JSON.parse(String(output));
  expect(JSON.parse(text)).toEqual([
    { id: "a", jsonrpc: "2.0", result: {} },
    { id: 2, jsonrpc: "2.0", error: { code: -32601, message: "Method not found: roots/list" } },
    { id: 3, jsonrpc: "2.0", result: { action: "cancel" } },
  ]);
});

test("proto: list_mcp_tools names every tool as its server describes it", async () => {
  const tool = { name: "echo", description: "says it", inputSchema: { type: "object", $defs: { a: true } }, extra: 1 };
  await using conversation = await startConversation({ configTables: [fakeServer("tst", { tools: [tool] })] });
  conversation.submit({ type: "list_mcp_tools" }, "7");
  expect(await conversation.next("mcp_list_tools_response")).toEqual({
    id: "7",
    msg: { type: "mcp_list_tools_response", tools: { tst__echo: tool } },
  });
});

test("the log of the server is in ours when that is asked for, and nowhere else", async () => {
  await using model = await fakeModel([say("done")]);
  const configTables = [fakeServer("tst", { behaviour: "talks" })];
  const stdin = `${JSON.stringify({ id: "1", op: { type: "user_input", items: [{ type: "text", text: "go" }] } })}\n`;
  const run = await runCodex(["proto"], { model, configTables, stdin, env: { CODEX_LOG: "mcp=debug" } });
  expect(run.stdout).toContain("task_complete");
  expect(run.stdout).not.toContain("stderr of the server");
  expect(run.stderr).toMatch(/DEBUG mcp: tst: stderr of the server\n/);
});
