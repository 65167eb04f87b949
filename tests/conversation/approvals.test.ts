import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { startLog } from "../../src/lib/log.ts";
import { startConversation } from "../support/conversation.ts";
import { callShell, callTool, fakeModel, say } from "../support/fake-model.ts";
import { inputOf } from "../support/requests.ts";

describe("approvals", () => {
  const untrusted = ['sandbox_mode = "danger-full-access"', 'approval_policy = "untrusted"'];

  test("approved for the session is remembered for the same words only", async () => {
    await using model = await fakeModel([
      callShell(["touch", "a"]),
      callShell(["touch", "a"]),
      callShell(["touch", "b"]),
      say("done"),
    ]);
    await using talk = await startConversation({ model, config: untrusted });
    const id = talk.input("go");
    expect((await talk.next("exec_approval_request")).msg.command).toEqual(["touch", "a"]);
    talk.submit({ type: "exec_approval", id, decision: "approved_for_session" });
    const second = await talk.next("exec_approval_request");
    expect(second.msg.command).toEqual(["touch", "b"]);
    talk.submit({ type: "exec_approval", id: second.msg.call_id, decision: "approved" });
    await talk.next("task_complete");
    expect(Object.keys(talk.place.files()).sort()).toEqual(["a", "b"]);
  });

  test("denied tells the model, abort ends the task", async () => {
    await using model = await fakeModel([callShell(["touch", "a"]), callShell(["touch", "b"])]);
    await using talk = await startConversation({ model, config: untrusted });
    const id = talk.input("go");
    await talk.next("exec_approval_request");
    talk.submit({ type: "exec_approval", id, decision: "denied" });
    await talk.next("exec_approval_request");
    expect(inputOf(model, 2).at(-1)?.output).toBe("exec command rejected by user");
    talk.submit({ type: "exec_approval", id, decision: "abort" });
    await talk.next("turn_aborted");
    expect(talk.place.files()).toEqual({});
  });

  test("an answer that nobody waits for changes nothing", async () => {
    await using model = await fakeModel([callShell(["touch", "a"]), say("done")]);
    await using talk = await startConversation({ model, config: untrusted });
    const id = talk.input("go");
    await talk.next("exec_approval_request");
    talk.submit({ type: "exec_approval", id: "zzz", decision: "approved" });
    talk.submit({ type: "exec_approval", id, decision: "approved" });
    await talk.next("task_complete");
    expect(talk.place.files()).toEqual({ a: "" });
  });

  test("a patch is asked for with its changes, and written when approved", async () => {
    const patch = "*** Begin Patch\n*** Add File: n.txt\n+hi\n*** End Patch\n";
    await using model = await fakeModel([callTool("apply_patch", { input: patch }), say("done")]);
    await using talk = await startConversation({ model, config: untrusted });
    const id = talk.input("go");
    const request = await talk.next("apply_patch_approval_request");
    expect(request.msg.changes).toEqual({ [path.join(talk.place.work, "n.txt")]: { add: { content: "hi\n" } } });
    talk.submit({ type: "patch_approval", id, decision: "approved" });
    expect((await talk.next("patch_apply_begin")).msg.auto_approved).toBe(false);
    await talk.next("task_complete");
    expect(talk.place.files()).toEqual({ "n.txt": "hi\n" });
  });

  test("an abort that concerns nothing that goes on changes nothing; with the task's id it always ends the task", async () => {
    await using model = await fakeModel([callShell(["touch", "a"]), { hang: true }]);
    await using talk = await startConversation({ model, config: untrusted });
    const id = talk.input("go");
    await talk.next("exec_approval_request");
    talk.submit({ type: "exec_approval", id: "zzz", decision: "abort" });
    talk.submit({ type: "exec_approval", id: "call_1", decision: "approved" });
    await talk.next("exec_command_end");
    await model.received(2);
    talk.submit({ type: "exec_approval", id: "call_1", decision: "abort" }); // it was answered long ago
    talk.submit({ type: "get_history" });
    await talk.next("conversation_history");
    expect(talk.events.map((event) => event.msg.type)).not.toContain("turn_aborted");
    talk.submit({ type: "patch_approval", id, decision: "abort" });
    expect((await talk.next("turn_aborted")).id).toBe(id);
  });

  test("it is logged", async () => {
    await using model = await fakeModel([callShell(["touch", "a"])]);
    await using talk = await startConversation({ model, config: untrusted });
    const lines: string[] = [];
    startLog({ CODEX_LOG: "warn" }, "error", (text) => lines.push(text));
    onTestFinished(() => startLog({ CODEX_LOG: "off" }, "error"));
    talk.input("go");
    await talk.next("exec_approval_request");
    talk.submit({ type: "exec_approval", id: "zzz", decision: "approved" });
    talk.submit({ type: "get_history" });
    await talk.next("conversation_history");
    expect(lines).toEqual([expect.stringMatching(/ WARN session: No pending approval found for sub_id: zzz\n$/)]);
  });

  test("the second answer to a question is nobody's", async () => {
    await using model = await fakeModel([callShell(["touch", "a"]), callShell(["touch", "b"]), say("done")]);
    await using talk = await startConversation({ model, config: untrusted });
    talk.input("go");
    await talk.next("exec_approval_request");
    talk.submit({ type: "exec_approval", id: "call_1", decision: "approved" });
    talk.submit({ type: "exec_approval", id: "call_1", decision: "approved" });
    await talk.next("exec_approval_request");
    talk.submit({ type: "exec_approval", id: "call_2", decision: "denied" });
    await talk.next("task_complete");
    expect(talk.place.files()).toEqual({ a: "" });
  });

  test("a command that was plainly approved is asked about again", async () => {
    await using model = await fakeModel([callShell(["touch", "a"]), callShell(["touch", "a"]), say("done")]);
    await using talk = await startConversation({ model, config: untrusted });
    talk.input("go");
    for (const id of ["call_1", "call_2"]) {
      expect((await talk.next("exec_approval_request")).msg.call_id).toBe(id);
      talk.submit({ type: "exec_approval", id, decision: "approved" });
    }
    await talk.next("task_complete");
  });

  test("a patch that is denied tells the model; abort ends the task", async () => {
    const patch = "*** Begin Patch\n*** Add File: n.txt\n+hi\n*** End Patch\n";
    await using model = await fakeModel([
      callTool("apply_patch", { input: patch }),
      callTool("apply_patch", { input: patch }),
    ]);
    await using talk = await startConversation({ model, config: untrusted });
    const id = talk.input("go");
    await talk.next("apply_patch_approval_request");
    talk.submit({ type: "patch_approval", id: "call_1", decision: "denied" });
    await talk.next("apply_patch_approval_request");
    expect(inputOf(model, 2).at(-1)?.output).toBe("patch rejected by user");
    talk.submit({ type: "patch_approval", id, decision: "abort" });
    await talk.next("turn_aborted");
    expect(talk.place.files()).toEqual({});
  });
});

