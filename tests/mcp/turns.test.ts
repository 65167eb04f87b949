import { spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import type { Event } from "../../src/protocol/event.ts";
import { callShell, callTool, fakeModel, say } from "../support/fake-model.ts";
import { closedGate } from "../support/gate.ts";
import { eventsOf, fullAccess, startMcp, textOf, typesOf } from "../support/mcp-session.ts";
import { inputOf } from "../support/requests.ts";

const ids = (id: unknown) => ({ conversationId: id, sessionId: id, threadId: id });

/** The id in the first event of a new conversation. */
function sessionOf([first]: readonly Event[]): string | undefined {
  return first?.msg.type === "session_configured" ? first.msg.session_id : undefined;
}

describe("one turn", () => {
  test("events in order, then the answer with the id under its three names", async () => {
    await using model = await fakeModel([say("Ready.", { deltas: ["Rea", "dy."] })]);
    await using mcp = startMcp({ model, config: fullAccess });
    const { result } = await mcp.call("codex", { prompt: "hi" }, { id: 7 });
    const events = eventsOf(mcp, 7);
    expect(typesOf(events)).toEqual([
      "session_configured",
      "task_started",
      "agent_message_delta",
      "agent_message_delta",
      "agent_message",
      "token_count",
      "task_complete",
    ]);
    expect(events.map(({ id }) => id)).toEqual(["", ...Array(6).fill("7")]);
    const session = sessionOf(events);
    expect(result).toEqual({
      content: [{ type: "text", text: "Ready." }],
      structuredContent: { ...ids(session), content: "Ready." },
    });
    expect(mcp.messages.at(-1)?.id).toBe(7);
    expect(mcp.messages[0]?.params._meta).toEqual({ requestId: 7, conversationId: session });
  });

  test("a string id is the id of its events", async () => {
    await using model = await fakeModel([say("x")]);
    await using mcp = startMcp({ model, config: fullAccess });
    await mcp.call("codex", { prompt: "hi" }, { id: "c2" });
    expect(eventsOf(mcp, "c2").map(({ id }) => id)).toEqual(["", ...Array(5).fill("c2")]);
  });

  test("an answer without a message is the empty text", async () => {
    await using model = await fakeModel([{}]);
    await using mcp = startMcp({ model, config: fullAccess });
    expect(textOf(await mcp.call("codex", { prompt: "hi" }))).toBe("");
  });

  test("a command's output comes in base64, then its end, then the tokens", async () => {
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    const script = `process.stdout.write(Buffer.from("${bytes.toString("hex")}", "hex")); console.error("err"); process.exitCode = 3`;
    await using model = await fakeModel([callShell([process.execPath, "-e", script]), say("x")]);
    await using mcp = startMcp({ model, config: fullAccess });
    await mcp.call("codex", { prompt: "hi" }, { id: 1 });
    const events = eventsOf(mcp, 1).map(({ msg }) => msg);
    const chunks = (stream: string) =>
      events.flatMap((msg) => (msg.type === "exec_command_output_delta" && msg.stream === stream ? [msg.chunk] : []));
    for (const chunk of [...chunks("stdout"), ...chunks("stderr")]) {
      expect(Buffer.from(chunk, "base64").toString("base64")).toBe(chunk); // with its padding
    }
    const decode = (stream: string) => Buffer.concat(chunks(stream).map((chunk) => Buffer.from(chunk, "base64")));
    expect(decode("stdout")).toEqual(bytes);
    expect(decode("stderr").toString()).toBe("err\n");
    const types = events.map(({ type }) => type).filter((type) => type !== "exec_command_output_delta");
    expect(types.slice(2, 5)).toEqual(["exec_command_begin", "exec_command_end", "token_count"]);
    const all = events.map(({ type }) => type);
    expect(all.indexOf("exec_command_begin")).toBeLessThan(all.indexOf("exec_command_output_delta"));
    expect(all.lastIndexOf("exec_command_output_delta")).toBeLessThan(all.indexOf("exec_command_end"));
    expect(events.find(({ type }) => type === "exec_command_end")).toMatchObject({
      exit_code: 3,
      stdout: bytes.toString(),
      stderr: "err\n",
    });
  });

  test("three megabytes of output arrive whole, or cut where that is asked for", async () => {
    const print = callShell(["sh", "-c", "head -c 3000000 /dev/zero | tr '\\0' a"]);
    await using model = await fakeModel([print, say("one"), print, say("two")]);
    await using mcp = startMcp({ model, config: fullAccess });
    expect(textOf(await mcp.call("codex", { prompt: "hi" }, { id: 1 }))).toBe("one");
    const pieces = eventsOf(mcp, 1).flatMap(({ msg }) =>
      msg.type === "exec_command_output_delta" ? [Buffer.from(msg.chunk, "base64").length] : [],
    );
    expect(Math.max(...pieces)).toBeLessThanOrEqual(8192);
    expect(pieces.reduce((sum, length) => sum + length, 0)).toBe(3_000_000);
    const whole = eventsOf(mcp, 1).find(({ msg }) => msg.type === "exec_command_end")?.msg;
    expect(whole).toMatchObject({ stdout: "a".repeat(3_000_000) });

    await using cut = startMcp({ model, config: fullAccess, args: ["-c", "mcp.max_output_bytes=1000"] });
    expect(textOf(await cut.call("codex", { prompt: "hi" }, { id: 1 }))).toBe("two");
    const end = eventsOf(cut, 1).find(({ msg }) => msg.type === "exec_command_end")?.msg;
    const text = `${"a".repeat(500)}\n[... 2999000 bytes omitted ...]\n${"a".repeat(500)}`;
    expect(end).toMatchObject({ stdout: text, aggregated_output: text });
  });

  test.skipIf(process.platform !== "linux" || spawnSync("perl", ["-v"]).status !== 0)(
    "of a command that writes in tiny pieces ten thousand are told, and all of its output",
    async () => {
      // It asks the pipe whether its byte was taken (FIONREAD) before it writes the next, so no two are read as one.
      const script = `for (1 .. 11000) {
  syswrite STDOUT, "x";
  my $unread = pack "L", 1;
  ioctl STDOUT, 0x541B, $unread or die while unpack "L", $unread;
}`;
      const command = callShell(["perl", "-e", script], { args: { timeout_ms: 60_000 } });
      await using model = await fakeModel([command, say("x")]);
      await using mcp = startMcp({ model, config: fullAccess });
      await mcp.call("codex", { prompt: "hi" }, { id: 1 });
      const events = eventsOf(mcp, 1).map(({ msg }) => msg);
      const chunks = events.flatMap((msg) => (msg.type === "exec_command_output_delta" ? [msg.chunk] : []));
      expect(chunks.length).toBe(10_000);
      expect(chunks.every((chunk) => chunk === "eA==")).toBe(true);
      expect(events.find(({ type }) => type === "exec_command_end")).toMatchObject({ stdout: "x".repeat(11_000) });
    },
  );

  test("a character in two pieces is whole in the end", async () => {
    await using model = await fakeModel([
      callShell(["sh", "-c", "printf '\\303'; sleep 0.2; printf '\\251'"]),
      say("x"),
    ]);
    await using mcp = startMcp({ model, config: fullAccess });
    await mcp.call("codex", { prompt: "hi" }, { id: 1 });
    const events = eventsOf(mcp, 1).map(({ msg }) => msg);
    expect(events.find(({ type }) => type === "exec_command_end")).toMatchObject({ stdout: "é" });
  });

  test("a plan is told", async () => {
    const plan = [{ step: "look", status: "in_progress" }];
    await using model = await fakeModel([callTool("update_plan", { plan }), say("x")]);
    await using mcp = startMcp({ model, config: fullAccess });
    await mcp.call("codex", { prompt: "hi", "include-plan-tool": true });
    expect((await mcp.event("plan_update")).params.msg).toEqual({ type: "plan_update", explanation: null, plan });
  });

  test("two calls in one answer run one after the other", async () => {
    const calls = ["a", "b"].map((name) => ({ name: "shell", args: { command: ["touch", name] }, callId: name }));
    await using model = await fakeModel([{ calls }, say("x")]);
    await using mcp = startMcp({ model, config: fullAccess });
    await mcp.call("codex", { prompt: "hi" }, { id: 1 });
    const events = eventsOf(mcp, 1).flatMap(({ msg }) => ("call_id" in msg ? [`${msg.type} ${msg.call_id}`] : []));
    expect(events).toEqual([
      "exec_command_begin a",
      "exec_command_end a",
      "exec_command_begin b",
      "exec_command_end b",
    ]);
  });
});

describe("several calls", () => {
  test("a reply goes on with the conversation, under the numbers of its submissions", async () => {
    await using model = await fakeModel([say("One."), say("Two."), say("Three.")]);
    await using mcp = startMcp({ model, config: fullAccess });
    const { result } = await mcp.call("codex", { prompt: "first" }, { id: 1 });
    const { conversationId } = result.structuredContent;
    const reply = await mcp.call("codex-reply", { conversationId, prompt: "second" }, { id: "r" });
    await mcp.call("codex-reply", { conversationId, prompt: "third" }, { id: "s" });
    expect(reply.result).toEqual({
      content: [{ type: "text", text: "Two." }],
      structuredContent: { ...ids(conversationId), content: "Two." },
    });
    expect([...new Set(eventsOf(mcp, "r").map(({ id }) => id))]).toEqual(["0"]);
    expect([...new Set(eventsOf(mcp, "s").map(({ id }) => id))]).toEqual(["1"]);
    const texts = inputOf(model, 2).map(({ content }) => content?.at(-1)?.text);
    expect(texts.slice(-3)).toEqual(["first", "One.", "second"]);
  });

  test("two calls at once are two conversations, answered as they end", async () => {
    const byPrompt = (body: unknown) => JSON.stringify(body).includes("slow");
    const step = ({ body }: { readonly body: unknown }) =>
      byPrompt(body) ? say("slow.", { delayMs: 600 }) : say("fast.");
    await using model = await fakeModel([step, step]);
    await using mcp = startMcp({ model, config: fullAccess });
    const slow = mcp.call("codex", { prompt: "slow" }, { id: 1 });
    const fast = mcp.call("codex", { prompt: "quick" }, { id: 2 });
    expect([textOf(await slow), textOf(await fast)]).toEqual(["slow.", "fast."]);
    expect(mcp.messages.filter(({ result }) => result !== undefined).map(({ id }) => id)).toEqual([2, 1]);
    const sessions = [1, 2].map((id) => sessionOf(eventsOf(mcp, id)));
    expect(sessions[0]).not.toBe(sessions[1]);
    for (const id of [1, 2])
      expect(typesOf(eventsOf(mcp, id)).filter((type) => type === "task_complete")).toHaveLength(1);
  });

  test('68: 7 and "7" are different ids', async () => {
    await using model = await fakeModel([say("x"), say("x")]);
    await using mcp = startMcp({ model, config: fullAccess });
    const both = await Promise.all([
      mcp.call("codex", { prompt: "a" }, { id: 7 }),
      mcp.call("codex", { prompt: "b" }, { id: "7" }),
    ]);
    expect(both.map(({ id, result }) => [id, result.content[0].text])).toEqual([
      [7, "x"],
      ["7", "x"],
    ]);
  });

  test("ping and tools/list are answered in a turn", async () => {
    await using model = await fakeModel([say("x", { delayMs: 500 })]);
    await using mcp = startMcp({ model, config: fullAccess });
    const call = mcp.call("codex", { prompt: "hi" }, { id: 1 });
    await mcp.event("task_started");
    await mcp.request("ping");
    await mcp.request("tools/list");
    expect(mcp.messages.some(({ id }) => id === 1)).toBe(false);
    await call;
  });

  test("a reply to a conversation that works waits for its turn", async () => {
    await using model = await fakeModel([say("One.", { delayMs: 300 }), say("Two."), say("Three.")]);
    await using mcp = startMcp({ model, config: fullAccess });
    const first = mcp.call("codex", { prompt: "first" }, { id: 1 });
    const conversationId = (await mcp.event("session_configured")).params.msg.session_id;
    const second = mcp.call("codex-reply", { conversationId, prompt: "second" }, { id: 2 });
    const third = mcp.call("codex-reply", { conversationId, prompt: "third" }, { id: 3 });
    expect([textOf(await first), textOf(await second), textOf(await third)]).toEqual(["One.", "Two.", "Three."]);
    for (const id of [2, 3]) {
      expect(typesOf(eventsOf(mcp, id))).toEqual([
        "task_started",
        "agent_message_delta",
        "agent_message",
        "token_count",
        "task_complete",
      ]);
    }
  });

  test("with steer it joins the turn, and both are answered with the same text", async () => {
    await using model = await fakeModel([callShell(["sleep", "0.5"]), say("Both.")]);
    await using mcp = startMcp({ model, config: fullAccess, args: ["--busy", "steer"] });
    const first = mcp.call("codex", { prompt: "first" }, { id: 1 });
    const conversationId = (await mcp.event("session_configured")).params.msg.session_id;
    await mcp.event("exec_command_begin");
    const second = mcp.call("codex-reply", { conversationId, prompt: "and this" }, { id: 2 });
    expect([textOf(await first), textOf(await second)]).toEqual(["Both.", "Both."]);
    expect(inputOf(model, 2).at(-1)?.content?.at(-1)?.text).toBe("and this");
  });

  test("two replies at once on an idle conversation are both answered", async () => {
    await using model = await fakeModel([say("One."), say("Two."), say("Three.")]);
    await using mcp = startMcp({ model, config: fullAccess });
    const { result } = await mcp.call("codex", { prompt: "first" });
    const { conversationId } = result.structuredContent;
    const replies = [2, 3].map((id) => mcp.call("codex-reply", { conversationId, prompt: `p${id}` }, { id }));
    expect((await Promise.all(replies)).map(textOf)).toEqual(["Two.", "Three."]);
  });

  test("an id that is in use is refused, and the first call is served", async () => {
    await using model = await fakeModel([say("One.", { delayMs: 300 })]);
    await using mcp = startMcp({ model, config: fullAccess });
    mcp.send({ id: 5, method: "tools/call", params: { name: "codex", arguments: { prompt: "first" } } });
    await mcp.event("task_started");
    mcp.write('{"id":5,"method":"ping"}\n');
    expect(await mcp.next(({ error }) => error !== undefined)).toMatchObject({
      id: 5,
      error: { code: -32600, message: "request id already in use" },
    });
    expect(textOf(await mcp.next(({ id, result }) => id === 5 && result !== undefined))).toBe("One.");
  });
});

describe("turns that fail", () => {
  const failed = (id: unknown, error: unknown, detail?: string) => ({
    content: [{ type: "text", text: error }],
    isError: true,
    error,
    structuredContent: { ...ids(id), error, ...(detail === undefined ? {} : { detail }) },
  });

  test("what the model's server said stands beside the message", async () => {
    await using model = await fakeModel([{ status: 500, body: { error: { message: "out of order" } } }]);
    await using mcp = startMcp({ model });
    const { result } = await mcp.call("codex", { prompt: "hi" });
    const { threadId, detail } = result.structuredContent;
    expect(result).toEqual(failed(threadId, result.error, detail));
    expect(detail).toContain("out of order");
  });

  test("the failure is a result, and the next reply gets its own answer", async () => {
    await using model = await fakeModel([{ status: 400, body: { error: { message: "bad req" } } }, say("Well.")]);
    await using mcp = startMcp({ model, config: fullAccess });
    const { result } = await mcp.call("codex", { prompt: "first" }, { id: 1 });
    const { conversationId } = result.structuredContent;
    expect(result).toEqual(
      failed(conversationId, expect.stringMatching(/^unexpected status 400 Bad Request: .*bad req/)),
    );
    expect(typesOf(eventsOf(mcp, 1)).slice(-2)).toEqual(["error", "task_complete"]);
    const reply = await mcp.call("codex-reply", { conversationId, prompt: "again" }, { id: 2 });
    expect(textOf(reply)).toBe("Well.");
    expect(typesOf(eventsOf(mcp, 2))[0]).toBe("task_started");
  });

  test("a failure in the tenth turn is told as in the first", async () => {
    const steps = Array.from({ length: 9 }, (_, at) => say(`${at}`));
    await using model = await fakeModel([...steps, { status: 400 }, say("after")]);
    await using mcp = startMcp({ model, config: fullAccess });
    const { result } = await mcp.call("codex", { prompt: "p" });
    const { conversationId } = result.structuredContent;
    for (let turn = 2; turn <= 9; turn += 1) {
      expect(textOf(await mcp.call("codex-reply", { conversationId, prompt: "p" }))).toBe(`${turn - 1}`);
    }
    expect((await mcp.call("codex-reply", { conversationId, prompt: "p" })).result.isError).toBe(true);
    expect(textOf(await mcp.call("codex-reply", { conversationId, prompt: "p" }))).toBe("after");
  });

  test("a stream that is cut", async () => {
    await using model = await fakeModel([say("x", { cut: 1 })]);
    await using mcp = startMcp({ model, config: fullAccess });
    const { result } = await mcp.call("codex", { prompt: "first" });
    expect(result.error).toMatch(/^stream disconnected before completion: /);
    expect(result).toEqual(
      failed(
        result.structuredContent.conversationId,
        result.error,
        "the connection was closed in the middle of the answer",
      ),
    );
  });

  test("a server that is not there: notices of the retries, then the failure", async () => {
    const provider = { request_max_retries: 0, stream_max_retries: 2 };
    await using mcp = startMcp({ model: { url: "http://127.0.0.1:9/v1" }, provider, config: fullAccess });
    const { result } = await mcp.call("codex", { prompt: "first" }, { id: 1 });
    expect(result.isError).toBe(true);
    expect(typesOf(eventsOf(mcp, 1)).filter((type) => type === "stream_error")).toHaveLength(2);
  });
});

describe("how events are told", () => {
  test("with both, each event comes once more under its type", async () => {
    await using model = await fakeModel([say("Ready.")]);
    await using mcp = startMcp({ model, config: fullAccess, args: ["--events", "both"] });
    await mcp.call("codex", { prompt: "hi" }, { id: 1 });
    const told = mcp.messages.filter(({ method }) => method !== undefined);
    expect(told.length % 2).toBe(0);
    for (let at = 0; at < told.length; at += 2) {
      const [event, named] = [told[at], told[at + 1]];
      expect(event?.method).toBe("codex/event");
      expect(named).toEqual({ ...event, method: event?.params.msg.type });
    }
    expect(told.map(({ method }) => method)).toContain("session_configured");
  });

  test("with none, nothing but the answer comes", async () => {
    await using model = await fakeModel([say("Ready.")]);
    await using mcp = startMcp({ model, config: fullAccess, args: ["--events", "none"] });
    expect(textOf(await mcp.call("codex", { prompt: "hi" }))).toBe("Ready.");
    expect(mcp.messages).toHaveLength(1);
  });

  test("with a progress token, progress grows with words for it, before the answer alone", async () => {
    await using model = await fakeModel([callShell(["echo", "a b"]), say("Done with it.\nReally.")]);
    await using mcp = startMcp({ model, config: fullAccess, args: ["--events", "none"] });
    await mcp.call("codex", { prompt: "hi" }, { meta: { progressToken: "tok" } });
    const progress = mcp.messages.slice(0, -1).map(({ method, params }) => {
      expect(method).toBe("notifications/progress");
      return params;
    });
    expect(progress.map((params) => params.progress)).toEqual(progress.map((_, at) => at + 1));
    expect(new Set(progress.map((params) => params.progressToken))).toEqual(new Set(["tok"]));
    const messages = progress.map((params) => params.message);
    expect(messages).toContain("running echo 'a b'");
    expect(messages).toContain("Done with it.");
  });

  test("progress is told in silence, too", async () => {
    const silence = closedGate();
    await using model = await fakeModel([say("x", { after: silence.opened })]);
    await using mcp = startMcp({ model, config: fullAccess, args: ["--events", "none"] });
    const call = mcp.call("codex", { prompt: "hi" }, { meta: { progressToken: 1 } });
    await model.received(1);
    await mcp.request("ping");
    const told = () => mcp.messages.filter(({ method }) => method === "notifications/progress").length;
    const before = told();
    await expect.poll(told).toBeGreaterThan(before + 1); // every ten seconds
    silence.open();
    expect(textOf(await call)).toBe("x");
  });
});
