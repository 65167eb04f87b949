import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { callShell, fakeModel, type ScriptedStep, say } from "../support/fake-model.ts";
import { fullAccess as fullAccessConfig, startMcp } from "../support/mcp-session.ts";
import { fullAccess, type ProtoSession, startProto } from "../support/proto-session.ts";
import { type RunningCodex, startCodex } from "../support/run-codex.ts";
import { workspace } from "../support/workspace.ts";
import { linesOf, shape } from "./support.ts";

/** No disk of the test's own: from this size on, the kernel refuses to let the process's files grow. */
function leaveRoom({ codex }: { readonly codex: RunningCodex }, bytes: number | "unlimited"): void {
  const { status, stderr } = spawnSync("prlimit", [`--pid=${codex.child.pid}`, `--fsize=${bytes}:unlimited`]);
  expect(status, String(stderr)).toBe(0);
}

const canLimit = spawnSync("prlimit", ["--version"]).status === 0;
const answers: readonly ScriptedStep[] = Array.from({ length: 6 }, (_, index) => say(`answer ${index + 1}`));
const stop = (file: string) =>
  `This session is not recorded: cannot write "${file}": EFBIG: file too large, write (tried again as it goes on)`;
const back = (file: string) => `This session is recorded again, and nothing is missing: "${file}"`;

async function task(proto: ProtoSession, text: string): Promise<void> {
  proto.input(text);
  await proto.next("task_complete");
}

function told({ events }: ProtoSession): readonly string[] {
  return events.flatMap(({ msg }) => (msg.type === "background_event" ? [msg.message] : []));
}

/** Of lines that are all whole; all that was said stands there once. */
function said(file: string): readonly string[] {
  const items = linesOf(file).flatMap(({ type, payload }) => (type === "response_item" ? [payload] : []));
  return shape(items).slice(1);
}

const turns = (...numbers: readonly number[]) =>
  numbers.flatMap((number) => [`user: task ${number}`, `assistant: answer ${number}`]);

test.runIf(canLimit)("what a full disk refuses is written as soon as there is room, in order and once", async () => {
  await using model = await fakeModel(answers);
  await using proto = startProto({ model, args: fullAccess });
  const file = (await proto.next("session_configured")).msg.rollout_path;
  await task(proto, "task 1");
  for (const [outage, room] of [
    [2, 40],
    [4, 0], // not even the half of a line
  ] as const) {
    const limit = statSync(file).size + room;
    leaveRoom(proto, limit);
    await task(proto, `task ${outage}`);
    expect(statSync(file).size).toBe(limit);
    leaveRoom(proto, "unlimited");
    await task(proto, `task ${outage + 1}`);
  }
  expect(told(proto)).toEqual([stop(file), back(file), stop(file), back(file)]);
  expect(said(file)).toEqual(turns(1, 2, 3, 4, 5));
  const events = linesOf(file).flatMap(({ type, payload }) => (type === "event_msg" ? [payload["type"]] : []));
  expect(events).toEqual(Array(5).fill(["user_message", "agent_message", "token_count"]).flat());
});

test.runIf(canLimit)("the end of the session is a last try", async () => {
  await using model = await fakeModel(answers);
  await using proto = startProto({ model, args: fullAccess });
  const file = (await proto.next("session_configured")).msg.rollout_path;
  leaveRoom(proto, statSync(file).size + 40);
  await task(proto, "task 1");
  leaveRoom(proto, "unlimited");
  const before = readFileSync(file, "utf8");
  expect(before.endsWith("\n")).toBe(false);
  proto.send({ type: "shutdown" });
  await proto.next("shutdown_complete");
  await expect.poll(() => readFileSync(file, "utf8").endsWith("\n")).toBe(true);
  expect(said(file)).toEqual(turns(1));
});

const lost = (lines: number | "\\d+", file: string) =>
  new RegExp(
    `The end of this session is lost: cannot write the last ${lines} lines \\(\\d+ bytes\\) of "${file}": EFBIG: file too large, write`,
  );

