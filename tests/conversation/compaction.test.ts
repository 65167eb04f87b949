import { readdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import type { EventMsg } from "../../src/protocol/event.ts";
import { readRollout } from "../../src/rollout/reader.ts";
import { startConversation, type TestConversation } from "../support/conversation.ts";
import { callShell, fakeModel, type ModelStep, say } from "../support/fake-model.ts";
import { inputOf, type RequestItem } from "../support/requests.ts";
import type { Workspace } from "../support/workspace.ts";

const fullAccess = ['sandbox_mode = "danger-full-access"', 'approval_policy = "never"'];

const textOf = (item: RequestItem | undefined) => item?.content?.map((part) => part.text).join("") ?? "";
const texts = (items: readonly RequestItem[]) =>
  items.map((item) => (item.type === "message" ? textOf(item) : item.type));
const typesOf = (talk: TestConversation, id: string) =>
  talk.events.filter((event) => event.id === id).map((event) => event.msg.type);
const backgroundOf = (talk: TestConversation) =>
  talk.events.flatMap(({ msg }) => (msg.type === "background_event" ? [msg.message] : []));

function stored(place: Workspace) {
  const sessions = path.join(place.home, "sessions");
  const name = readdirSync(sessions, { recursive: true, encoding: "utf8" }).find((file) => file.endsWith(".jsonl"));
  return readRollout(path.join(sessions, name ?? ""));
}

async function historyOf(talk: TestConversation) {
  talk.submit({ type: "get_history" });
  return (await talk.next("conversation_history")).msg.entries;
}

const tooLong: ModelStep = {
  status: 400,
  body: { error: { code: "context_length_exceeded", message: "This model's maximum context length is 10 tokens." } },
};
/** As if the model's context held this many tokens after the answer. */
const filled = (input: number) => ({ usage: { input, output: 0 } });

describe("compact", () => {
  test("asks for a summary, and goes on with instructions, context, the user's words and the summary", async () => {
    await using model = await fakeModel([
      callShell(["echo", "the output"]),
      say("first answer"),
      say("THE SUMMARY", { deltas: ["THE ", "SUMMARY"], ...filled(5) }),
      say("second answer"),
    ]);
    await using talk = await startConversation({ model, config: fullAccess, files: { "AGENTS.md": "Be kind." } });
    talk.input("first wish");
    await talk.next("task_complete");
    talk.submit({ type: "compact" }, "c");
    expect((await talk.next("task_complete")).msg.last_agent_message).toBeNull();
    talk.input("second wish");
    await talk.next("task_complete");

    const [start, count, message, end] = talk.events.filter((event) => event.id === "c").map((event) => event.msg);
    expect([start, message, end]).toEqual([
      { type: "task_started", model_context_window: null },
      { type: "agent_message", message: "Compact task completed" },
      { type: "task_complete", last_agent_message: null },
    ]);
    expect(count).toMatchObject({ type: "token_count", info: { last_token_usage: { input_tokens: 5 } } });

    const request = model.requests[2]?.body as { tools: unknown; instructions: string };
    expect(request.tools).toEqual([]);
    expect(request.instructions).toContain("summary");
    expect(request.instructions.length).toBeLessThan(1200);
    const before = texts(inputOf(model, 2));
    expect(texts(inputOf(model, 3))).toEqual([...before, "first answer", "Start Summarization"]);

    const after = texts(inputOf(model, 4));
    expect(after).toHaveLength(4);
    expect(after.slice(0, 2)).toEqual(before.slice(0, 2));
    expect(after[0]).toContain("Be kind.");
    expect(after[1]).toContain("<environment_context>");
    expect(after[2]).toMatch(/first wish[\s\S]*THE SUMMARY/);
    expect(after[2]).not.toContain("the output");
    expect(after[3]).toBe("second wish");
    expect(inputOf(model, 4)[2]?.role).toBe("user");
  });

  test("it is one line of the rollout, which is read back as the same history", async () => {
    await using model = await fakeModel([say("answer"), say("SUMMARY"), say("later")]);
    await using talk = await startConversation({ model, config: fullAccess });
    talk.input("wish");
    await talk.next("task_complete");
    talk.submit({ type: "compact" });
    await talk.next("task_complete");
    expect(stored(talk.place).items).toEqual(await historyOf(talk));
    talk.input("next");
    await talk.next("task_complete");
    const history = await historyOf(talk);
    expect(stored(talk.place).items).toEqual(history);
    expect(history).toHaveLength(4);
    const lines = talk.place.rollout().filter((line) => line.type === "compacted");
    expect(lines.map((line) => line.payload["message"])).toEqual(["SUMMARY"]);
  });

  test("after an interrupt too, where the file holds a call that the history does not", async () => {
    await using model = await fakeModel([callShell(["sleep", "30"]), say("SUMMARY"), say("done")]);
    await using talk = await startConversation({ model, config: fullAccess });
    talk.input("wish");
    await talk.next("exec_command_begin");
    talk.submit({ type: "interrupt" });
    await talk.next("turn_aborted");
    talk.submit({ type: "compact" });
    await talk.next("task_complete");
    const history = await historyOf(talk);
    expect(stored(talk.place).items).toEqual(history);
    talk.input("again");
    await talk.next("task_complete");
    expect(texts(inputOf(model, 3)).slice(-2)).toEqual(["wish", "again"]); // nobody had answered it
  });

  test("a second time keeps the user's words of both times and the last summary alone", async () => {
    await using model = await fakeModel([say("a"), say("SUMMARY 1"), say("b"), say("SUMMARY 2"), say("c")]);
    await using talk = await startConversation({ model, config: fullAccess });
    for (const wish of ["wish 1", "wish 2"]) {
      talk.input(wish);
      await talk.next("task_complete");
      talk.submit({ type: "compact" });
      await talk.next("task_complete");
    }
    talk.input("wish 3");
    await talk.next("task_complete");
    const [context, bridge, last, ...more] = texts(inputOf(model, 5));
    expect(context).toContain("<environment_context>");
    expect(bridge).toMatch(/wish 1\s+wish 2[\s\S]*SUMMARY 2/);
    expect(bridge).not.toContain("SUMMARY 1");
    expect([last, more]).toEqual(["wish 3", []]);
  });

  test("during a task it waits for its end, and input behind it waits as well", async () => {
    await using model = await fakeModel([
      callShell(["bash", "-c", "until [ -e go ]; do sleep 0.02; done"]),
      say("one"),
      say("SUMMARY"),
      say("two"),
    ]);
    await using talk = await startConversation({ model, config: fullAccess });
    talk.input("first", "a");
    await talk.next("exec_command_begin");
    talk.submit({ type: "compact" }, "c");
    talk.input("second", "b");
    talk.submit({ type: "get_history" }); // answered, so what came before it has been taken
    await talk.next("conversation_history");
    expect(typesOf(talk, "c")).toEqual([]);
    writeFileSync(path.join(talk.place.work, "go"), "");
    const ends = [];
    for (let count = 0; count < 3; count += 1) ends.push((await talk.next("task_complete")).id);
    expect(ends).toEqual(["a", "c", "b"]);
    expect(typesOf(talk, "c")).toEqual(["task_started", "token_count", "agent_message", "task_complete"]);
    expect(texts(inputOf(model, 2))).not.toContain("Start Summarization");
    expect(texts(inputOf(model, 3)).at(-1)).toBe("Start Summarization");
    expect(texts(inputOf(model, 4)).slice(1)).toEqual([expect.stringContaining("SUMMARY"), "second"]);
  });

  test("input while it runs is answered in a task of its own", async () => {
    await using model = await fakeModel([say("one"), say("SUMMARY", { delayMs: 200 }), say("two")]);
    await using talk = await startConversation({ model, config: fullAccess });
    talk.input("first");
    await talk.next("task_complete");
    talk.submit({ type: "compact" }, "c");
    await model.received(2);
    talk.input("second", "b");
    expect((await talk.next("task_complete")).id).toBe("c");
    expect(await talk.next("task_complete")).toMatchObject({ id: "b", msg: { last_agent_message: "two" } });
  });

  test("interrupted, it leaves the history as it was", async () => {
    await using model = await fakeModel([say("one"), { hang: true }, say("two")]);
    await using talk = await startConversation({ model, config: fullAccess });
    talk.input("first");
    await talk.next("task_complete");
    const before = await historyOf(talk);
    talk.submit({ type: "compact" }, "c");
    await model.received(2);
    talk.submit({ type: "interrupt" });
    expect(await talk.next("turn_aborted")).toEqual({ id: "c", msg: { type: "turn_aborted", reason: "interrupted" } });
    expect(await historyOf(talk)).toEqual(before);
    expect(typesOf(talk, "c")).toEqual(["task_started", "turn_aborted"]);
    expect(talk.place.rollout().some((line) => line.type === "compacted")).toBe(false);
    talk.input("second");
    await talk.next("task_complete");
  });

  test.each<[name: string, step: ModelStep, message: RegExp]>([
    ["a model that refuses", { status: 400, body: { error: { message: "no" } } }, /^unexpected status 400/],
    ["a model that says nothing", {}, /no summary/],
    ["a stream that breaks off", say("half", { cut: 2 }), /^stream disconnected/],
  ])("%s ends it with an error, and leaves the history as it was", async (_, step, message) => {
    await using model = await fakeModel([say("one"), step]);
    await using talk = await startConversation({ model, config: fullAccess });
    talk.input("first");
    await talk.next("task_complete");
    const before = await historyOf(talk);
    talk.submit({ type: "compact" }, "c");
    const complete = await talk.next("task_complete");
    expect(complete).toEqual({ id: "c", msg: { type: "task_complete", last_agent_message: null } });
    expect((await talk.next("error")).msg.message).toMatch(message);
    expect(await historyOf(talk)).toEqual(before);
    expect(stored(talk.place).items).toEqual(before);
  });

  test("it is tried again as a turn is", async () => {
    await using model = await fakeModel([say("one"), { cut: 1 }, say("SUMMARY")]);
    await using talk = await startConversation({ model, config: fullAccess, provider: { stream_max_retries: 1 } });
    talk.input("first");
    await talk.next("task_complete");
    talk.submit({ type: "compact" }, "c");
    await talk.next("task_complete");
    expect((await talk.next("stream_error")).msg.message).toMatch(/retrying 1\/1 in \d+ms…$/);
    expect(typesOf(talk, "c").slice(-2)).toEqual(["agent_message", "task_complete"]);
  });

  test("a conversation that is too long for its own summary loses its older half for it, a few times at most", async () => {
    await using model = await fakeModel([callShell(["echo", "x"]), say("one"), tooLong, say("SUMMARY"), say("two")]);
    await using talk = await startConversation({ model, config: fullAccess });
    talk.input("first");
    await talk.next("task_complete");
    talk.submit({ type: "compact" });
    await talk.next("task_complete");
    expect(texts(inputOf(model, 3)).slice(1, -1)).toEqual(["first", "function_call", "function_call_output", "one"]);
    expect(texts(inputOf(model, 4)).slice(1)).toEqual(["one", "Start Summarization"]); // no output without its call
    talk.input("second");
    await talk.next("task_complete");
    expect(texts(inputOf(model, 5)).slice(1)).toEqual([expect.stringMatching(/first[\s\S]*SUMMARY/), "second"]);
  });

  test("one that stays too long is given up", async () => {
    await using model = await fakeModel([say("one"), tooLong, tooLong, tooLong, tooLong]);
    await using talk = await startConversation({ model, config: fullAccess, provider: { stream_max_retries: 5 } });
    talk.input("first");
    await talk.next("task_complete");
    talk.submit({ type: "compact" });
    expect((await talk.next("error")).msg.message).toContain("maximum context length");
    expect(model.requests).toHaveLength(5);
  });
});

describe("compaction without being asked", () => {
  const limited = [...fullAccess, "model_auto_compact_token_limit = 1000"];

  test("happens before the request that follows a nearly full context, and is told before and after", async () => {
    await using model = await fakeModel([
      say("one", filled(1000)),
      say("SUMMARY", filled(1100)),
      say("two", filled(50)),
      say("three", filled(60)),
    ]);
    await using talk = await startConversation({ model, config: limited });
    for (const [wish, answer] of [
      ["first", "one"],
      ["second", "two"],
      ["third", "three"],
    ] as const) {
      talk.input(wish, wish);
      expect((await talk.next("task_complete")).msg.last_agent_message).toBe(answer);
    }
    expect(typesOf(talk, "second")).toEqual([
      "task_started",
      "background_event",
      "token_count",
      "background_event",
      "agent_message_delta",
      "agent_message",
      "token_count",
      "task_complete",
    ]);
    expect(backgroundOf(talk)).toEqual([
      "the context is nearly full: compacting the conversation",
      "the conversation was compacted",
    ]);
    expect(texts(inputOf(model, 3)).slice(1)).toEqual([expect.stringContaining("SUMMARY"), "second"]);
    expect(stored(talk.place).items).toEqual(await historyOf(talk));
  });

  test("happens between the turns of one task", async () => {
    await using model = await fakeModel([
      callShell(["echo", "x"], filled(1000)),
      say("SUMMARY"),
      say("done", filled(50)),
    ]);
    await using talk = await startConversation({ model, config: limited });
    talk.input("wish");
    expect((await talk.next("task_complete")).msg.last_agent_message).toBe("done");
    expect(texts(inputOf(model, 2)).slice(-3)).toEqual([
      "function_call",
      "function_call_output",
      "Start Summarization",
    ]);
    expect(texts(inputOf(model, 3)).slice(1)).toEqual([expect.stringMatching(/wish[\s\S]*SUMMARY/)]);
  });

  test("is not repeated while it cannot gain anything", async () => {
    await using model = await fakeModel([
      say("one", filled(1000)),
      say("SUMMARY"),
      say("two", filled(990)), // instructions and digest alone fill it
      say("three", filled(1000)),
      say("four", filled(1010)),
    ]);
    await using talk = await startConversation({ model, config: limited });
    for (const wish of ["first", "second", "third", "fourth"]) {
      talk.input(wish);
      await talk.next("task_complete");
    }
    expect(model.requests).toHaveLength(5);
    expect(backgroundOf(talk)).toHaveLength(2);
  });

  test("that fails lets the task go on with the whole history", async () => {
    await using model = await fakeModel([
      say("one", filled(1000)),
      { status: 500 },
      say("two", filled(1000)),
      say("3"),
    ]);
    await using talk = await startConversation({ model, config: limited });
    for (const answer of ["one", "two", "3"]) {
      talk.input("more");
      expect((await talk.next("task_complete")).msg.last_agent_message).toBe(answer);
    }
    expect(backgroundOf(talk)).toEqual([
      "the context is nearly full: compacting the conversation",
      expect.stringMatching(/^the conversation could not be compacted: /),
    ]);
    expect(texts(inputOf(model, 3)).slice(1)).toEqual(["more", "one", "more"]);
  });

  test("is interrupted with its task", async () => {
    await using model = await fakeModel([say("one", filled(1000)), { hang: true }, say("two", filled(1))]);
    await using talk = await startConversation({ model, config: limited });
    talk.input("first");
    await talk.next("task_complete");
    talk.input("second", "b");
    await model.received(2);
    talk.submit({ type: "interrupt" });
    expect((await talk.next("turn_aborted")).id).toBe("b");
    expect(backgroundOf(talk)).toEqual(["the context is nearly full: compacting the conversation"]);
    const left = (await historyOf(talk)).flatMap((item) => (item.type === "message" ? item.content : []));
    expect(left.slice(1).map((part) => ("text" in part ? part.text : ""))).toEqual(["first", "one", "second"]);
  });

  test.each([
    ["the limit 0", ["model_auto_compact_token_limit = 0", "model_context_window = 1000"], 1000, 2],
    ["an unknown context", [], 1_000_000, 2],
    ["nine tenths of a known context", ["model_context_window = 1000"], 900, 3],
    ["less than nine tenths", ["model_context_window = 1000"], 899, 2],
  ])("by default depends on the context window: %s", async (_, config, tokens, requests) => {
    await using model = await fakeModel([say("one", filled(tokens)), say("S"), say("two", filled(1))]);
    await using talk = await startConversation({ model, config: [...fullAccess, ...config] });
    talk.input("first");
    await talk.next("task_complete");
    talk.input("second");
    await talk.next("task_complete");
    expect(model.requests).toHaveLength(requests);
  });
});

describe("a server that says the context is exceeded", () => {
  test.each<[name: string, step: ModelStep]>([
    ["as a status", tooLong],
    ["in the stream", { failed: { code: "context_length_exceeded", message: "Your input is too large." } }],
  ])("%s gets the request once more, compacted", async (_, step) => {
    await using model = await fakeModel([say("one"), step, say("SUMMARY"), say("two")]);
    await using talk = await startConversation({ model, config: fullAccess, provider: { stream_max_retries: 5 } });
    talk.input("first");
    await talk.next("task_complete");
    talk.input("second");
    expect((await talk.next("task_complete")).msg.last_agent_message).toBe("two");
    expect(backgroundOf(talk)).toEqual([
      "the context is full: compacting the conversation",
      "the conversation was compacted",
    ]);
    expect(texts(inputOf(model, 4)).slice(1)).toEqual([expect.stringContaining("SUMMARY"), "second"]);
  });

  test("and says it again, ends the task", async () => {
    await using model = await fakeModel([say("one"), tooLong, say("SUMMARY"), tooLong]);
    await using talk = await startConversation({ model, config: fullAccess, provider: { stream_max_retries: 5 } });
    talk.input("first");
    await talk.next("task_complete");
    talk.input("second");
    expect((await talk.next("error")).msg.message).toContain("maximum context length");
    expect((await talk.next("task_complete")).msg.last_agent_message).toBeNull();
    expect(model.requests).toHaveLength(4);
  });

  test("is not asked for a summary of nothing but the user's own words", async () => {
    await using model = await fakeModel([tooLong]);
    await using talk = await startConversation({ model, config: fullAccess, provider: { stream_max_retries: 5 } });
    talk.input("a very long wish");
    const error: EventMsg = (await talk.next("error")).msg;
    expect(error).toMatchObject({ message: expect.stringContaining("maximum context length") });
    expect(model.requests).toHaveLength(1);
  });
});
