import { describe, expect, test } from "vitest";
import { callShell, fakeModel, say } from "../support/fake-model.ts";
import { eventsOf, fullAccess, type McpSession, startMcp, textOf, typesOf, untrusted } from "../support/mcp-session.ts";
import { inputOf } from "../support/requests.ts";

const unknown = "6f3c1f9e-0000-4000-8000-00000000000a";
const text = (words: string) => [{ type: "text", text: words }];
const structured = (payload: object, isError = false) => ({
  content: [{ type: "text", text: JSON.stringify(payload) }],
  isError,
  structuredContent: payload,
});

async function create(mcp: McpSession, args: object = {}, id: number = 60): Promise<string> {
  const cwd = mcp.codex.place.work;
  const { result } = await mcp.call("conversationCreate", { prompt: "", model: "m-1", cwd, ...args }, { id });
  return result.structuredContent.conversation_id;
}

function send(mcp: McpSession, conversation_id: string, words: string, options: { id?: number; args?: object } = {}) {
  const args = { conversation_id, content: text(words), ...options.args };
  return mcp.call("conversationSendMessage", args, options.id === undefined ? {} : { id: options.id });
}

describe("conversationCreate", () => {
  test("answers with the id and the model, and tells no event", async () => {
    await using mcp = startMcp({ config: fullAccess });
    const { result } = await mcp.call("conversationCreate", { prompt: "", model: "m-1", cwd: "." });
    const { conversation_id } = result.structuredContent;
    expect(conversation_id).toMatch(/^[\da-f-]{36}$/);
    expect(result).toEqual(structured({ conversation_id, model: "m-1" }));
    await mcp.request("ping");
    expect(mcp.messages).toHaveLength(2);
  });

  test.each([
    [{ model: "m", cwd: "." }, "missing field `prompt`"],
    [{ prompt: "", cwd: "." }, "missing field `model`"],
    [{ prompt: "", model: "m" }, "missing field `cwd`"],
    [
      { prompt: "", model: "m", cwd: ".", approval_policy: "bad" },
      "unknown variant `bad`, expected one of `untrusted`, `on-failure`, `on-request`, `never`",
    ],
  ])("%j is told what is wrong with it", async (args, problem) => {
    await using mcp = startMcp();
    expect((await mcp.call("conversationCreate", args)).result).toEqual({
      content: text(`Invalid arguments for conversationCreate: ${problem}`),
      isError: true,
    });
  });

  test("an unknown profile", async () => {
    await using mcp = startMcp();
    const args = { prompt: "", model: "m", cwd: ".", profile: "zzz" };
    const message = "Failed to load config: config profile `zzz` not found";
    expect((await mcp.call("conversationCreate", args)).result).toEqual(structured({ message }, true));
  });
});

