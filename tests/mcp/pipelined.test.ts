import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { callShell, fakeModel, say } from "../support/fake-model.ts";
import { fullAccess, type McpMessage, type McpSession, startMcp, textOf, untrusted } from "../support/mcp-session.ts";
import { inputOf } from "../support/requests.ts";

/** All in one write, so that nothing of the first is done when the last comes. Returns the answers in that order. */
function sendAtOnce(
  mcp: McpSession,
  requests: readonly (readonly [method: string, params: object])[],
): Promise<readonly McpMessage[]> {
  const lines = requests.map(([method, params], at) => JSON.stringify({ jsonrpc: "2.0", id: at, method, params }));
  const answers = requests.map((_, at) => mcp.next(({ id, method }) => id === at && method === undefined));
  mcp.write(`${lines.join("\n")}\n`);
  return Promise.all(answers);
}

const reply = (conversationId: string, prompt: string) =>
  ["tools/call", { name: "codex-reply", arguments: { conversationId, prompt } }] as const;
const message = (conversationId: string, text: string) =>
  ["sendUserMessage", { conversationId, items: [{ type: "text", data: { text } }] }] as const;

/** A session with one turn; where its file is. */
async function begun(mcp: McpSession): Promise<{ readonly conversationId: string; readonly rolloutPath: string }> {
  const { result } = await mcp.call("codex", { prompt: "first" });
  const first = await mcp.event("session_configured");
  return { conversationId: result.structuredContent.conversationId, rolloutPath: first.params.msg.rollout_path };
}

describe("what is asked for while a conversation ends or is resumed", () => {
  test("replies behind an archiveConversation are all answered", async () => {
    await using model = await fakeModel([say("one"), ...Array.from({ length: 20 }, () => say("more"))], {
      lenient: true,
    });
    await using mcp = startMcp({ model, config: fullAccess });
    const session = await begun(mcp);
    const replies = Array.from({ length: 20 }, (_, at) => reply(session.conversationId, `again ${at}`));
    const [archived, ...answers] = await sendAtOnce(mcp, [["archiveConversation", session], ...replies]);
    expect(archived?.result).toEqual({});
    for (const answer of answers) expect(textOf(answer)).toMatch(/^Session not found/);
  });

  test("a reply that waits for its turn while the session is archived is answered as one that was interrupted", async () => {
    await using model = await fakeModel([say("one"), { hang: true }]);
    await using mcp = startMcp({ model, config: fullAccess });
    const session = await begun(mcp);
    const running = mcp.request(...reply(session.conversationId, "second"));
    await model.received(2);
    const [waiting, archived] = await sendAtOnce(mcp, [
      reply(session.conversationId, "third"),
      ["archiveConversation", session],
    ]);
    expect(archived?.result).toEqual({});
    expect([await running, waiting as McpMessage].map(textOf)).toEqual([" Turn interrupted", " Turn interrupted"]);
  });

  test("an archiveConversation behind the resume of the same session waits for it", async () => {
    await using model = await fakeModel([say("one")]);
    await using before = startMcp({ model, config: fullAccess });
    const { conversationId, rolloutPath } = await begun(before);
    const text = readFileSync(rolloutPath, "utf8");
    await using mcp = startMcp({ config: fullAccess });
    const file = path.join(mcp.codex.place.home, "sessions/2025/09/10", path.basename(rolloutPath));
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text);
    const [resumed, archived] = await sendAtOnce(mcp, [
      ["resumeConversation", { path: file }],
      ["archiveConversation", { conversationId, rolloutPath: file }],
    ]);
    expect(resumed?.result).toMatchObject({ conversationId });
    expect(archived?.result).toEqual({});
    const refused = await mcp.request(...message(conversationId, "late"));
    expect(refused.error?.message).toBe(`conversation not found: ${conversationId}`);
  });

  test("a message behind an archiveConversation is refused, not lost", async () => {
    await using model = await fakeModel([say("one")]);
    await using mcp = startMcp({ model, config: fullAccess });
    const session = await begun(mcp);
    const { conversationId } = session;
    const [, sent] = await sendAtOnce(mcp, [["archiveConversation", session], message(conversationId, "lost?")]);
    expect(sent?.error?.message).toBe(`conversation not found: ${conversationId}`);
  });

  test("messages behind the resume of a live conversation go to the resumed one", async () => {
    await using model = await fakeModel([say("one"), say("two"), say("three")]);
    await using mcp = startMcp({ model, config: fullAccess });
    const { conversationId, rolloutPath } = await begun(mcp);
    const [resumed, sent, replied] = await sendAtOnce(mcp, [
      ["resumeConversation", { path: rolloutPath, overrides: { model: "other" } }],
      message(conversationId, "second"),
      reply(conversationId, "third"),
    ]);
    expect(resumed?.result).toMatchObject({ conversationId, model: "other" });
    expect(sent?.result).toEqual({});
    expect(textOf(replied as McpMessage)).toBe("three");
    expect(model.requests.slice(1).map(({ body }) => (body as { model: string }).model)).toEqual(["other", "other"]);
  });

  test("conversationSendMessage and conversationStream behind a resume find the session", async () => {
    await using model = await fakeModel([say("one"), say("two")]);
    await using mcp = startMcp({ model, config: fullAccess });
    const { conversationId: conversation_id, rolloutPath } = await begun(mcp);
    const content = [{ type: "text", text: "second" }];
    const [, sent, streamed] = await sendAtOnce(mcp, [
      ["resumeConversation", { path: rolloutPath }],
      ["tools/call", { name: "conversationSendMessage", arguments: { conversation_id, content } }],
      ["tools/call", { name: "conversationStream", arguments: { conversation_id } }],
    ]);
    expect(sent?.result.structuredContent).toEqual({ status: "ok" });
    expect(streamed?.result.isError).not.toBe(true);
    await mcp.next(({ method }) => method === "notifications/task_complete");
  });

  test("a resume with settings of its own has them, also behind another resume of the same session", async () => {
    await using model = await fakeModel([say("one"), say("two"), say("three")], { lenient: true });
    await using before = startMcp({ model, config: fullAccess });
    const { conversationId, rolloutPath } = await begun(before);
    const text = readFileSync(rolloutPath, "utf8");
    await using mcp = startMcp({ model, config: fullAccess });
    const file = path.join(mcp.codex.place.home, "sessions/2025/09/10", path.basename(rolloutPath));
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text);
    const [, resumed] = await sendAtOnce(mcp, [
      reply(conversationId, "second"),
      ["resumeConversation", { path: file, overrides: { sandbox: "read-only", model: "other" } }],
    ]);
    expect(resumed?.result).toMatchObject({ conversationId, model: "other" });
    expect((await mcp.request(...reply(conversationId, "third"))).result.isError).toBeUndefined();
    const last = model.requests.length; // the second prompt may not have come so far
    expect(model.requests[last - 1]?.body).toMatchObject({ model: "other" });
    expect(JSON.stringify(inputOf(model, last))).toContain("<sandbox_mode>read-only</sandbox_mode>");
  });

  test("replies by the id in a file's name reach the session in it, one after the other", async () => {
    await using model = await fakeModel([say("one"), say("two"), say("three")]);
    await using mcp = startMcp({ model, config: fullAccess });
    const { conversationId, rolloutPath } = await begun(mcp);
    const other = "6f3c1f9e-0000-4000-8000-00000000000a";
    const text = readFileSync(rolloutPath, "utf8").replaceAll(conversationId, "6f3c1f9e-0000-4000-8000-00000000000b");
    writeFileSync(rolloutPath.replace(conversationId, other), text);
    const answers = await sendAtOnce(mcp, [reply(other, "second"), reply(other, "third")]);
    expect(answers.map(textOf)).toEqual(["two", "three"]);
  });
});