describe("a failure inside the sandbox, under on-failure", () => {
  const onFailure = ['sandbox_mode = "workspace-write"', 'approval_policy = "on-failure"'];
  const writeOutside = () => callShell(["bash", "-c", "echo x > ../outside && cat ../outside"]);

  test("what the sandbox denied may be tried again without it, under the same call id", async () => {
    await using model = await fakeModel([writeOutside(), say("done")]);
    await using talk = await startConversation({ model, config: onFailure });
    const id = talk.input("go");
    const request = await talk.next("exec_approval_request");
    expect(request.msg).toMatchObject({ call_id: "call_1", reason: "command failed; retry without sandbox?" });
    talk.submit({ type: "exec_approval", id, decision: "approved" });
    await talk.next("task_complete");
    const shown = talk.events.flatMap(({ msg }) => {
      if (msg.type === "background_event") return [msg.message];
      return msg.type === "exec_command_end" ? [`${msg.call_id}: ${msg.exit_code} ${msg.stdout}`] : [];
    });
    expect(shown).toEqual([
      "call_1: 1 ",
      "Execution failed: the sandbox denied it",
      "retrying command without sandbox",
      "call_1: 0 x\n",
    ]);
    expect(JSON.parse(inputOf(model, 2).at(-1)?.output ?? "")).toMatchObject({ output: "x\n" });
  });

  test("plainly approved once is asked again, denied tells the model", async () => {
    await using model = await fakeModel([writeOutside(), writeOutside(), say("done")]);
    await using talk = await startConversation({ model, config: onFailure });
    const id = talk.input("go");
    await talk.next("exec_approval_request");
    talk.submit({ type: "exec_approval", id, decision: "approved" });
    await talk.next("exec_approval_request");
    talk.submit({ type: "exec_approval", id, decision: "denied" });
    await talk.next("task_complete");
    expect(inputOf(model, 3).at(-1)?.output).toBe("exec command rejected by user");
  });

  test("a command that fails by itself is a result, and nobody is asked", async () => {
    await using model = await fakeModel([callShell(["bash", "-c", "exit 3"]), say("done")]);
    await using talk = await startConversation({ model, config: onFailure });
    talk.input("go");
    await talk.next("task_complete");
    expect(talk.events.map((event) => event.msg.type)).not.toContain("exec_approval_request");
  });

  test("approved for the session is not asked about again, and runs without the sandbox at once", async () => {
    await using model = await fakeModel([writeOutside(), writeOutside(), say("done")]);
    await using talk = await startConversation({ model, config: onFailure });
    talk.input("go");
    await talk.next("exec_approval_request");
    talk.submit({ type: "exec_approval", id: "call_1", decision: "approved_for_session" });
    await talk.next("task_complete");
    expect(talk.events.filter((event) => event.msg.type === "exec_approval_request")).toHaveLength(1);
    expect(talk.events.flatMap(({ msg }) => (msg.type === "exec_command_end" ? [msg.exit_code] : []))).toEqual([
      1, 0, 0,
    ]);
  });

  test("a patch that the sandbox denied is asked about as a patch, and written when approved", async () => {
    const patch = "*** Begin Patch\n*** Add File: ../outside.txt\n+hi\n*** End Patch\n";
    await using model = await fakeModel([callTool("apply_patch", { input: patch }), say("done")]);
    await using talk = await startConversation({ model, config: onFailure });
    talk.input("go");
    const { msg } = await talk.next("apply_patch_approval_request");
    const file = path.join(talk.place.root, "outside.txt");
    expect(msg).toEqual({
      type: "apply_patch_approval_request",
      call_id: "call_1",
      changes: { [file]: { add: { content: "hi\n" } } },
      reason: "command failed; retry without sandbox?",
    });
    talk.submit({ type: "patch_approval", id: "call_1", decision: "approved" });
    await talk.next("task_complete");
    const ends = talk.events.flatMap(({ msg }) => (msg.type === "patch_apply_end" ? [msg.success] : []));
    expect(ends).toEqual([false, true]);
    expect(readFileSync(file, "utf8")).toBe("hi\n");
  });
});

