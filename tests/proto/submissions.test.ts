import { describe, expect, test } from "vitest";
import { callShell, fakeModel, say, think } from "../support/fake-model.ts";
import { startProto, typesOf } from "../support/proto-session.ts";
import { inputOf, promptOf } from "../support/requests.ts";
import { runCodex } from "../support/run-codex.ts";

describe("a conversation", () => {
  test("session_configured with an empty id, then the lines of a turn with the client's", async () => {
    await using model = await fakeModel([think("R", { text: "answer", deltas: ["ans", "wer"] })]);
    await using proto = startProto({ model });
    const first = await proto.next("session_configured");
    expect(first).toMatchObject({ id: "", msg: { model: "mock-model", history_log_id: 0, history_entry_count: 0 } });
    proto.input("hi", "abc");
    await proto.next("task_complete");
    proto.end();
    const run = await proto.ended();
    const usage = {
      input_tokens: 100,
      cached_input_tokens: 10,
      output_tokens: 20,
      reasoning_output_tokens: 5,
      total_tokens: 120,
    };
    expect(run.lines.slice(1)).toEqual(
      [
        { type: "task_started", model_context_window: null },
        { type: "agent_reasoning_section_break" },
        { type: "agent_reasoning_delta", delta: "R" },
        { type: "agent_reasoning", text: "R" },
        { type: "agent_message_delta", delta: "ans" },
        { type: "agent_message_delta", delta: "wer" },
        { type: "agent_message", message: "answer" },
        {
          type: "token_count",
          info: { total_token_usage: usage, last_token_usage: usage, model_context_window: null },
        },
        { type: "task_complete", last_agent_message: "answer" },
      ].map((msg) => ({ id: "abc", msg })),
    );
    expect(run.exitCode).toBe(0);
  });

  test("two tasks with the same id both run", async () => {
    await using model = await fakeModel([say("one"), say("two")]);
    await using proto = startProto({ model });
    proto.input("first", "x");
    await proto.next("task_complete");
    proto.input("second", "x");
    expect(await proto.next("task_complete")).toEqual({
      id: "x",
      msg: { type: "task_complete", last_agent_message: "two" },
    });
  });

  test("the flags are those of exec, and the policies by default those of the configuration", async () => {
    await using model = await fakeModel([say("ok"), say("ok")]);
    const contextOf = (request: number) => inputOf(model, request)[0]?.content?.[0]?.text;
    await using plain = startProto({ model });
    plain.input("hi");
    await plain.next("task_complete");
    expect(contextOf(1)).toContain("<approval_policy>on-request</approval_policy>");
    expect(contextOf(1)).toContain("<sandbox_mode>read-only</sandbox_mode>");
    await using other = startProto({
      model,
      files: { "sub/x": "" },
      args: ["-m", "o3", "-s", "workspace-write", "-a", "untrusted", "-C", "sub", "--ephemeral"],
    });
    other.input("hi");
    await other.next("task_complete");
    other.end();
    expect((await other.ended()).rollout).toEqual([]);
    expect(contextOf(2)).toMatch(/<cwd>.*\/sub<\/cwd>/);
    expect(contextOf(2)).toContain("<approval_policy>untrusted</approval_policy>");
    expect(contextOf(2)).toContain("<sandbox_mode>workspace-write</sandbox_mode>");
    expect(model.requests[1]?.body).toMatchObject({ model: "o3" });
  });

  test("--record keeps what the model said, --replay plays it", async () => {
    await using model = await fakeModel([say("recorded")]);
    const line = `${JSON.stringify({ id: "1", op: { type: "user_input", items: [{ type: "text", text: "hi" }] } })}\n`;
    const first = await runCodex(["proto", "--record", "run.jsonl"], { model, stdin: line });
    const recording = first.files["run.jsonl"] ?? "";
    const second = await runCodex(["proto", "--replay", "run.jsonl"], {
      stdin: line,
      files: { "run.jsonl": recording },
    });
    expect(second.lines.slice(1)).toEqual(
      first.lines.slice(1).map((event) => expect.objectContaining({ id: event["id"] })),
    );
    expect(second.messages.at(-1)).toEqual({ type: "task_complete", last_agent_message: "recorded" });
  });

  test("commands run in the sandbox", async () => {
    await using model = await fakeModel([callShell(["bash", "-c", "echo out; echo x > made.txt"]), say("done")]);
    await using proto = startProto({ model, args: ["-s", "read-only", "-a", "never"] });
    proto.input("go");
    const { msg } = await proto.next("exec_command_end");
    expect(msg).toMatchObject({ stdout: "out\n", stderr: expect.stringMatching(/denied/) });
    expect(msg.exit_code).not.toBe(0);
    await proto.next("task_complete");
    expect(proto.codex.place.files()).toEqual({});
  });
});

