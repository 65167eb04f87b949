import { describe, expect, test } from "vitest";
import { callShell, callTool, fakeModel, say } from "../support/fake-model.ts";
import { startProto, typesOf } from "../support/proto-session.ts";
import { inputOf } from "../support/requests.ts";

const untrusted = ["-s", "danger-full-access", "-a", "untrusted"];
const rejected = "exec command rejected by user";

describe("a command that is asked about", () => {
  test.each(["the task", "the call"])("is run when %s is answered with approved, without the sandbox", async (who) => {
    await using model = await fakeModel([callShell(["bash", "-c", "echo x > made"]), say("done")]);
    await using proto = startProto({ model, args: ["-s", "read-only", "-a", "untrusted"] });
    proto.input("go", "1");
    const { id, msg } = await proto.next("exec_approval_request");
    expect(msg).toEqual({
      type: "exec_approval_request",
      call_id: "call_1",
      command: ["bash", "-c", "echo x > made"],
      cwd: proto.codex.place.work,
    });
    proto.send({ type: "exec_approval", id: who === "the task" ? id : msg.call_id, decision: "approved" });
    await proto.next("task_complete");
    expect(proto.codex.place.files()).toEqual({ made: "x\n" });
    expect(typesOf(proto.events).filter((type) => type.startsWith("exec"))).toEqual([
      "exec_approval_request",
      "exec_command_begin",
      "exec_command_end",
    ]);
  });

  test("is asked about once when it is approved for the session, twice otherwise", async () => {
    const touch = (file: string) => callShell(["touch", file]);
    await using model = await fakeModel([touch("a"), touch("a"), touch("b"), touch("b"), say("done")]);
    await using proto = startProto({ model, args: untrusted });
    proto.input("go", "1");
    for (const decision of ["approved_for_session", "approved", "approved"] as const) {
      await proto.next("exec_approval_request");
      proto.send({ type: "exec_approval", id: "1", decision });
    }
    await proto.next("task_complete");
    const asked = proto.events.flatMap(({ msg }) => (msg.type === "exec_approval_request" ? [msg.command[1]] : []));
    expect(asked).toEqual(["a", "b", "b"]);
  });

  test("denied: the model is told, and the task goes on", async () => {
    await using model = await fakeModel([callShell(["touch", "x"]), say("fine")]);
    await using proto = startProto({ model, args: untrusted });
    proto.input("go", "1");
    await proto.next("exec_approval_request");
    proto.send({ type: "exec_approval", id: "1", decision: "denied" });
    await proto.next("task_complete");
    expect(inputOf(model, 2).at(-1)).toMatchObject({ type: "function_call_output", output: rejected });
    expect(proto.codex.place.files()).toEqual({});
  });

  test("abort: the task is interrupted", async () => {
    await using model = await fakeModel([callShell(["touch", "x"]), say("next")]);
    await using proto = startProto({ model, args: untrusted });
    proto.input("go", "1");
    await proto.next("exec_approval_request");
    proto.send({ type: "exec_approval", id: "1", decision: "abort" });
    expect((await proto.next("turn_aborted")).id).toBe("1");
    proto.input("again", "2");
    expect((await proto.next("task_complete")).id).toBe("2");
  });

  test("stays open when the id is wrong or the word unknown", async () => {
    await using model = await fakeModel([callShell(["touch", "x"]), say("done")]);
    await using proto = startProto({ model, args: untrusted });
    proto.input("go", "1");
    await proto.next("exec_approval_request");
    proto.send({ type: "exec_approval", id: "zzz", decision: "approved" });
    await proto.codex.sees("WARN session: No pending approval found for sub_id: zzz");
    proto.write('{"id":"2","op":{"type":"exec_approval","id":"1","decision":"yes"}}\n');
    expect((await proto.next("error")).id).toBe("2");
    proto.send({ type: "exec_approval", id: "1", decision: "approved" });
    await proto.next("task_complete");
    expect(proto.codex.place.files()).toEqual({ x: "" });
  });

  test("with escalated permissions: its justification is the reason", async () => {
    const args = { with_escalated_permissions: true, justification: "It writes." };
    await using model = await fakeModel([callShell(["touch", "x"], { args }), say("done")]);
    await using proto = startProto({ model, args: ["-s", "read-only", "-a", "on-request"] });
    proto.input("go", "1");
    expect((await proto.next("exec_approval_request")).msg.reason).toBe("It writes.");
    proto.send({ type: "exec_approval", id: "1", decision: "approved" });
    await proto.next("task_complete");
    expect(proto.codex.place.files()).toEqual({ x: "" });
  });

  test("on-failure asks after a denial, runs it again, and plain approved is not remembered", async () => {
    const write = callShell(["bash", "-c", "echo x >> made"]);
    await using model = await fakeModel([write, write, say("done")]);
    await using proto = startProto({ model, args: ["-s", "read-only", "-a", "on-failure"] });
    proto.input("go", "1");
    for (const decision of ["approved", "denied"] as const) {
      const { msg } = await proto.next("exec_approval_request");
      expect(msg.reason).toBe("command failed; retry without sandbox?");
      proto.send({ type: "exec_approval", id: "1", decision });
    }
    await proto.next("task_complete");
    expect(proto.codex.place.files()).toEqual({ made: "x\n" });
    const ends = proto.events.flatMap(({ msg }) =>
      msg.type === "exec_command_end" ? [[msg.call_id, msg.exit_code === 0]] : [],
    );
    expect(ends).toEqual([
      ["call_1", false],
      ["call_1", true],
      ["call_2", false],
    ]);
    expect(inputOf(model, 3).at(-1)).toMatchObject({ output: rejected });
  });
});

describe("a patch that is asked about", () => {
  const patch = "*** Begin Patch\n*** Add File: n.txt\n+hi\n*** End Patch";
  const call = callTool("shell", { command: ["apply_patch", patch] });

  test.each([
    ["approved", { "n.txt": "hi\n" }],
    ["denied", {}],
  ] as const)("%s", async (decision, files) => {
    await using model = await fakeModel([call, say("done")]);
    await using proto = startProto({ model, args: ["-s", "read-only"] });
    proto.input("go", "1");
    const { msg } = await proto.next("apply_patch_approval_request");
    const file = `${proto.codex.place.work}/n.txt`;
    expect(msg).toEqual({
      type: "apply_patch_approval_request",
      call_id: "call_1",
      changes: { [file]: { add: { content: "hi\n" } } },
    });
    proto.send({ type: "patch_approval", id: "1", decision });
    await proto.next("task_complete");
    expect(proto.codex.place.files()).toEqual(files);
    const begin = proto.events.find((event) => event.msg.type === "patch_apply_begin");
    if (decision === "approved") expect(begin?.msg).toMatchObject({ auto_approved: false });
    else expect(inputOf(model, 2).at(-1)).toMatchObject({ output: "patch rejected by user" });
  });
});