test.runIf(canLimit)("what the last try cannot save is told, before the last event of all", async () => {
  await using model = await fakeModel(answers);
  await using proto = startProto({ model, args: fullAccess });
  const file = (await proto.next("session_configured")).msg.rollout_path;
  leaveRoom(proto, statSync(file).size);
  await task(proto, "task 1");
  proto.send({ type: "shutdown" });
  await proto.next("shutdown_complete");
  expect(told(proto)).toEqual([stop(file), expect.stringMatching(lost(6, file))]);
  await proto.ended();
  expect(proto.events.at(-1)?.msg.type).toBe("shutdown_complete");
});

test.runIf(canLimit)("so it is by exec, on stderr", async () => {
  const wait = ["bash", "-c", "until [ -e go ]; do sleep 0.02; done"];
  await using model = await fakeModel([callShell(wait), say("done")]);
  const codex = startCodex(["exec", "-s", "danger-full-access", "task 1"], { model });
  await model.received(1);
  const folder = path.join(codex.place.home, "sessions");
  const [name = ""] = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith("l"));
  leaveRoom({ codex }, 0);
  writeFileSync(path.join(codex.place.work, "go"), "");
  const run = await codex.finished();
  expect(run).toMatchObject({ exitCode: 0, stdout: "done\n" });
  expect(run.stderr).toMatch(lost("\\d+", path.join(folder, name)));
});

test.runIf(canLimit)("so it is by the server, which goes on with what the file holds", async () => {
  await using model = await fakeModel(answers);
  await using mcp = startMcp({ model, config: fullAccessConfig });
  const { conversationId, rolloutPath } = (await mcp.request("newConversation", {})).result;
  await mcp.request("addConversationListener", { conversationId });
  leaveRoom(mcp, statSync(rolloutPath).size);
  await mcp.call("codex-reply", { conversationId, prompt: "task 1" });
  const resumed = await mcp.request("resumeConversation", { path: rolloutPath });
  expect(resumed.result.initialMessages).toEqual([]);
  const words = mcp.messages.flatMap(({ method, params }) =>
    method === "codex/event/background_event" ? [params.msg.message] : [],
  );
  expect(words).toEqual([stop(rolloutPath), expect.stringMatching(lost(6, rolloutPath))]);
  mcp.end();
  const { stderr } = await mcp.ended();
  expect(stderr).toMatch(lost(6, rolloutPath));
});

test.runIf(canLimit)("when more waits than memory should hold, recording ends, and that is told", async () => {
  await using model = await fakeModel(answers);
  await using proto = startProto({ model, args: fullAccess });
  const file = (await proto.next("session_configured")).msg.rollout_path;
  await task(proto, "task 1");
  const { size } = statSync(file);
  leaveRoom(proto, size);
  await task(proto, `task 2 ${"x".repeat(5_000_000)}`);
  leaveRoom(proto, "unlimited");
  await task(proto, "task 3");
  expect(told(proto)).toEqual([stop(file).replace("tried again as it goes on", "not tried again")]);
  expect(statSync(file).size).toBe(size);
});

test.runIf(canLimit)("a recording whose last line the disk takes in part is told as a failure", async () => {
  await using model = await fakeModel(answers);
  using place = workspace({ git: false });
  const file = path.join(place.work, "run.jsonl");
  await using proto = startProto({ model, args: [...fullAccess, "--record", file] });
  await task(proto, "task 1");
  const { size } = statSync(file);
  const header = readFileSync(file, "utf8").indexOf("\n") + 1;
  leaveRoom(proto, size + (size - header) - 10); // the second answer is as long as the first
  proto.input("task 2");
  const { msg } = await proto.next("error");
  expect(msg.message).toBe(`Cannot write the recording "${file}": EFBIG: file too large, write`);
  expect(readFileSync(file, "utf8").split("\n").at(-1)).toContain('"completed"');
});
