import { describe, expect, test } from "vitest";
import { callShell, fakeModel, say } from "../support/fake-model.ts";
import { startProto } from "../support/proto-session.ts";
import { inputOf } from "../support/requests.ts";

describe("an interrupt", () => {
  test.each([
    ["before the first byte of an answer", { hang: "headers" } as const],
    ["in the stream", { hang: true } as const],
  ])("%s: turn_aborted, and the next input is answered", async (_, step) => {
    await using model = await fakeModel([step, say("next")]);
    await using proto = startProto({ model });
    proto.input("go", "1");
    await model.received(1);
    proto.send({ type: "interrupt" });
    expect((await proto.next("turn_aborted")).id).toBe("1");
    proto.input("again", "2");
    expect(await proto.next("task_complete")).toEqual({
      id: "2",
      msg: { type: "task_complete", last_agent_message: "next" },
    });
  });

  test("while compacting: turn_aborted, and the history is what it was", async () => {
    await using model = await fakeModel([say("one"), { hang: true }, say("two")]);
    await using proto = startProto({ model });
    proto.input("first", "1");
    await proto.next("task_complete");
    proto.send({ type: "compact" }, "c");
    await model.received(2);
    proto.send({ type: "interrupt" });
    expect((await proto.next("turn_aborted")).id).toBe("c");
    proto.input("second", "2");
    await proto.next("task_complete");
    const texts = inputOf(model, 3).map((item) => item.content?.[0]?.text);
    expect(texts.slice(-3)).toEqual(["first", "one", "second"]);
  });

  test("while a question is open: it is not answered any more", async () => {
    await using model = await fakeModel([callShell(["touch", "x"]), say("next")]);
    await using proto = startProto({ model, args: ["-a", "untrusted"] });
    proto.input("go", "1");
    await proto.next("exec_approval_request");
    proto.send({ type: "interrupt" });
    await proto.next("turn_aborted");
    proto.send({ type: "exec_approval", id: "1", decision: "approved" });
    proto.input("again");
    await proto.next("task_complete");
    expect(proto.codex.place.files()).toEqual({});
  });
});
