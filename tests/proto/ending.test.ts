import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { isAlive } from "../process/support.ts";
import { callShell, fakeModel, say } from "../support/fake-model.ts";
import { fullAccess, type ProtoSession, startProto } from "../support/proto-session.ts";
import { codexBinary, runCodex } from "../support/run-codex.ts";
import { workspace } from "../support/workspace.ts";

/** A command that writes down its process and that of a child, and stays. */
const stays = callShell(["bash", "-c", "sleep 60 & echo $$ $! > pids.tmp; mv pids.tmp pids; wait"], {
  args: { timeout_ms: 60_000 },
});

async function pidsOf(proto: ProtoSession): Promise<readonly number[]> {
  const file = path.join(proto.codex.place.work, "pids");
  await expect.poll(() => existsSync(file)).toBe(true);
  return (proto.codex.place.files()["pids"] ?? "").trim().split(" ").map(Number);
}

const allGone = (pids: readonly number[]) => expect.poll(() => pids.filter(isAlive)).toEqual([]);

describe("the end of stdin", () => {
  test("without a task ends the program at once", async () => {
    const run = await runCodex(["proto"], { stdin: "" });
    expect(run).toMatchObject({ exitCode: 0, messages: [{ type: "session_configured" }] });
  });

  test("during a task lets it run to its end", async () => {
    await using model = await fakeModel([callShell(["bash", "-c", "sleep 0.3; echo x > made"]), say("done")]);
    await using proto = startProto({ model, args: fullAccess });
    proto.input("go", "1");
    await proto.next("exec_command_begin");
    proto.end();
    const run = await proto.ended();
    expect(run).toMatchObject({ exitCode: 0, files: { made: "x\n" } });
    expect(run.messages.at(-1)).toEqual({ type: "task_complete", last_agent_message: "done" });
  });

  test("right behind the submissions serves them all", async () => {
    await using model = await fakeModel([say("one")]);
    const ops = [
      { type: "user_input", items: [{ type: "text", text: "go" }] },
      { type: "get_history" },
      { type: "list_custom_prompts" },
    ];
    const stdin = ops.map((op, index) => `${JSON.stringify({ id: String(index), op })}\n`).join("");
    const run = await runCodex(["proto"], { model, stdin });
    expect(run.exitCode).toBe(0);
    const types = run.messages.map(({ type }) => type);
    expect(types).toContain("conversation_history");
    expect(types).toContain("list_custom_prompts_response");
    expect(types.at(-1)).toBe("task_complete");
  });

  test("waits for a compaction that waits for the task", async () => {
    await using model = await fakeModel([say("one", { delayMs: 100 }), say("A summary.")]);
    const stdin = [
      { id: "1", op: { type: "user_input", items: [{ type: "text", text: "go" }] } },
      { id: "2", op: { type: "compact" } },
    ]
      .map((line) => `${JSON.stringify(line)}\n`)
      .join("");
    const run = await runCodex(["proto"], { model, stdin });
    const ends = run.lines.filter(({ msg }) => (msg as { readonly type: string }).type === "task_complete");
    expect(ends.map(({ id }) => id)).toEqual(["1", "2"]);
    expect(run.exitCode).toBe(0);
  });

  test("denies the questions that are open and those that come", async () => {
    await using model = await fakeModel([
      callShell(["touch", "one"]),
      callShell(["touch", "two"]),
      say("I was not allowed to."),
    ]);
    await using proto = startProto({ model, args: ["-s", "danger-full-access", "-a", "untrusted"] });
    proto.input("go");
    await proto.next("exec_approval_request");
    proto.end();
    const run = await proto.ended();
    expect(run).toMatchObject({ exitCode: 0, files: {} });
    expect(run.messages.filter(({ type }) => type === "exec_approval_request")).toHaveLength(2);
    expect(run.messages.at(-1)).toEqual({ type: "task_complete", last_agent_message: "I was not allowed to." });
  });

  test("SIGINT after it interrupts the task and ends the program", async () => {
    await using model = await fakeModel([stays]);
    await using proto = startProto({ model, args: fullAccess });
    proto.input("go");
    const pids = await pidsOf(proto);
    proto.end();
    await proto.codex.sees("stdin has ended");
    proto.codex.child.kill("SIGINT");
    const run = await proto.ended();
    expect(run.exitCode).toBe(130);
    expect(run.messages.at(-1)).toEqual({ type: "turn_aborted", reason: "interrupted" });
    await allGone(pids);
  });
});

describe("shutdown", () => {
  test("without a task", async () => {
    await using proto = startProto();
    proto.send({ type: "shutdown" }, "bye");
    expect((await proto.next("shutdown_complete")).id).toBe("bye");
    expect((await proto.ended()).exitCode).toBe(0); // although stdin is open
  });

  test("during a command", async () => {
    await using model = await fakeModel([stays]);
    await using proto = startProto({ model, args: fullAccess });
    proto.input("go", "1");
    const pids = await pidsOf(proto);
    proto.send({ type: "shutdown" }, "bye");
    const run = await proto.ended();
    expect(run.exitCode).toBe(0);
    expect(run.lines.slice(-2)).toEqual([
      { id: "1", msg: { type: "turn_aborted", reason: "interrupted" } },
      { id: "bye", msg: { type: "shutdown_complete" } },
    ]);
    await allGone(pids);
  });

  test.each([
    ["before the first byte of an answer", { hang: "headers" } as const],
    ["in the stream", { hang: true } as const],
  ])("%s", async (_, step) => {
    await using model = await fakeModel([step]);
    await using proto = startProto({ model });
    proto.input("go", "1");
    await model.received(1);
    proto.send({ type: "shutdown" }, "bye");
    const run = await proto.ended();
    expect(run.messages.slice(-2).map(({ type }) => type)).toEqual(["turn_aborted", "shutdown_complete"]);
    expect(run.exitCode).toBe(0);
  });

  test("while a question is open, and what comes behind it is not served", async () => {
    await using model = await fakeModel([callShell(["touch", "x"])]);
    await using proto = startProto({ model, args: ["-a", "untrusted"] });
    proto.input("go", "1");
    await proto.next("exec_approval_request");
    proto.write('{"id":"bye","op":{"type":"shutdown"}}\n{"id":"late","op":{"type":"get_history"}}\n');
    const run = await proto.ended();
    expect(run.messages.slice(-2).map(({ type }) => type)).toEqual(["turn_aborted", "shutdown_complete"]);
    expect(run).toMatchObject({ exitCode: 0, files: {} });
  });
});

