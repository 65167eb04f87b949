import { existsSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { startConversation, type TestConversation } from "../support/conversation.ts";
import { callShell, type FakeModel, fakeModel, type ModelStep, say } from "../support/fake-model.ts";
import { inputOf } from "../support/requests.ts";

const untrusted = ['sandbox_mode = "danger-full-access"', 'approval_policy = "untrusted"'];

interface Stage {
  readonly name: string;
  readonly step: ModelStep;
  /** Ends when the task is in this stage. */
  readonly reached: (talk: TestConversation, model: FakeModel) => Promise<unknown>;
}

/** A trusted command, which nobody is asked about, that runs for ever. */
const endless = ["bash", "-c", "cat /dev/zero > /dev/null"];

const stages: readonly Stage[] = [
  {
    name: "before the first byte",
    step: { hang: "headers" },
    reached: (_, model) => model.received(1),
  },
  {
    name: "before the first event",
    step: { hang: true },
    reached: (_, model) => model.received(1),
  },
  {
    name: "in the stream",
    step: say("one two three", { deltas: ["one ", "two ", "three"], gapMs: 150 }),
    reached: (talk) => talk.next("agent_message_delta"),
  },
  {
    name: "between an item and the end of the answer",
    step: say("said", { gapMs: 300 }),
    reached: (talk) => talk.next("agent_message"),
  },
  {
    name: "while an approval is open",
    step: callShell(["touch", "made"]),
    reached: (talk) => talk.next("exec_approval_request"),
  },
  {
    name: "while a command runs",
    step: callShell(endless, { args: { timeout_ms: 60_000 } }),
    reached: async (talk) => {
      const { msg } = await talk.next("exec_approval_request");
      talk.submit({ type: "exec_approval", id: msg.call_id, decision: "approved" });
      await talk.next("exec_command_begin");
    },
  },
  {
    name: "while a retry waits",
    step: { failed: { code: "rate_limit_exceeded", message: "Please try again in 60s." } },
    reached: (talk) => talk.next("stream_error"),
  },
];

const start = (model: FakeModel) =>
  startConversation({ model, config: untrusted, provider: { stream_max_retries: 3 } });

describe("interrupt", () => {
  test.each(stages)("$name ends the task, and the next input is answered", async ({ step, reached }) => {
    await using model = await fakeModel([step, say("next answer")]);
    await using talk = await start(model);
    talk.input("first", "a");
    await reached(talk, model);
    talk.submit({ type: "interrupt" }, "i");
    expect(await talk.next("turn_aborted")).toEqual({ id: "a", msg: { type: "turn_aborted", reason: "interrupted" } });
    talk.input("second", "b");
    expect(await talk.next("task_complete")).toMatchObject({ id: "b", msg: { last_agent_message: "next answer" } });
    expect(existsSync(path.join(talk.place.work, "made"))).toBe(false);
    const ofTask = talk.events.filter((event) => event.id === "a").map((event) => event.msg.type);
    expect(ofTask.filter((type) => type === "turn_aborted" || type === "task_complete")).toEqual(["turn_aborted"]);
    expect(ofTask.at(-1)).toBe("turn_aborted");
    expect(talk.events.filter((event) => event.id === "i")).toEqual([]);
    const said = inputOf(model, 2).slice(1);
    expect(said.map((item) => item.content?.[0]?.text ?? item.type)).toEqual(["first", "second"]);
  });

  test("what joined the task and was not sent yet is not lost: the next request has it", async () => {
    await using model = await fakeModel([{ hang: true }, say("ok")]);
    await using talk = await start(model);
    talk.input("first");
    await model.received(1);
    talk.input("joined");
    talk.submit({ type: "interrupt" });
    await talk.next("turn_aborted");
    talk.input("second");
    await talk.next("task_complete");
    const said = inputOf(model, 2).slice(1);
    expect(said.map((item) => item.content?.[0]?.text)).toEqual(["first", "joined", "second"]);
  });

  test("while servers start ends the task, and the next one waits for them again", async () => {
    const slow = '[mcp_servers.slow]\ncommand = "sleep"\nargs = ["60"]';
    await using talk = await startConversation({ configTables: [slow] });
    for (const id of ["a", "b"]) {
      talk.input("go", id);
      talk.submit({ type: "interrupt" });
      expect((await talk.next("turn_aborted")).id).toBe(id);
    }
    expect(talk.events.map((event) => event.msg.type)).toEqual([
      "task_started",
      "turn_aborted",
      "task_started",
      "turn_aborted",
    ]);
  });

  test("twice is once", async () => {
    await using model = await fakeModel([{ hang: true }, say("ok")]);
    await using talk = await start(model);
    talk.input("first");
    await model.received(1);
    talk.submit({ type: "interrupt" });
    talk.submit({ type: "interrupt" });
    talk.input("second", "b");
    await talk.next("task_complete");
    expect(talk.events.filter((event) => event.msg.type === "turn_aborted")).toHaveLength(1);
  });

  test("what waits behind the interrupted task runs next", async () => {
    await using model = await fakeModel([say("one"), { hang: true }, say("SUMMARY"), say("three")]);
    await using talk = await start(model);
    talk.input("first");
    await talk.next("task_complete");
    talk.input("second", "b");
    await model.received(2);
    talk.submit({ type: "compact" }, "c");
    talk.input("third", "d");
    talk.submit({ type: "interrupt" });
    expect((await talk.next("turn_aborted")).id).toBe("b");
    expect((await talk.next("task_complete")).id).toBe("c");
    expect((await talk.next("task_complete")).id).toBe("d");
  });
});

describe("shutdown", () => {
  test.each(stages)("$name aborts the task first and is the last event", async ({ step, reached }) => {
    await using model = await fakeModel([step]);
    await using talk = await start(model);
    talk.input("first", "a");
    await reached(talk, model);
    talk.submit({ type: "shutdown" }, "s");
    await talk.ended();
    expect(talk.events.slice(-2)).toEqual([
      { id: "a", msg: { type: "turn_aborted", reason: "interrupted" } },
      { id: "s", msg: { type: "shutdown_complete" } },
    ]);
  });

  test("while compacting", async () => {
    await using model = await fakeModel([say("one"), { hang: true }]);
    await using talk = await start(model);
    talk.input("first");
    await talk.next("task_complete");
    talk.submit({ type: "compact" }, "c");
    await model.received(2);
    talk.submit({ type: "shutdown" }, "s");
    await talk.ended();
    expect(talk.events.slice(-2).map((event) => [event.id, event.msg.type])).toEqual([
      ["c", "turn_aborted"],
      ["s", "shutdown_complete"],
    ]);
  });

  test("without a task is the only event, and what waits behind a task is never started", async () => {
    await using idle = await startConversation();
    idle.submit({ type: "shutdown" }, "s");
    await idle.ended();
    expect(idle.events).toEqual([{ id: "s", msg: { type: "shutdown_complete" } }]);

    await using model = await fakeModel([{ hang: true }]);
    await using talk = await start(model);
    talk.input("first", "a");
    talk.submit({ type: "compact" }, "c");
    talk.input("second", "b");
    await model.received(1);
    talk.submit({ type: "shutdown" }, "s");
    await talk.ended();
    expect(talk.events.map((event) => event.id)).toEqual(["a", "a", "s"]);
  });

  test("leaves a server that is still starting without an answer rather than making anybody wait", async () => {
    const slow = '[mcp_servers.slow]\ncommand = "sleep"\nargs = ["60"]';
    await using talk = await startConversation({ configTables: [slow] });
    talk.submit({ type: "list_mcp_tools" }, "l");
    talk.submit({ type: "shutdown" }, "s");
    await talk.ended();
    expect(talk.events.map((event) => [event.id, event.msg.type])).toEqual([["s", "shutdown_complete"]]);
  });
});