describe("conversationSendMessage", () => {
  test("events come under the id of the create call; the second message is taken, and the model gets it", async () => {
    await using model = await fakeModel([say("One."), say("Two.")]);
    await using mcp = startMcp({ model, config: fullAccess });
    const id = await create(mcp);
    expect((await send(mcp, id, "Hello", { id: 61 })).result).toEqual(structured({ status: "ok" }));
    await mcp.event("task_complete");
    expect(new Set(eventsOf(mcp, 60).map((event) => event.id))).toEqual(new Set(["61"]));
    expect(mcp.messages.findIndex((message) => message.id === 61)).toBeLessThan(
      mcp.messages.findIndex(({ method }) => method === "codex/event"),
    );
    expect((await send(mcp, id, "Hello again", { id: 62 })).result).toEqual(structured({ status: "ok" }));
    await model.received(2);
    const texts = inputOf(model, 2).map(({ content }) => content?.at(-1)?.text);
    expect(texts.slice(-3)).toEqual(["Hello", "One.", "Hello again"]);
    await mcp.event("task_complete");
    expect(eventsOf(mcp, 60).at(-1)).toEqual({
      _meta: { requestId: 60, conversationId: id },
      id: "62",
      msg: { type: "task_complete", last_agent_message: "Two." },
    });
  });

  test("while a turn runs the next message is refused; the mark goes with an interrupted turn too", async () => {
    await using model = await fakeModel([say("One.", { delayMs: 60_000 }), say("Two.")]);
    await using mcp = startMcp({ model, config: fullAccess });
    const id = await create(mcp);
    await send(mcp, id, "Hello");
    const message = "Session is already running";
    expect((await send(mcp, id, "again")).result).toEqual(structured({ status: "error", message }, true));
    await mcp.request("interruptConversation", { conversationId: id });
    expect((await send(mcp, id, "now")).result).toEqual(structured({ status: "ok" }));
    await mcp.event("task_complete");
  });

  test("the mark goes with a failed turn", async () => {
    await using model = await fakeModel([{ status: 400 }, say("Two.")]);
    await using mcp = startMcp({ model, config: fullAccess });
    const id = await create(mcp);
    await send(mcp, id, "Hello");
    await mcp.event("task_complete");
    expect((await send(mcp, id, "again")).result).toEqual(structured({ status: "ok" }));
    await mcp.event("task_complete");
  });

  test("no content, and a conversation that is not there", async () => {
    await using mcp = startMcp({ config: fullAccess });
    const id = await create(mcp);
    const error = (message: string) => structured({ status: "error", message }, true);
    for (const conversation_id of [id, unknown]) {
      const { result } = await mcp.call("conversationSendMessage", { conversation_id, content: [] });
      expect(result).toEqual(error("No content items provided"));
    }
    expect((await send(mcp, unknown, "x")).result).toEqual(error("Session does not exist"));
  });

  test.each([
    [{ conversation_id: "nope", content: text("x") }, /invalid character/],
    [{ conversation_id: unknown }, /missing field `content`/],
    [{ conversation_id: unknown, content: [{ type: "audio", data: "" }] }, /unknown variant `audio`/],
    [{ conversationId: unknown, content: text("x") }, /missing field `conversation_id`/],
  ])("%j is told what is wrong with it", async (args, problem) => {
    await using mcp = startMcp();
    const { result } = await mcp.call("conversationSendMessage", args);
    expect(result.isError).toBe(true);
    expect(result.content[0].text).toMatch(/^Invalid arguments for conversationSendMessage: /);
    expect(result.content[0].text).toMatch(problem);
  });

  test("a conversation of codex takes messages, whose events come under their own id", async () => {
    await using model = await fakeModel([say("One."), say("Two."), say("Three.")]);
    await using mcp = startMcp({ model, config: fullAccess });
    const { result } = await mcp.call("codex", { prompt: "first" });
    const { conversationId } = result.structuredContent;
    expect((await send(mcp, conversationId, "second", { id: 9 })).result).toEqual(structured({ status: "ok" }));
    await mcp.next(({ params }) => params?.msg?.last_agent_message === "Two.");
    expect(typesOf(eventsOf(mcp, 9)).at(-1)).toBe("task_complete");
    expect(textOf(await mcp.call("codex-reply", { conversationId, prompt: "third" }))).toBe("Three.");
  });

  test("overrides hold for the one turn, an unknown parent is ignored", async () => {
    await using model = await fakeModel([
      callShell(["touch", "here"]),
      say("One."),
      say("Two."),
      callShell(["touch", "y"]),
      say("Three."),
    ]);
    await using mcp = startMcp({ model, config: fullAccess, files: { "sub/keep": "" } });
    await mcp.initialize();
    const id = await create(mcp);
    const cwd = `${mcp.codex.place.work}/sub`;
    await send(mcp, id, "a", { args: { model: "m-2", cwd, parent_message_id: unknown } });
    await mcp.event("task_complete");
    await send(mcp, id, "b");
    await mcp.event("task_complete");
    const models = model.requests.map(({ body }) => (body as { readonly model: string }).model);
    expect(models).toEqual(["m-2", "m-2", "m-1"]);
    await send(mcp, id, "c", { args: { approval_policy: "untrusted" } });
    mcp.answer(await mcp.asked("elicitation/create"), { decision: "denied" });
    await mcp.next(({ params }) => params?.msg?.last_agent_message === "Three.");
    expect(mcp.codex.place.files()).toEqual({ "sub/keep": "", "sub/here": "" });
  });

  test("the keys of config hold for the one turn, and leave the rest as the conversation has it", async () => {
    await using model = await fakeModel([callShell(["touch", "here"]), say("One."), say("Two.")]);
    await using mcp = startMcp({ model, config: ['approval_policy = "never"'] });
    await mcp.initialize();
    const id = await create(mcp, { sandbox: "workspace-write" });
    const config = {
      model: "gpt-5-codex",
      model_reasoning_effort: "high",
      sandbox_workspace_write: { network_access: true },
    };
    await send(mcp, id, "a", { args: { config } });
    await mcp.event("task_complete");
    await send(mcp, id, "b");
    await mcp.event("task_complete");
    const bodies = model.requests.map(({ body }) => body as { readonly model: string; readonly reasoning?: object });
    expect(bodies.map(({ model: name, reasoning }) => [name, reasoning])).toMatchObject([
      ["gpt-5-codex", { effort: "high" }],
      ["gpt-5-codex", { effort: "high" }],
      ["m-1", null],
    ]);
    expect(mcp.codex.place.files()).toEqual({ here: "" });
    const policies = mcp.codex.place
      .rollout()
      .flatMap(({ type, payload }) =>
        type === "turn_context" ? [(payload as { readonly sandbox_policy: object }).sandbox_policy] : [],
      );
    expect(policies).toMatchObject([
      { mode: "workspace-write", network_access: true },
      { mode: "workspace-write", network_access: false },
    ]);
  });

  test.each<[object, string]>([
    [{ base_instructions: "be short" }, "base_instructions"],
    [{ config: { notify: ["true"], model: "m" } }, "notify"],
    [{ config: { "mcp_servers.x.command": "true" } }, "mcp_servers.x.command"],
    [{ profile: "other" }, "model_provider of profile other"],
  ])("%j cannot be overridden for one message, and is refused", async (args, key) => {
    const tables = [
      '[profiles.other]\nmodel_provider = "second"\nmodel = "m-2"',
      '[model_providers.second]\nname = "Second"\nbase_url = "http://127.0.0.1:9/v1"',
    ];
    await using mcp = startMcp({ config: fullAccess, configTables: tables });
    const id = await create(mcp);
    const { result } = await send(mcp, id, "x", { args });
    const message = `Overrides are not supported for one message: ${key}`;
    expect(result).toEqual(structured({ status: "error", message }, true));
  });

  test("a question names the create call and the message", async () => {
    await using model = await fakeModel([callShell(["touch", "z"]), say("ok")]);
    await using mcp = startMcp({ model, config: untrusted });
    await mcp.initialize();
    const id = await create(mcp);
    await send(mcp, id, "do", { id: 61 });
    const question = await mcp.asked("elicitation/create");
    expect(question.params).toMatchObject({ codex_mcp_tool_call_id: "60", codex_event_id: "61" });
    mcp.answer(question, { decision: "approved" });
    await mcp.event("task_complete");
    expect(mcp.codex.place.files()).toEqual({ z: "" });
  });
});

