import { copyFileSync, existsSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { callShell, callTool, fakeModel, say } from "../support/fake-model.ts";
import { longBefore } from "../support/long-before.ts";
import { fullAccess, type McpMessage, type McpSession, startMcp, textOf, untrusted } from "../support/mcp-session.ts";
import { inputOf } from "../support/requests.ts";

const unknown = "6f3c1f9e-0000-4000-8000-00000000000a";
const item = (text: string) => ({ type: "text", data: { text } });

async function create(mcp: McpSession, params: object = {}): Promise<string> {
  return (await mcp.request("newConversation", params)).result.conversationId;
}

const listen = (mcp: McpSession, conversationId: string) => mcp.request("addConversationListener", { conversationId });
const say_ = (mcp: McpSession, conversationId: string, text: string) =>
  mcp.request("sendUserMessage", { conversationId, items: [item(text)] });

function told(messages: readonly McpMessage[]): readonly string[] {
  return messages.flatMap(({ method }) => (method?.startsWith("codex/event/") ? [method.slice(12)] : []));
}

const oneTurn = ["task_started", "agent_message_delta", "agent_message", "token_count", "task_complete"];

describe("new conversations", () => {
  test("id, model and file, and no event", async () => {
    await using mcp = startMcp({ config: fullAccess });
    const { result } = await mcp.request("newConversation", { model: "m-new" });
    expect(result).toEqual({
      conversationId: expect.stringMatching(/^[\da-f-]{36}$/),
      model: "m-new",
      reasoningEffort: "medium",
      rolloutPath: expect.stringContaining(result.conversationId),
    });
    await mcp.request("ping");
    expect(mcp.messages).toHaveLength(2);
  });

  test("params that do not fit, and a profile that is not there", async () => {
    await using mcp = startMcp();
    for (const params of [undefined, { approvalPolicy: "auto" }, []]) {
      expect((await mcp.request("newConversation", params)).error?.code).toBe(-32602);
    }
    expect((await mcp.request("newConversation", { profile: "zzz" })).error).toEqual({
      code: -32600,
      message: "error deriving config: config profile `zzz` not found",
    });
  });

  test("a message to it, and its events to a listener", async () => {
    await using model = await fakeModel([say("done")]);
    await using mcp = startMcp({ model, config: fullAccess });
    const conversationId = await create(mcp);
    const write = (id: number, method: string, params: object) =>
      `${JSON.stringify({ jsonrpc: "2.0", id, method, params: { conversationId, ...params } })}\n`;
    mcp.write(write(1, "addConversationListener", {}) + write(2, "sendUserMessage", { items: [item("hello")] }));
    await mcp.event("task_complete");
    expect(mcp.messages.slice(1, 3).map(({ id, result }) => [id, result])).toEqual([
      [1, { subscriptionId: expect.stringMatching(/^[\da-f-]{36}$/) }],
      [2, {}],
    ]);
    expect(told(mcp.messages)).toEqual(oneTurn);
    expect(mcp.messages[3]).toEqual({
      jsonrpc: "2.0",
      method: "codex/event/task_started",
      params: { id: "0", msg: { type: "task_started", model_context_window: null }, conversationId },
    });
  });

  test("items as the structured tools have them are taken too", async () => {
    await using model = await fakeModel([say("done")]);
    await using mcp = startMcp({ model, config: fullAccess });
    const conversationId = await create(mcp);
    const items = [{ type: "text", text: "flat" }];
    expect((await mcp.request("sendUserMessage", { conversationId, items })).result).toEqual({});
    await model.received(1);
    expect(inputOf(model, 1).at(-1)?.content?.at(-1)?.text).toBe("flat");
  });

  test("a conversation that is not there", async () => {
    await using mcp = startMcp();
    const turn = {
      cwd: "/",
      approvalPolicy: "never",
      sandboxPolicy: { mode: "read-only" },
      model: "m",
      summary: "auto",
    };
    const requests = {
      sendUserMessage: { items: [item("x")] },
      sendUserTurn: { items: [item("x")], ...turn },
      addConversationListener: {},
      interruptConversation: {},
    };
    for (const [method, params] of Object.entries(requests)) {
      const { error } = await mcp.request(method, { conversationId: unknown.toUpperCase(), ...params });
      expect(error).toEqual({ code: -32600, message: `conversation not found: ${unknown}` });
    }
    expect((await mcp.request("interruptConversation", { conversationId: "x" })).error?.code).toBe(-32602);
  });

  test("a message without items is refused, and the next one served", async () => {
    await using model = await fakeModel([say("done")]);
    await using mcp = startMcp({ model, config: fullAccess });
    const conversationId = await create(mcp);
    await listen(mcp, conversationId);
    const { error } = await mcp.request("sendUserMessage", { conversationId, items: [] });
    expect(error).toEqual({ code: -32602, message: "items must not be empty" });
    await say_(mcp, conversationId, "x");
    await mcp.event("task_complete");
  });

  test("a message in a turn joins it", async () => {
    await using model = await fakeModel([callShell(["sleep", "0.4"]), say("done")]);
    await using mcp = startMcp({ model, config: fullAccess });
    const conversationId = await create(mcp);
    await listen(mcp, conversationId);
    await say_(mcp, conversationId, "first");
    await mcp.event("exec_command_begin");
    await say_(mcp, conversationId, "second");
    await mcp.event("task_complete");
    expect(told(mcp.messages).filter((type) => type === "task_started")).toHaveLength(1);
    expect(inputOf(model, 2).at(-1)?.content?.at(-1)?.text).toBe("second");
  });
});

describe("sendUserTurn", () => {
  const turn = (mcp: McpSession) => ({
    cwd: mcp.codex.place.work,
    approvalPolicy: "never",
    sandboxPolicy: { mode: "read-only" },
    model: "m-turn",
    summary: "auto",
    items: [item("x")],
  });

  test("its settings hold for this turn; effort may be left out", async () => {
    await using model = await fakeModel([say("one"), say("two")]);
    await using mcp = startMcp({ model, config: fullAccess });
    const conversationId = await create(mcp);
    await listen(mcp, conversationId);
    expect((await mcp.request("sendUserTurn", { conversationId, ...turn(mcp) })).result).toEqual({});
    await mcp.event("task_complete");
    await say_(mcp, conversationId, "again");
    await mcp.event("task_complete");
    const models = model.requests.map(({ body }) => (body as { readonly model: string }).model);
    expect(models).toEqual(["m-turn", "mock-model"]);
  });

  test.each([
    [{ mode: "workspace-write" }, true],
    [{ mode: "workspace-write", network_access: true, writable_roots: ["/var/tmp"] }, true],
    ["read-only", false],
    [{ mode: "bogus" }, false],
  ])("the policy %j", async (sandboxPolicy, isGood) => {
    await using model = await fakeModel(isGood ? [say("one")] : []);
    await using mcp = startMcp({ model, config: fullAccess });
    const conversationId = await create(mcp);
    await listen(mcp, conversationId);
    const answer = await mcp.request("sendUserTurn", { conversationId, ...turn(mcp), sandboxPolicy });
    if (isGood) await mcp.event("task_complete");
    else expect(answer.error?.code).toBe(-32602);
  });
});

describe("approvals", () => {
  test("execCommandApproval follows its event, counts with elicitations, and an error denies", async () => {
    await using model = await fakeModel([
      callShell(["touch", "a"]),
      say("one"),
      callShell(["touch", "b"]),
      callShell(["touch", "c"]),
      say("two"),
    ]);
    await using mcp = startMcp({ model, config: untrusted });
    await mcp.initialize();
    const call = mcp.call("codex", { prompt: "x" });
    mcp.answer(await mcp.asked("elicitation/create"), { decision: "approved" });
    await call;
    const conversationId = await create(mcp);
    await listen(mcp, conversationId);
    await say_(mcp, conversationId, "go");
    const question = await mcp.asked("execCommandApproval");
    expect(question).toEqual({
      id: 1,
      jsonrpc: "2.0",
      method: "execCommandApproval",
      params: {
        conversation_id: conversationId,
        call_id: "call_3",
        command: ["touch", "b"],
        cwd: mcp.codex.place.work,
      },
    });
    const before = mcp.messages[mcp.messages.indexOf(question) - 1];
    expect(before?.method).toBe("codex/event/exec_approval_request");
    mcp.answer(question, { decision: "approved" });
    const { id } = await mcp.asked("execCommandApproval");
    mcp.send({ id, error: { code: -1, message: "no" } });
    await mcp.next(({ method }) => method === "codex/event/task_complete");
    expect(Object.keys(mcp.codex.place.files())).toEqual(["a", "b"]);
  });

  test("applyPatchApproval", async () => {
    const input = "*** Begin Patch\n*** Add File: np.txt\n+hi\n*** End Patch\n";
    await using model = await fakeModel([callTool("apply_patch", { input }), say("one")]);
    await using mcp = startMcp({ model, config: untrusted });
    const conversationId = await create(mcp);
    await listen(mcp, conversationId);
    await say_(mcp, conversationId, "go");
    const question = await mcp.asked("applyPatchApproval");
    expect(question.params).toEqual({
      conversation_id: conversationId,
      call_id: "call_1",
      file_changes: { [`${mcp.codex.place.work}/np.txt`]: { add: { content: "hi\n" } } },
    });
    mcp.answer(question, { decision: "approved_for_session" });
    await mcp.event("task_complete");
    expect(mcp.codex.place.files()).toEqual({ "np.txt": "hi\n" });
  });

  test("without a listener a question waits for one, with the events before it", async () => {
    await using model = await fakeModel([callShell(["touch", "late"]), say("one")]);
    await using mcp = startMcp({ model, config: untrusted });
    const conversationId = await create(mcp);
    await say_(mcp, conversationId, "go");
    await model.received(1);
    await expect.poll(() => mcp.codex.place.homeFiles()[rolloutName(mcp)]).toContain("touch");
    expect(told(mcp.messages)).toEqual([]);
    await listen(mcp, conversationId);
    mcp.answer(await mcp.asked("execCommandApproval"), { decision: "approved" });
    await mcp.event("task_complete");
    expect(told(mcp.messages).slice(0, 2)).toEqual(["task_started", "exec_approval_request"]);
    expect(mcp.codex.place.files()).toEqual({ late: "" });
  });
});

function rolloutName(mcp: McpSession): string {
  return Object.keys(mcp.codex.place.homeFiles()).find((name) => name.startsWith("sessions/")) ?? "";
}

describe("listeners", () => {
  test("each of two gets each event, also beside a tool call", async () => {
    await using model = await fakeModel([say("one"), say("two")]);
    await using mcp = startMcp({ model, config: fullAccess });
    const conversationId = await create(mcp);
    await listen(mcp, conversationId);
    await listen(mcp, conversationId);
    await say_(mcp, conversationId, "go");
    await mcp.event("task_complete");
    await mcp.event("task_complete");
    expect(told(mcp.messages)).toEqual(oneTurn.flatMap((type) => [type, type]));
    expect(textOf(await mcp.call("codex-reply", { conversationId, prompt: "x" }))).toBe("two");
    expect(told(mcp.messages)).toHaveLength(4 * oneTurn.length);
  });

  test("a second one gets the running turn from its beginning", async () => {
    await using model = await fakeModel([say("one", { delayMs: 400 })]);
    await using mcp = startMcp({ model, config: fullAccess });
    const conversationId = await create(mcp);
    await listen(mcp, conversationId);
    await say_(mcp, conversationId, "go");
    await mcp.event("task_started");
    await listen(mcp, conversationId);
    await mcp.event("task_started");
    await mcp.event("task_complete");
  });

  test("one can be removed once", async () => {
    await using mcp = startMcp({ config: fullAccess });
    const conversationId = await create(mcp);
    const { subscriptionId } = (await listen(mcp, conversationId)).result;
    expect((await mcp.request("removeConversationListener", { subscriptionId })).result).toEqual({});
    expect((await mcp.request("removeConversationListener", { subscriptionId })).error).toEqual({
      code: -32600,
      message: `subscription not found: ${subscriptionId}`,
    });
  });
});

describe("interruptConversation", () => {
  test("two at once are both answered after the one abort", async () => {
    await using model = await fakeModel([say("x", { delayMs: 900_000 }), say("after")]);
    await using mcp = startMcp({ model, config: fullAccess });
    const conversationId = await create(mcp);
    await listen(mcp, conversationId);
    await say_(mcp, conversationId, "go");
    await model.received(1);
    const both = [
      mcp.request("interruptConversation", { conversationId }),
      mcp.request("interruptConversation", { conversationId }),
    ];
    for (const answer of await Promise.all(both)) expect(answer.result).toEqual({ abortReason: "interrupted" });
    expect(told(mcp.messages)).toEqual(["task_started", "turn_aborted"]);
    expect(mcp.messages.at(-3)?.method).toBe("codex/event/turn_aborted");
    await say_(mcp, conversationId, "again");
    await mcp.event("task_complete");
  });

  test("it is answered when idle, without a listener, and for the turn of a call", async () => {
    const hangs = say("x", { delayMs: 900_000 });
    await using model = await fakeModel([hangs, hangs]);
    await using mcp = startMcp({ model, config: fullAccess });
    const conversationId = await create(mcp);
    const interrupt = (id: string) => mcp.request("interruptConversation", { conversationId: id });
    expect((await interrupt(conversationId)).result).toEqual({ abortReason: "interrupted" });
    await say_(mcp, conversationId, "go");
    await model.received(1);
    expect((await interrupt(conversationId)).result).toEqual({ abortReason: "interrupted" });
    const call = mcp.call("codex", { prompt: "hi" });
    const session = (await mcp.event("session_configured")).params.msg.session_id;
    await model.received(2);
    expect((await interrupt(session)).result).toEqual({ abortReason: "interrupted" });
    expect((await call).result).toMatchObject({ isError: true, error: " Turn interrupted" });
  });
});

describe("sessions on disk", () => {
  test("the list has those with a message, newest first, in pages", async () => {
    await using model = await fakeModel([say("one"), say("two")]);
    await using mcp = startMcp({ model, config: fullAccess });
    expect((await mcp.request("listConversations", {})).result).toEqual({ items: [] });
    const ids: string[] = [];
    for (const prompt of ["first", "second"]) {
      await create(mcp);
      ids.push((await mcp.call("codex", { prompt })).result.structuredContent.conversationId);
    }
    const all = (await mcp.request("listConversations", {})).result.items;
    expect(all.map(({ preview }: { readonly preview: string }) => preview).sort()).toEqual(["first", "second"]);
    expect(all[0]).toEqual({
      conversationId: expect.stringMatching(/^[\da-f-]{36}$/),
      path: expect.stringContaining(mcp.codex.place.home),
      preview: expect.any(String),
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
    });
    const found: string[] = [];
    let cursor: string | undefined;
    for (const size of [1, 1, 0]) {
      const { result } = await mcp.request("listConversations", {
        pageSize: 1,
        ...(cursor === undefined ? {} : { cursor }),
      });
      expect(result.items).toHaveLength(size);
      found.push(...result.items.map(({ conversationId }: { readonly conversationId: string }) => conversationId));
      cursor = result.nextCursor;
      expect(cursor === undefined).toBe(size === 0);
    }
    expect([...found].sort()).toEqual([...ids].sort());
    expect((await mcp.request("listConversations", { cursor: "garbage" })).result.items).toHaveLength(2);
    expect((await mcp.request("listConversations", { pageSize: 0 })).result).toEqual({ items: [] });
  });

  test("a new process goes on with the session of an old one", async () => {
    await using model = await fakeModel([say("One."), say("Two."), say("Three."), say("Four.")]);
    await using mcp = startMcp({ model, config: fullAccess });
    const { result } = await mcp.call("codex", { prompt: "first" });
    const { conversationId } = result.structuredContent;
    const { path: file } = (await mcp.request("listConversations", {})).result.items[0];
    const env = { CODEX_HOME: mcp.codex.place.home };
    mcp.codex.child.kill("SIGKILL"); // the files stay until the session is disposed of

    await using second = startMcp({ model, env });
    const resumed = await second.request("resumeConversation", { path: file });
    expect(second.messages[0]).toMatchObject({
      method: "codex/event",
      params: { id: "", msg: { type: "session_configured", session_id: conversationId } },
    });
    expect(second.messages[0]?.params._meta).toBeUndefined();
    expect(resumed.result).toMatchObject({ conversationId, model: "mock-model" });
    expect(resumed.result.initialMessages.map(({ type }: { readonly type: string }) => type)).toEqual([
      "user_message",
      "agent_message",
      "token_count",
    ]);
    expect(textOf(await second.call("codex-reply", { conversationId, prompt: "second" }))).toBe("Two.");
    second.codex.child.kill("SIGKILL");

    await using third = startMcp({ model, env });
    const replies = [1, 2].map((id) => third.call("codex-reply", { conversationId, prompt: `p${id}` }, { id }));
    expect((await Promise.all(replies)).map(textOf)).toEqual(["Three.", "Four."]);
    const texts = inputOf(model, 3).map(({ content }) => content?.at(-1)?.text);
    expect(texts).toEqual(expect.arrayContaining(["first", "One.", "second", "Two."]));
  });

  test("files that hold no session", async () => {
    await using mcp = startMcp({ config: fullAccess, homeFiles: { empty: "", words: "no json\n" } });
    const { home } = mcp.codex.place;
    const details = {
      missing: "No such file or directory (os error 2)",
      empty: "empty session file",
      words: "failed to parse conversation ID from rollout file",
      ".": "Is a directory (os error 21)",
      "\0": "nul byte found in provided data",
    };
    for (const [name, detail] of Object.entries(details)) {
      const { error } = await mcp.request("resumeConversation", { path: path.join(home, name) });
      expect(error).toEqual({ code: -32603, message: `error resuming conversation: ${detail}` });
    }
    const { error } = await mcp.request("resumeConversation", { path: "/x", overrides: { profile: "zzz" } });
    expect(error).toEqual({ code: -32600, message: "error deriving config: config profile `zzz` not found" });
  });

  test("only a session's own file in our folder can be archived", async () => {
    await using mcp = startMcp({ config: fullAccess });
    const { conversationId, rolloutPath } = (await mcp.request("newConversation", {})).result;
    const outside = path.join(mcp.codex.place.work, `rollout-${conversationId}.jsonl`);
    writeFileSync(outside, "");
    const wrong = async (params: object) => (await mcp.request("archiveConversation", params)).error;
    expect(await wrong({ conversationId: unknown, rolloutPath })).toEqual({
      code: -32600,
      message: `rollout path \`${rolloutPath}\` does not match conversation id ${unknown}`,
    });
    for (const other of [outside, "relative.jsonl", "/no/such/file.jsonl"]) {
      expect(await wrong({ conversationId, rolloutPath: other })).toEqual({
        code: -32600,
        message: `rollout path \`${other}\` must be in sessions directory`,
      });
    }
  });

  test("that a copy of it is live here does not make another process's session ours to archive", async () => {
    await using model = await fakeModel([say("one")]);
    await using first = startMcp({ model, config: fullAccess });
    const { conversationId, rolloutPath } = (await first.request("newConversation", {})).result;
    await listen(first, conversationId);
    await say_(first, conversationId, "go");
    await first.event("task_complete");
    await using second = startMcp({ model, env: { CODEX_HOME: first.codex.place.home } });
    const copy = path.join(second.codex.place.work, "copy.jsonl");
    copyFileSync(rolloutPath, copy);
    const original = { conversationId, rolloutPath };
    for (const isCopyLive of [false, true]) {
      if (isCopyLive) await second.request("resumeConversation", { path: copy });
      expect((await second.request("archiveConversation", original)).error).toEqual({
        code: -32600,
        message: "the session is in use by another process",
      });
    }
    expect((await first.request("archiveConversation", original)).result).toEqual({});
    expect((await listen(second, conversationId)).error).toBeUndefined(); // it goes on
  });

  test("an archived one is gone from here, at once, whoever listens", async () => {
    await using model = await fakeModel([say("one"), say("x", { delayMs: 900_000 })]);
    await using mcp = startMcp({ model, config: fullAccess });
    const { conversationId, rolloutPath } = (await mcp.request("newConversation", {})).result;
    await listen(mcp, conversationId);
    await say_(mcp, conversationId, "go");
    await mcp.event("task_complete");
    await say_(mcp, conversationId, "hang");
    await model.received(2);
    const archive = mcp.request("archiveConversation", { conversationId, rolloutPath });
    await mcp.request("ping");
    expect((await longBefore(300_000, () => archive)).result).toEqual({});
    expect(told(mcp.messages).at(-1)).toBe("shutdown_complete");
    expect(existsSync(rolloutPath)).toBe(false);
    expect(existsSync(path.join(mcp.codex.place.home, "archived_sessions", path.basename(rolloutPath)))).toBe(true);
    expect((await say_(mcp, conversationId, "x")).error?.message).toBe(`conversation not found: ${conversationId}`);
    expect((await mcp.request("listConversations", {})).result).toEqual({ items: [] });
  });
});