describe("signals", () => {
  test.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGHUP", 129],
  ] as const)("%s without a task: status %i", async (signal, status) => {
    await using proto = startProto();
    await proto.next("session_configured");
    proto.send({ type: "get_history" });
    await proto.next("conversation_history");
    proto.codex.child.kill(signal);
    expect((await proto.ended()).exitCode).toBe(status);
  });

  test("SIGINT interrupts the task, the session goes on, and the next SIGINT ends it", async () => {
    await using model = await fakeModel([stays, say("next")]);
    await using proto = startProto({ model, args: fullAccess });
    proto.input("go", "1");
    const pids = await pidsOf(proto);
    proto.codex.child.kill("SIGINT");
    expect(await proto.next("turn_aborted")).toEqual({ id: "1", msg: { type: "turn_aborted", reason: "interrupted" } });
    await allGone(pids);
    proto.input("again", "2");
    expect((await proto.next("task_complete")).id).toBe("2");
    proto.codex.child.kill("SIGINT");
    expect((await proto.ended()).exitCode).toBe(130);
  });

  test.each([
    ["SIGTERM", 143],
    ["SIGHUP", 129],
  ] as const)("%s during a command: turn_aborted, its processes die, status %i", async (signal, status) => {
    await using model = await fakeModel([stays]);
    await using proto = startProto({ model, args: fullAccess });
    proto.input("go", "1");
    const pids = await pidsOf(proto);
    proto.codex.child.kill(signal);
    const run = await proto.ended();
    expect(run.exitCode).toBe(status);
    expect(run.messages.at(-1)).toEqual({ type: "turn_aborted", reason: "interrupted" });
    expect(run.rollout.at(-1)?.payload).toMatchObject({ type: "function_call_output", output: "aborted" });
    await allGone(pids);
  });
});

describe("a reader that goes away", () => {
  test("without a task: the program ends", async () => {
    await using proto = startProto();
    await proto.next("session_configured");
    proto.codex.child.stdout.destroy();
    const run = await proto.ended();
    expect(run.exitCode).toBe(0);
    expect(run.stderr).not.toMatch(/at .*:\d+/);
  });

  test("while a silent command runs: it dies, and the session file has its answer", async () => {
    await using model = await fakeModel([stays]);
    await using proto = startProto({ model, args: fullAccess });
    proto.input("go", "1");
    const pids = await pidsOf(proto);
    proto.codex.child.stdout.destroy();
    const run = await proto.ended();
    expect(run.exitCode).toBe(0);
    expect(run.rollout.at(-1)?.payload).toMatchObject({ type: "function_call_output", output: "aborted" });
    await allGone(pids);
  });

  test("in a stream", async () => {
    await using model = await fakeModel([say("x", { deltas: Array(200).fill("x"), gapMs: 20 })]);
    await using proto = startProto({ model });
    proto.input("go", "1");
    await proto.next("agent_message_delta");
    proto.codex.child.stdout.destroy();
    const run = await proto.ended();
    expect(run.exitCode).toBe(0);
    expect(run.stderr).not.toMatch(/at .*:\d+|EPIPE/);
  });

  test("at the end of a real pipe", () => {
    using place = workspace();
    const script = `{ sleep 20 & echo $! > pid; wait; } | { "$0" "$1" proto --ephemeral; echo $? > status; kill $(cat pid); } | head -n 1`;
    const { stdout } = spawnSync("bash", ["-c", script, process.execPath, codexBinary], {
      cwd: place.work,
      env: place.env,
      encoding: "utf8",
      timeout: 110_000,
    });
    expect(JSON.parse(stdout)).toMatchObject({ msg: { type: "session_configured" } });
    expect(place.files()["status"]).toBe("0\n");
  });
});

test("stdin that is a terminal is refused", async () => {
  using place = workspace();
  const { stdout } = spawnSync(
    "script",
    ["-qec", `"${process.execPath}" "${codexBinary}" proto; echo "status $?"`, "/dev/null"],
    {
      env: place.env,
      encoding: "utf8",
      timeout: 110_000,
    },
  );
  expect(stdout.replaceAll("\r", "")).toBe(
    "Error: Protocol mode expects stdin to be a pipe, not a terminal\nstatus 1\n",
  );
});

test("a session that cannot start says why in one sentence, with status 1 and nothing on stdout", async () => {
  const run = await runCodex(["proto"], { stdin: "", config: ['model_provider = "zz"'] });
  expect(run).toMatchObject({ exitCode: 1, stdout: "", stderr: "Error: Model provider `zz` not found\n" });
});
