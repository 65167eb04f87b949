import { spawnSync } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { expect, test } from "vitest";
import { fakeModel, type ScriptedStep, say } from "../support/fake-model.ts";
import { fullAccess, type ProtoSession, startProto } from "../support/proto-session.ts";
import { linesOf, shape } from "./support.ts";

/** No disk of the test's own: from this size on, the kernel refuses to let the process's files grow. */
function leaveRoom({ codex }: ProtoSession, bytes: number | "unlimited"): void {
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
