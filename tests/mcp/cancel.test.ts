import { existsSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { isAlive } from "../process/support.ts";
import { callShell, fakeModel, say } from "../support/fake-model.ts";
import { longBefore } from "../support/long-before.ts";
import { eventsOf, fullAccess, type McpSession, startMcp, textOf, typesOf, untrusted } from "../support/mcp-session.ts";

const interrupted = (id: unknown) => ({
  content: [{ type: "text", text: " Turn interrupted" }],
  isError: true,
  error: " Turn interrupted",
  structuredContent: { conversationId: id, sessionId: id, threadId: id, error: " Turn interrupted" },
});

function cancel(mcp: McpSession, requestId: unknown): void {
  mcp.send({ method: "notifications/cancelled", params: { requestId, reason: "user" } });
}

const hangs = say("never", { delayMs: 900_000 });

describe("cancelling", () => {
  test("the turn is aborted, the call answered, and a reply goes on under its own id", async () => {
    await using model = await fakeModel([hangs, say("Still here.")]);
    await using mcp = startMcp({ model, config: fullAccess });
    const call = mcp.call("codex", { prompt: "hi" }, { id: 30 });
    await model.received(1);
    cancel(mcp, 30);
    const { result } = await longBefore(300_000, () => call);
    const { conversationId } = result.structuredContent;
    expect(result).toEqual(interrupted(conversationId));
    expect(typesOf(eventsOf(mcp, 30)).at(-1)).toBe("turn_aborted");
    const reply = await mcp.call("codex-reply", { conversationId, prompt: "again" }, { id: 31 });
    expect(textOf(reply)).toBe("Still here.");
    expect(typesOf(eventsOf(mcp, 31))).toEqual([
      "task_started",
      "agent_message_delta",
      "agent_message",
      "token_count",
      "task_complete",
    ]);
    expect(typesOf(eventsOf(mcp, 30)).at(-1)).toBe("turn_aborted");
  });

  test("a reply can be cancelled too, and one that waits leaves the queue", async () => {
    await using model = await fakeModel([say("One."), hangs, say("Three.")]);
    await using mcp = startMcp({ model, config: fullAccess });
    const { result } = await mcp.call("codex", { prompt: "hi" });
    const { conversationId } = result.structuredContent;
    const running = mcp.call("codex-reply", { conversationId, prompt: "second" }, { id: 2 });
    const waiting = mcp.call("codex-reply", { conversationId, prompt: "waits" }, { id: 3 });
    await model.received(2);
    cancel(mcp, 3);
    expect((await waiting).result).toEqual(interrupted(conversationId));
    cancel(mcp, 2);
    expect((await running).result).toEqual(interrupted(conversationId));
    expect(textOf(await mcp.call("codex-reply", { conversationId, prompt: "third" }))).toBe("Three.");
  });

  test("the id counts with its type", async () => {
    await using model = await fakeModel([hangs]);
    await using mcp = startMcp({ model, config: fullAccess });
    const call = mcp.call("codex", { prompt: "hi" }, { id: 35 });
    await model.received(1);
    cancel(mcp, "35");
    await mcp.request("ping");
    expect(typesOf(eventsOf(mcp, 35))).not.toContain("turn_aborted");
    cancel(mcp, 35);
    expect((await call).result.isError).toBe(true);
  });

  test("a cancel of nothing changes nothing", async () => {
    await using model = await fakeModel([say("One.")]);
    await using mcp = startMcp({ model, config: fullAccess });
    await mcp.call("codex", { prompt: "hi" }, { id: 1 });
    const count = mcp.messages.length;
    for (const id of [99, 1, null, 1.5, undefined]) cancel(mcp, id);
    mcp.send({ method: "notifications/cancelled" });
    await mcp.request("ping");
    expect(mcp.messages).toHaveLength(count + 1);
  });

  test("a cancel right behind the call is not lost", async () => {
    await using model = await fakeModel([say("After.")]);
    await using mcp = startMcp({ model, config: fullAccess });
    const call = {
      jsonrpc: "2.0",
      id: 1,
      method: "tools/call",
      params: { name: "codex", arguments: { prompt: "hi" } },
    };
    const notification = { jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: 1 } };
    mcp.write(`${JSON.stringify(call)}\n${JSON.stringify(notification)}\n`);
    const { result } = await mcp.next(({ id }) => id === 1);
    expect(result).toEqual(interrupted(result.structuredContent.conversationId));
    expect(model.requests).toHaveLength(0);
    const { conversationId } = result.structuredContent;
    expect(textOf(await mcp.call("codex-reply", { conversationId, prompt: "again" }))).toBe("After.");
  });

  test("an open question is withdrawn, and a late answer changes nothing", async () => {
    await using model = await fakeModel([callShell(["touch", "made"])]);
    await using mcp = startMcp({ model, config: untrusted });
    await mcp.initialize();
    const call = mcp.call("codex", { prompt: "hi" }, { id: 1 });
    const question = await mcp.asked("elicitation/create");
    cancel(mcp, 1);
    await call;
    expect(await mcp.next(({ method }) => method === "notifications/cancelled")).toMatchObject({
      params: { requestId: question.id },
    });
    const count = mcp.messages.length;
    mcp.answer(question, { decision: "approved" });
    await mcp.request("ping");
    expect(mcp.messages).toHaveLength(count + 1);
    expect(mcp.codex.place.files()).toEqual({});
  });

  test.each([
    ["a program", ["sleep", "900"]],
    ["a shell with a child", ["bash", "-c", "sleep 900 & echo $$ $! > pids.tmp; mv pids.tmp pids; wait; echo x"]],
  ])("%s is killed with all it has started", async (_, command) => {
    await using model = await fakeModel([callShell(command, { args: { timeout_ms: 900_000 } })]);
    await using mcp = startMcp({ model, config: fullAccess });
    const call = mcp.call("codex", { prompt: "hi" }, { id: 1 });
    await mcp.event("exec_command_begin");
    const file = path.join(mcp.codex.place.work, "pids");
    const isShell = command[0] === "bash";
    if (isShell) await expect.poll(() => existsSync(file)).toBe(true);
    const pids = isShell ? (mcp.codex.place.files()["pids"] ?? "").trim().split(" ").map(Number) : [];
    cancel(mcp, 1);
    await longBefore(900_000, () => call);
    await expect.poll(() => pids.filter(isAlive)).toEqual([]);
  });
});
