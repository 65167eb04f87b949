import { existsSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { startConversation } from "../support/conversation.ts";
import { callShell, fakeModel, say } from "../support/fake-model.ts";
import { inputOf, type RequestItem } from "../support/requests.ts";

const fullAccess = ['sandbox_mode = "danger-full-access"', 'approval_policy = "never"'];

const texts = (items: readonly RequestItem[]) =>
  items.flatMap((item) =>
    item.type === "message" ? [item.content?.map((part) => part.text).join("") ?? ""] : [item.type],
  );

describe("tasks", () => {
  test("two calls in one answer run in order and are answered in order", async () => {
    await using model = await fakeModel([
      {
        calls: [
          { name: "shell", args: { command: ["bash", "-c", "echo 1 >> log"] } },
          { name: "shell", args: { command: ["bash", "-c", "echo 2 >> log; cat log"] } },
        ],
      },
      say("done"),
    ]);
    await using talk = await startConversation({ model, config: fullAccess });
    talk.input("go");
    await talk.next("task_complete");
    const answers = inputOf(model, 2).filter((item) => item.type === "function_call_output");
    expect(answers.map((item) => [item.call_id, JSON.parse(item.output ?? "").output])).toEqual([
      ["call_1", ""],
      ["call_1_1", "1\n2\n"],
    ]);
  });

  test("input during a command joins the next request once, behind the output", async () => {
    await using model = await fakeModel([
      callShell(["bash", "-c", "until [ -e go ]; do sleep 0.02; done"]),
      say("done"),
    ]);
    await using talk = await startConversation({ model, config: fullAccess });
    talk.input("first", "a");
    await talk.next("exec_command_begin");
    talk.input("second", "b");
    talk.submit({ type: "get_history" }); // answered, so the input before it has been taken
    await talk.next("conversation_history");
    writeFileSync(path.join(talk.place.work, "go"), "");
    const complete = await talk.next("task_complete");
    expect(complete.id).toBe("a");
    expect(texts(inputOf(model, 2)).slice(-4)).toEqual(["first", "function_call", "function_call_output", "second"]);
    expect(talk.events.filter((event) => event.id === "b")).toEqual([]);
  });

  test("an interrupt kills the command, and the next request has the text but not the call", async () => {
    await using model = await fakeModel([
      callShell(["bash", "-c", "echo $$ > pid; exec sleep 30"], { args: { timeout_ms: 60_000 } }),
      say("next"),
    ]);
    await using talk = await startConversation({ model, config: fullAccess });
    talk.input("first");
    await talk.next("exec_command_begin");
    const pidFile = path.join(talk.place.work, "pid");
    await expect.poll(() => existsSync(pidFile) && talk.place.files()["pid"]).toMatch(/\d+/);
    const pid = Number(talk.place.files()["pid"]);
    talk.submit({ type: "interrupt" });
    expect((await talk.next("turn_aborted")).msg.reason).toBe("interrupted");
    expect(() => process.kill(pid, 0)).toThrow();
    expect(talk.events.some((event) => event.msg.type === "exec_command_end")).toBe(false);
    talk.input("second");
    await talk.next("task_complete");
    expect(texts(inputOf(model, 2)).slice(-2)).toEqual(["first", "second"]);
    const kinds = talk.place.rollout().flatMap((line) => (line.type === "response_item" ? [line.payload["type"]] : []));
    expect(kinds.filter((kind) => kind === "function_call")).toHaveLength(1);
    expect(kinds.filter((kind) => kind === "function_call_output")).toHaveLength(1);
  });

  test("an interrupt without a task is no event", async () => {
    await using model = await fakeModel([say("ok")]);
    await using talk = await startConversation({ model, config: fullAccess });
    talk.submit({ type: "interrupt" });
    talk.input("go");
    await talk.next("task_complete");
    expect(talk.events.map((event) => event.msg.type)).not.toContain("turn_aborted");
  });

  test("an interrupt before the first byte of the answer ends the task at once", async () => {
    await using model = await fakeModel([{ hang: "headers" }]);
    await using talk = await startConversation({ model, config: fullAccess });
    talk.input("go");
    await model.received(1);
    talk.submit({ type: "interrupt" });
    await talk.next("turn_aborted");
  });

  test("changed settings hold from the next task, and the model is told only what changed", async () => {
    await using model = await fakeModel([say("one"), say("two")]);
    await using talk = await startConversation({ model, config: fullAccess });
    talk.input("first");
    await talk.next("task_complete");
    talk.submit({
      type: "override_turn_context",
      cwd: talk.place.root,
      approval_policy: "untrusted",
      model: "o3",
      effort: "high",
    });
    talk.input("second");
    await talk.next("task_complete");
    expect(texts(inputOf(model, 2)).slice(-2)).toEqual([
      `<environment_context>\n  <cwd>${talk.place.root}</cwd>\n  <approval_policy>untrusted</approval_policy>\n</environment_context>`,
      "second",
    ]);
    expect(model.requests[1]?.body).toMatchObject({ model: "o3", reasoning: { effort: "high", summary: "auto" } });
  });

  test("the settings of a user_turn hold for its task alone", async () => {
    await using model = await fakeModel([say("one"), say("two")]);
    await using talk = await startConversation({ model, config: fullAccess });
    talk.submit({
      type: "user_turn",
      items: [{ type: "text", text: "first" }],
      cwd: talk.place.work,
      approval_policy: "never",
      sandbox_policy: { mode: "danger-full-access" },
      model: "o3",
      effort: "low",
      summary: "concise",
    });
    await talk.next("task_complete");
    talk.input("second");
    await talk.next("task_complete");
    expect(model.requests.map((request) => (request.body as { model: string }).model)).toEqual(["o3", "mock-model"]);
    expect(model.requests[0]?.body).toMatchObject({ reasoning: { effort: "low", summary: "concise" } });
    expect(texts(inputOf(model, 2)).slice(-3)).toEqual(["first", "one", "second"]);
  });

  test("input without items is an empty task, and the next input is answered", async () => {
    await using model = await fakeModel([say("ok")]);
    await using talk = await startConversation({ model, config: fullAccess });
    talk.submit({ type: "user_input", items: [] }, "empty");
    expect(await talk.next("task_complete")).toEqual({
      id: "empty",
      msg: { type: "task_complete", last_agent_message: null },
    });
    talk.input("go");
    expect((await talk.next("task_complete")).msg.last_agent_message).toBe("ok");
    expect(model.requests).toHaveLength(1);
  });

  test("shutdown during a command aborts it first; shutdown_complete is the last event", async () => {
    await using model = await fakeModel([callShell(["sleep", "30"], { args: { timeout_ms: 60_000 } })]);
    await using talk = await startConversation({ model, config: fullAccess });
    talk.input("go", "task");
    await talk.next("exec_command_begin");
    talk.submit({ type: "shutdown" }, "bye");
    await talk.ended();
    expect(talk.events.slice(-2)).toEqual([
      { id: "task", msg: { type: "turn_aborted", reason: "interrupted" } },
      { id: "bye", msg: { type: "shutdown_complete" } },
    ]);
  });

  test("a last response without text has no last message", async () => {
    await using model = await fakeModel([
      { text: "looking", calls: [{ name: "shell", args: { command: ["true"] } }] },
      {},
    ]);
    await using talk = await startConversation({ model, config: fullAccess });
    talk.input("go");
    expect((await talk.next("task_complete")).msg.last_agent_message).toBeNull();
  });

  test("every reader sees every event, and a slow one holds nobody up", async () => {
    await using model = await fakeModel([say("ab", { deltas: ["a", "b"] })]);
    await using talk = await startConversation({ model, config: fullAccess });
    talk.input("go");
    await talk.next("task_complete");
    const types = talk.events.map((event) => event.msg.type);
    expect(types).toEqual([
      "task_started",
      "agent_message_delta",
      "agent_message_delta",
      "agent_message",
      "token_count",
      "task_complete",
    ]);
  });
});

test("notify gets the user's texts and the answer, and its output is not ours", async () => {
  await using model = await fakeModel([callShell(["true"]), say("the answer")]);
  const notify = `notify = ["bash", "-c", "cd \\"$CODEX_HOME\\"; printf %s \\"$1\\" > note.tmp && mv note.tmp note.json", "-"]`;
  await using talk = await startConversation({ model, config: [...fullAccess, notify] });
  const id = talk.input("the question");
  await talk.next("task_complete");
  await expect.poll(() => talk.place.homeFiles()["note.json"]).toBeDefined();
  expect(JSON.parse(talk.place.homeFiles()["note.json"] ?? "")).toEqual({
    type: "agent-turn-complete",
    "turn-id": id,
    "input-messages": ["the question"],
    "last-assistant-message": "the answer",
  });
});

describe("a core that fails", () => {
  test("one that dies before its first event fails the start with one error", async () => {
    const dies = async () => {
      throw new Error("no memory");
    };
    await expect(startConversation({ init: { core: dies } })).rejects.toThrow(/first event.*no memory/);
  });

  test("one whose first event is another session's fails the start", async () => {
    const lies: NonNullable<NonNullable<Parameters<typeof startConversation>[0]>["init"]>["core"] = async (
      _,
      events,
    ) => {
      events.publish({
        id: "",
        msg: {
          type: "session_configured",
          session_id: "00000000-0000-4000-8000-000000000000",
          model: "m",
          history_log_id: 0,
          history_entry_count: 0,
          rollout_path: "",
        },
      });
    };
    await expect(startConversation({ init: { core: lies } })).rejects.toThrow(/first event/);
  });

  test("one that dies later tells every reader once, ends the events and refuses what comes then", async () => {
    await using talk = await startConversation({
      init: {
        core: async (submissions, events, id) => {
          events.publish({
            id: "",
            msg: {
              type: "session_configured",
              session_id: id,
              model: "m",
              history_log_id: 0,
              history_entry_count: 0,
              rollout_path: "",
            },
          });
          await submissions.next();
          throw new Error("no memory");
        },
      },
    });
    talk.input("go");
    await talk.ended();
    expect(talk.events).toEqual([
      { id: "", msg: { type: "error", message: "internal error; agent loop died unexpectedly: no memory" } },
    ]);
    expect(() => talk.input("again")).toThrow("agent loop died unexpectedly");
  });
});
