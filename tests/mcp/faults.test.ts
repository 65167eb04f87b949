import { existsSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { isAlive } from "../process/support.ts";
import { callShell, fakeModel, say } from "../support/fake-model.ts";
import { longBefore } from "../support/long-before.ts";
import { fullAccess, type McpSession, startMcp, textOf, untrusted } from "../support/mcp-session.ts";
import { untilStalled } from "../support/until-stalled.ts";

const stays = callShell(["bash", "-c", "sleep 60 & echo $$ $! > pids.tmp; mv pids.tmp pids; wait"], {
  args: { timeout_ms: 60_000 },
});

async function pidsOf(mcp: McpSession): Promise<readonly number[]> {
  await expect.poll(() => existsSync(path.join(mcp.codex.place.work, "pids"))).toBe(true);
  return (mcp.codex.place.files()["pids"] ?? "").trim().split(" ").map(Number);
}

const allGone = (pids: readonly number[]) => expect.poll(() => pids.filter(isAlive)).toEqual([]);

describe("lines", () => {
  test("invalid UTF-8 inside a request is an error, and what follows is served", async () => {
    await using mcp = startMcp();
    const line = Buffer.from('{"jsonrpc":"2.0","id":1,"method":"ping","params":{"x":"?"}}\n');
    line[line.indexOf("?")] = 0xff;
    mcp.write(line);
    expect(await mcp.next(({ id }) => id === null)).toMatchObject({ error: { code: -32700 } });
    expect((await mcp.request("ping")).result).toEqual({});
  });

  test("a line of 10 MB is served as any other", async () => {
    await using mcp = startMcp();
    expect((await mcp.request("ping", { filler: "x".repeat(10_000_000) })).result).toEqual({});
    mcp.write(`${"y".repeat(10_000_000)}\n`);
    expect(await mcp.next(({ id }) => id === null)).toMatchObject({ error: { code: -32700 } });
    expect((await mcp.request("ping")).result).toEqual({});
  });

  test("half a line, and silence: the rest completes it", async () => {
    await using mcp = startMcp();
    mcp.write('{"jsonrpc":"2.0","id":1,"me');
    await new Promise((written) => mcp.codex.child.stdin.write("", written));
    expect(mcp.lines).toEqual([]);
    mcp.write('thod":"ping"}\n');
    expect(await mcp.next(({ id }) => id === 1)).toMatchObject({ result: {} });
  });

  test("a line of broken JSON between two requests costs nothing but itself", async () => {
    await using mcp = startMcp();
    mcp.write('{"id":1,"method":"ping"}\n{"id":2,"method"\n[1,2]\n{"id":3,"method":"ping"}\n');
    await mcp.next(({ id }) => id === 3);
    expect(mcp.messages.map(({ id, error }) => error?.code ?? id)).toEqual([1, -32700, -32600, 3]);
  });

  test("an answer to a question never asked changes nothing", async () => {
    await using mcp = startMcp();
    mcp.send({ id: 77, result: { decision: "approved" } });
    mcp.send({ id: "x", error: { code: 1, message: "no" } });
    await mcp.request("ping");
    expect(mcp.messages).toHaveLength(1);
  });
});

describe("a client that goes away", () => {
  test("stdout closed while idle ends the server", async () => {
    await using mcp = startMcp();
    await mcp.request("ping");
    mcp.codex.child.stdout.destroy();
    expect((await mcp.ended()).exitCode).toBe(0);
  });

  test("stdout closed in a stream", async () => {
    const deltas = Array.from({ length: 2000 }, () => "word ");
    await using model = await fakeModel([say(deltas.join(""), { deltas, gapMs: 5 })], { lenient: true });
    await using mcp = startMcp({ model, config: fullAccess });
    mcp.send({ id: 1, method: "tools/call", params: { name: "codex", arguments: { prompt: "hi" } } });
    await mcp.event("agent_message_delta");
    mcp.codex.child.stdout.destroy();
    expect((await mcp.ended()).exitCode).toBe(0);
  });

  test("stdout closed while a command runs: it dies within a second, with all it has started", async () => {
    await using model = await fakeModel([stays]);
    await using mcp = startMcp({ model, config: fullAccess });
    mcp.send({ id: 1, method: "tools/call", params: { name: "codex", arguments: { prompt: "hi" } } });
    const pids = await pidsOf(mcp);
    mcp.codex.child.stdout.destroy();
    await longBefore(900_000, () => mcp.ended());
    await allGone(pids);
  });

  test("a client that dies while a question is open", async () => {
    await using model = await fakeModel([callShell(["touch", "x"])]);
    await using mcp = startMcp({ model, config: untrusted });
    await mcp.initialize();
    mcp.send({ id: 1, method: "tools/call", params: { name: "codex", arguments: { prompt: "hi" } } });
    await mcp.asked("elicitation/create");
    mcp.codex.child.stdin.destroy();
    mcp.codex.child.stdout.destroy();
    expect(await mcp.ended()).toMatchObject({ exitCode: 0, files: {} });
  });
});

describe.skipIf(process.platform !== "linux")("a client that stops reading", () => {
  test("the command waits until it reads again; then all of it arrives", async () => {
    const script = "head -c 200000000 /dev/zero | tr '\\0' a; touch finished";
    await using model = await fakeModel([
      callShell(["sh", "-c", script], { args: { timeout_ms: 900_000 } }),
      say("done"),
    ]);
    await using mcp = startMcp({ model, config: fullAccess });
    await mcp.request("ping");
    const { child, place } = mcp.codex;
    child.stdout.pause();
    mcp.send({ id: 1, method: "tools/call", params: { name: "codex", arguments: { prompt: "hi" } } });
    await model.received(1);
    await untilStalled(child.pid);
    expect(place.files()).toEqual({});
    child.stdout.resume();
    expect(textOf(await mcp.next(({ id }) => id === 1))).toBe("done");
  });

  test("others go on: a request without a listener is still served", async () => {
    const deltas = Array.from({ length: 3000 }, () => "x".repeat(200));
    const step = ({ body }: { readonly body: unknown }) =>
      JSON.stringify(body).includes("quiet") ? callShell(["touch", "made"]) : say(deltas.join(""), { deltas });
    await using model = await fakeModel([step, step, say("done")]);
    await using mcp = startMcp({ model, config: fullAccess });
    const { conversationId } = (await mcp.request("newConversation", {})).result;
    mcp.codex.child.stdout.pause();
    mcp.send({ id: 1, method: "tools/call", params: { name: "codex", arguments: { prompt: "loud" } } });
    await model.received(1);
    const items = [{ type: "text", text: "quiet" }];
    mcp.send({ id: 2, method: "sendUserMessage", params: { conversationId, items } });
    await expect.poll(() => existsSync(path.join(mcp.codex.place.work, "made"))).toBe(true);
    mcp.codex.child.stdout.resume();
    await mcp.next(({ id }) => id === 1);
  });
});