describe("a question that nobody could be asked when it came up", () => {
  async function waiting(mcp: McpSession): Promise<string> {
    await mcp.initialize({ elicitation: {} });
    const { conversationId } = (await mcp.request("newConversation", {})).result;
    await mcp.request(...message(conversationId, "first"));
    return conversationId;
  }

  test.each(["queue", "steer"])("is put to a codex-reply that comes later (--busy %s)", async (busy) => {
    await using model = await fakeModel([callShell(["touch", "x"]), say("done"), say("and more")], { lenient: true });
    await using mcp = startMcp({ model, config: untrusted, args: ["--busy", busy] });
    const conversationId = await waiting(mcp);
    await model.received(1);
    const answer = mcp.call("codex-reply", { conversationId, prompt: "second" });
    mcp.answer(await mcp.asked("elicitation/create"), { decision: "approved" });
    expect((await answer).result.isError).toBeUndefined();
    expect(Object.keys(mcp.codex.place.files())).toEqual(["x"]);
  });

  test("is put to the next one when the one who was asked goes", async () => {
    await using model = await fakeModel([callShell(["touch", "x"]), say("done"), say("and more")], { lenient: true });
    await using mcp = startMcp({ model, config: untrusted });
    const conversationId = await waiting(mcp);
    await model.received(1);
    const gone = mcp.call("codex-reply", { conversationId, prompt: "second" }, { id: "gone" });
    const first = await mcp.asked("elicitation/create");
    mcp.send({ method: "notifications/cancelled", params: { requestId: "gone" } });
    expect((await gone).result.isError).toBe(true);
    const withdrawn = await mcp.next(({ method }) => method === "notifications/cancelled");
    expect(withdrawn.params.requestId).toBe(first.id);
    const answer = mcp.call("codex-reply", { conversationId, prompt: "third" });
    mcp.answer(await mcp.asked("elicitation/create"), { decision: "approved" });
    expect((await answer).result.isError).toBeUndefined();
    expect(Object.keys(mcp.codex.place.files())).toEqual(["x"]);
  });

  test("is put to a conversationStream that begins later", async () => {
    await using model = await fakeModel([callShell(["touch", "x"]), say("done")]);
    await using mcp = startMcp({ model, config: untrusted });
    const conversation_id = await waiting(mcp);
    await model.received(1);
    await mcp.call("conversationStream", { conversation_id });
    mcp.answer(await mcp.asked("elicitation/create"), { decision: "approved" });
    await mcp.next(({ method }) => method === "notifications/task_complete");
    expect(Object.keys(mcp.codex.place.files())).toEqual(["x"]);
  });
});