describe("a command that asks to leave the sandbox, under on-request", () => {
  const onRequest = ['sandbox_mode = "workspace-write"', 'approval_policy = "on-request"'];
  const escalated = () =>
    callShell(["bash", "-c", "echo x > ../outside"], {
      args: { with_escalated_permissions: true, justification: "it has to be there" },
    });

  test("is put to the person with its reason, and runs without the sandbox when approved", async () => {
    await using model = await fakeModel([escalated(), say("done")]);
    await using talk = await startConversation({ model, config: onRequest });
    talk.input("go");
    const { msg } = await talk.next("exec_approval_request");
    expect(msg).toEqual({
      type: "exec_approval_request",
      call_id: "call_1",
      command: ["bash", "-c", "echo x > ../outside"],
      cwd: talk.place.work,
      reason: "it has to be there",
    });
    talk.submit({ type: "exec_approval", id: "call_1", decision: "approved" });
    await talk.next("task_complete");
    expect(readFileSync(path.join(talk.place.root, "outside"), "utf8")).toBe("x\n");
  });

  test("does not run when denied", async () => {
    await using model = await fakeModel([escalated(), say("done")]);
    await using talk = await startConversation({ model, config: onRequest });
    talk.input("go");
    await talk.next("exec_approval_request");
    talk.submit({ type: "exec_approval", id: "call_1", decision: "denied" });
    await talk.next("task_complete");
    expect(inputOf(model, 2).at(-1)?.output).toBe("exec command rejected by user");
    expect(existsSync(path.join(talk.place.root, "outside"))).toBe(false);
  });
});
