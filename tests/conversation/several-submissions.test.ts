import { writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { startConversation } from "../support/conversation.ts";
import { callShell, fakeModel, say } from "../support/fake-model.ts";
import { inputOf } from "../support/requests.ts";

const fullAccess = ['sandbox_mode = "danger-full-access"', 'approval_policy = "never"'];

const untilGo = (options: Parameters<typeof callShell>[1] = {}) =>
  callShell(["bash", "-c", "until [ -e go ]; do sleep 0.02; done"], options);

describe("several submissions in a row", () => {
  test("input right behind input joins its task, and both are answered by it", async () => {
    await using model = await fakeModel([say("one"), say("two")]);
    await using talk = await startConversation({ model, config: fullAccess });
    talk.input("first", "a");
    talk.input("second", "b");
    const complete = await talk.next("task_complete");
    expect(complete).toMatchObject({ id: "a", msg: { last_agent_message: "two" } });
    talk.submit({ type: "shutdown" });
    await talk.ended();
    expect(talk.events.filter((event) => event.id === "b")).toEqual([]);
    const said = (request: number) =>
      inputOf(model, request)
        .slice(1)
        .map((item) => item.content?.[0]?.text);
    expect(said(1)).toEqual(["first"]);
    expect(said(2)).toEqual(["first", "one", "second"]);
  });

  test("input joins a task that still waits for its servers", async () => {
    await using model = await fakeModel([say("ok")]);
    const slow = '[mcp_servers.slow]\ncommand = "sleep"\nargs = ["0.3"]';
    await using talk = await startConversation({ model, config: fullAccess, configTables: [slow] });
    talk.submit({ type: "user_input", items: [] }, "a");
    talk.input("go", "b");
    const complete = await talk.next("task_complete");
    expect(complete).toEqual({ id: "a", msg: { type: "task_complete", last_agent_message: "ok" } });
    expect(talk.events.slice(0, 2).map((event) => [event.id, event.msg.type])).toEqual([
      ["", "error"],
      ["a", "task_started"],
    ]);
  });

  test("the events of each task carry the id of its submission, whatever the client calls it", async () => {
    await using model = await fakeModel([say("one")], { repeatLast: true });
    await using talk = await startConversation({ model, config: fullAccess });
    for (const id of ["", "same", "same"]) {
      talk.input("go", id);
      expect((await talk.next("task_complete")).id).toBe(id);
    }
    expect(talk.events.map((event) => event.id)).toEqual([
      ...Array.from({ length: 5 }, () => ""),
      ...Array.from({ length: 10 }, () => "same"),
    ]);
  });

  test("the settings of a user_turn that joins are not used", async () => {
    await using model = await fakeModel([untilGo(), say("done")]);
    await using talk = await startConversation({ model, config: fullAccess });
    talk.input("first");
    await talk.next("exec_command_begin");
    talk.submit({
      type: "user_turn",
      items: [{ type: "text", text: "second" }],
      cwd: talk.place.root,
      approval_policy: "untrusted",
      sandbox_policy: { mode: "read-only" },
      model: "o3",
      effort: "low",
      summary: "concise",
    });
    talk.submit({ type: "get_history" });
    await talk.next("conversation_history");
    writeFileSync(path.join(talk.place.work, "go"), "");
    await talk.next("task_complete");
    expect(model.requests[1]?.body).toMatchObject({ model: "mock-model" });
    expect(inputOf(model, 2).at(-1)?.content?.[0]?.text).toBe("second");
  });

  test("settings changed during a task are told to the model when it is over, not between a call and its output", async () => {
    await using model = await fakeModel([untilGo(), say("one"), say("two")]);
    await using talk = await startConversation({ model, config: fullAccess });
    talk.input("first");
    await talk.next("exec_command_begin");
    talk.submit({ type: "override_turn_context", approval_policy: "on-request", model: "o3" });
    talk.submit({ type: "get_history" });
    await talk.next("conversation_history");
    writeFileSync(path.join(talk.place.work, "go"), "");
    await talk.next("task_complete");
    talk.input("second");
    await talk.next("task_complete");
    expect(model.requests.map((request) => (request.body as { model: string }).model)).toEqual([
      "mock-model",
      "mock-model",
      "o3",
    ]);
    expect(inputOf(model, 2).at(-1)?.type).toBe("function_call_output");
    expect(
      inputOf(model, 3)
        .slice(-3)
        .map((item) => item.content?.[0]?.text),
    ).toEqual([
      "one",
      "<environment_context>\n  <approval_policy>on-request</approval_policy>\n</environment_context>",
      "second",
    ]);
  });

  test("they are told as well when that task is interrupted", async () => {
    await using model = await fakeModel([callShell(["sleep", "30"]), say("two")]);
    await using talk = await startConversation({ model, config: fullAccess });
    talk.input("first");
    await talk.next("exec_command_begin");
    talk.submit({ type: "override_turn_context", approval_policy: "on-request" });
    talk.submit({ type: "interrupt" });
    await talk.next("turn_aborted");
    talk.input("second");
    await talk.next("task_complete");
    const said = inputOf(model, 2).slice(1);
    expect(said.map((item) => item.content?.[0]?.text)).toEqual([
      "first",
      expect.stringContaining("<approval_policy>on-request"),
      "second",
    ]);
  });
});

const workspaceOnly = {
  mode: "workspace-write",
  network_access: false,
  exclude_tmpdir_env_var: true,
  exclude_slash_tmp: true,
} as const;

test.skipIf(process.platform !== "linux")(
  "input for which no sandbox can be had is a task that fails before the model is asked, and the next input is answered",
  async () => {
    await using model = await fakeModel([say("ok")]);
    await using talk = await startConversation({ model, config: fullAccess });
    const roots = Array.from({ length: 300 }, (_, at) => `/none/${at}`);
    const tooMany = { ...workspaceOnly, writable_roots: roots };
    talk.submit({ type: "override_turn_context", sandbox_policy: tooMany });
    talk.input("go", "bad");
    const complete = await talk.next("task_complete");
    expect(complete).toEqual({ id: "bad", msg: { type: "task_complete", last_agent_message: null } });
    const ofTask = talk.events.filter((event) => event.id === "bad").map((event) => event.msg.type);
    expect(ofTask).toEqual(["task_started", "error", "task_complete"]);
    expect((await talk.next("error")).msg.message).toContain("more than 256 writable folders");
    expect(model.requests).toHaveLength(0);
    talk.submit({ type: "override_turn_context", sandbox_policy: { mode: "danger-full-access" } });
    talk.input("again");
    expect((await talk.next("task_complete")).msg.last_agent_message).toBe("ok");
  },
);

test("a picture that cannot be read is told within the task, and the rest is asked", async () => {
  await using model = await fakeModel([say("ok")]);
  await using talk = await startConversation({ model, config: fullAccess });
  const items = [
    { type: "text", text: "look" },
    { type: "local_image", path: "missing.png" },
  ] as const;
  talk.submit({ type: "user_input", items });
  await talk.next("task_complete");
  expect(talk.events.slice(0, 2).map((event) => event.msg)).toEqual([
    { type: "task_started", model_context_window: null },
    { type: "background_event", message: expect.stringContaining('Cannot read image "missing.png"') },
  ]);
});