describe("conversationStream and conversationsList", () => {
  test("a stream tells what was, then what comes; the next one takes its place; a cancel ends it", async () => {
    await using model = await fakeModel([say("One."), say("Two."), say("Three.")]);
    await using mcp = startMcp({ model, config: fullAccess, args: ["--events", "none"] });
    const id = await create(mcp);
    await send(mcp, id, "a");
    await expect.poll(async () => textOf(await mcp.call("conversationsList", {}))).toContain(id);
    const first = await mcp.call("conversationStream", { conversation_id: id }, { id: 70 });
    expect(first.result).toEqual(structured({}));
    const initial = await mcp.next(({ method }) => method === "notifications/initial_state");
    expect(initial.params._meta).toEqual({ requestId: 70, conversationId: id });
    const second = await mcp.call("conversationStream", { conversation_id: id }, { id: 71 });
    expect(second.result.isError).toBe(false);
    expect(await mcp.next(({ method }) => method === "notifications/stream_disconnected")).toMatchObject({
      params: { _meta: { requestId: 70, conversationId: id }, reason: expect.any(String) },
    });
    await mcp.next(({ method, params }) => method === "notifications/initial_state" && params._meta.requestId === 71);
    await expect.poll(async () => (await send(mcp, id, "b")).result.isError).toBe(false);
    await mcp.next(({ params }) => params?.msg?.last_agent_message === "Two.");
    const streamed = mcp.messages.filter(({ params }) => params?.msg !== undefined);
    expect(streamed.at(-1)).toMatchObject({
      method: "notifications/task_complete",
      params: { _meta: { requestId: 71, conversationId: id }, msg: { last_agent_message: "Two." } },
    });
    mcp.send({ method: "notifications/cancelled", params: { requestId: 71 } });
    const count = mcp.messages.length;
    await send(mcp, id, "c");
    await model.received(3);
    await mcp.request("interruptConversation", { conversationId: id });
    expect(mcp.messages.slice(count).filter(({ method }) => method !== undefined)).toEqual([]);
  });

  test("the initial state holds the events so far, without the pieces of whole messages", async () => {
    await using model = await fakeModel([say("One.")]);
    await using mcp = startMcp({ model, config: fullAccess });
    const id = await create(mcp);
    await send(mcp, id, "a");
    await mcp.event("task_complete");
    await mcp.call("conversationStream", { conversation_id: id });
    const { params } = await mcp.next(({ method }) => method === "notifications/initial_state");
    const types = params.initial_state.events.map(
      (event: { readonly msg: { readonly type: string } }) => event.msg.type,
    );
    expect(types).toEqual(["task_started", "agent_message", "token_count", "task_complete"]);
  });

  test("an unknown conversation has no stream", async () => {
    await using mcp = startMcp();
    const { result } = await mcp.call("conversationStream", { conversation_id: unknown });
    expect(result).toEqual({ content: [], isError: true });
  });

  test("the list has pages", async () => {
    await using model = await fakeModel([say("One."), say("Two.")]);
    await using mcp = startMcp({ model, config: fullAccess });
    const ids: string[] = [];
    for (const prompt of ["first", "second"]) {
      ids.push((await mcp.call("codex", { prompt })).result.structuredContent.conversationId);
    }
    const all = (await mcp.call("conversationsList")).result.structuredContent.conversations;
    expect(all.map(({ title }: { readonly title: string }) => title).sort()).toEqual(["first", "second"]);
    const page = (await mcp.call("conversationsList", { limit: 1 })).result.structuredContent;
    const next = await mcp.call("conversationsList", { limit: 1, cursor: page.next_cursor });
    const found = [...page.conversations, ...next.result.structuredContent.conversations];
    expect(found.map(({ conversation_id }) => conversation_id).sort()).toEqual(ids.sort());
  });

  test.each(["conversation_create", "conversation.create"])("%s is no tool", async (name) => {
    await using mcp = startMcp();
    expect(textOf(await mcp.call(name, {}))).toBe(`Unknown tool '${name}'`);
  });
});