const bad: readonly (readonly [name: string, line: string, id: string, problem: string])[] = [
  ["text", "hello", "", `not JSON: Unexpected token 'h', "hello" is not valid JSON`],
  ["half a line", '{"id":"1","op":{"ty', "", "not JSON: Unterminated string in JSON at position 19"],
  ["no object", '["x"]', "", "invalid type: an array, expected an object"],
  ["no op", '{"id":"1"}', "1", "missing field `op`"],
  ["no id", '{"op":{"type":"interrupt"}}', "", "missing field `id`"],
  ["a numeric id", '{"id":3,"op":{"type":"interrupt"}}', "", "invalid type: integer `3`, expected a string in `id`"],
  ["no type", '{"id":"1","op":{}}', "1", "missing field `op.type`"],
  ["an unknown op", '{"id":"1","op":{"type":"bogus"}}', "1", "unknown variant `bogus`, expected one of `user_input`, "],
  ["no items", '{"id":"1","op":{"type":"user_input"}}', "1", "missing field `op.items`"],
  [
    "an item without its text",
    '{"id":"1","op":{"type":"user_input","items":[{"type":"text"}]}}',
    "1",
    "missing field `op.items[0].text`",
  ],
  [
    "an unknown item",
    '{"id":"1","op":{"type":"user_input","items":[{"type":"sound"}]}}',
    "1",
    "unknown variant `sound`, expected one of `text`, `image`, `local_image` in `op.items[0].type`",
  ],
  [
    "an unknown decision",
    '{"id":"1","op":{"type":"exec_approval","id":"x","decision":"maybe"}}',
    "1",
    "unknown variant `maybe`, expected one of `approved`, `approved_for_session`, `denied`, `abort` in `op.decision`",
  ],
  [
    "a negative offset",
    '{"id":"1","op":{"type":"get_history_entry_request","offset":-1,"log_id":0}}',
    "1",
    "invalid value: integer `-1`, expected at least 0 in `op.offset`",
  ],
  [
    "a relative folder",
    '{"id":"1","op":{"type":"override_turn_context","cwd":"sub"}}',
    "1",
    'invalid value: string "sub", expected an absolute path in `op.cwd`',
  ],
  [
    "a long wrong word",
    `{"id":"1","op":{"type":"${"x".repeat(1000)}"}}`,
    "1",
    `unknown variant \`${"x".repeat(60)}…\`, expected one of`,
  ],
];

describe("a line that is no submission", () => {
  test.each(bad)(
    "%s: an error with the line's id, a line in the log, and the next one is served",
    async (_, line, id, problem) => {
      const stdin = `\n  \t\r\n${line}\n{"id":"next","op":{"type":"get_history"}}\n`;
      const run = await runCodex(["proto", "--ephemeral"], { stdin });
      expect(run.lines).toMatchObject([
        { id: "", msg: { type: "session_configured" } },
        { id, msg: { type: "error", message: expect.stringContaining(`invalid submission: ${problem}`) } },
        { id: "next", msg: { type: "conversation_history" } },
      ]);
      expect(run.stderr).toContain(`ERROR codex_cli::proto: invalid submission: ${problem}`);
      expect(run.exitCode).toBe(0);
    },
  );

  test("bytes that are not UTF-8, beside bytes that are", async () => {
    const line = '{"id":"é","op":{"type":"get_history"}}\n';
    const stdin = Buffer.concat([Buffer.from([0x61, 0xff, 0x0a]), Buffer.from(`\ufeff${line}`)]);
    const run = await runCodex(["proto", "--ephemeral"], { stdin });
    expect(run.lines.slice(1)).toMatchObject([
      { id: "", msg: { type: "error", message: "invalid submission: not UTF-8" } },
      { id: "é", msg: { type: "conversation_history" } },
    ]);
  });

  test("a line of more than 64 MiB is passed over", async () => {
    await using proto = startProto({ args: ["--ephemeral"] });
    const piece = Buffer.alloc(16 * 1024 * 1024, "x");
    for (let count = 0; count < 5; count += 1) proto.write(piece);
    proto.write('\n{"id":"next","op":{"type":"get_history"}}\n');
    expect((await proto.next("error")).msg.message).toBe("invalid submission: longer than 64 MiB");
    expect((await proto.next("conversation_history")).id).toBe("next");
  });

  test("the log says nothing when it is told to", async () => {
    const run = await runCodex(["proto", "--ephemeral"], { stdin: "bad\n", env: { RUST_LOG: "off" } });
    expect(run.stderr).toBe("");
    expect(run.messages.at(-1)?.type).toBe("error");
  });
});

describe("a line that is a submission", () => {
  test("of 1 MB in small pieces", async () => {
    await using model = await fakeModel([say("ok")]);
    await using proto = startProto({ model });
    const text = "é".repeat(500_000);
    const line = Buffer.from(
      `${JSON.stringify({ id: "big", op: { type: "user_input", items: [{ type: "text", text }] } })}\n`,
    );
    for (let at = 0; at < line.length; at += 9_999) proto.write(line.subarray(at, at + 9_999));
    expect((await proto.next("task_complete")).id).toBe("big");
    expect(promptOf(model)).toBe(text);
  });

  test("the last one without a newline, from a file", async () => {
    const run = await runCodex(["proto", "--ephemeral"], { stdin: '{"id":"1","op":{"type":"get_history"}}' });
    expect(run.lines.at(-1)).toMatchObject({ id: "1", msg: { type: "conversation_history" } });
  });

  test("configure_session has no effect but a remark", async () => {
    const stdin = '{"id":"0","op":{"type":"configure_session","model":"o3","cwd":3}}\n';
    const run = await runCodex(["proto", "--ephemeral"], { stdin });
    expect(run.lines.slice(1)).toMatchObject([
      { id: "0", msg: { type: "background_event", message: expect.stringContaining("configure_session") } },
    ]);
  });

  test("optional fields may be null, and unknown ones are ignored", async () => {
    await using model = await fakeModel([say("ok")]);
    await using proto = startProto({ model });
    const override = { type: "override_turn_context", model: "o3", cwd: null, effort: null, approval_policy: "never" };
    proto.write(`${JSON.stringify({ id: "1", extra: 1, op: { ...override, more: [1] } })}\n`);
    proto.input("go");
    await proto.next("task_complete");
    expect(model.requests[0]?.body).toMatchObject({ model: "o3", reasoning: { effort: "medium" } });
    expect(typesOf(proto.events)).not.toContain("error");
  });
});
