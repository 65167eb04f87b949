import { once } from "node:events";
import { expect, test } from "vitest";
import { callShell, fakeModel, say } from "../support/fake-model.ts";
import { fullAccess, type ProtoSession, startProto } from "../support/proto-session.ts";
import { untilStalled } from "../support/until-stalled.ts";

const mebibyte = 1024 * 1024;

test("a reader that stops while a command prints 60 MiB loses nothing", async () => {
  const bytes = 60 * mebibyte;
  const command = ["bash", "-c", `yes 0123456789abcdefghijklmnopqrstu | head -c ${bytes}`];
  await using model = await fakeModel([callShell(command, { args: { timeout_ms: 900_000 } }), say("done")]);
  await using proto = startProto({ model, args: fullAccess });
  proto.input("go");
  await proto.next("exec_command_begin");
  proto.codex.child.stdout.pause();
  await untilStalled(proto.codex.child.pid);
  proto.codex.child.stdout.resume();
  await proto.next("task_complete");
  const printed = proto.events.reduce(
    (sum, { msg }) => (msg.type === "exec_command_output_delta" ? sum + Buffer.byteLength(msg.chunk, "base64") : sum),
    0,
  );
  expect(printed).toBe(bytes);
});

test("an interrupt is heard although nobody reads", async () => {
  const command = ["bash", "-c", "yes 0123456789 | head -c 200000000"];
  await using model = await fakeModel([callShell(command, { args: { timeout_ms: 900_000 } })]);
  await using proto = startProto({ model, args: fullAccess });
  proto.input("go", "1");
  await proto.next("exec_command_begin");
  proto.codex.child.stdout.pause();
  await untilStalled(proto.codex.child.pid);
  proto.send({ type: "interrupt" });
  await expect
    .poll(() => proto.codex.place.homeFiles())
    .toEqual(expect.objectContaining({ [rolloutName(proto)]: expect.stringContaining('"output":"aborted"') }));
  proto.codex.child.stdout.resume();
  expect((await proto.next("turn_aborted")).id).toBe("1");
});

function rolloutName(proto: ProtoSession): string {
  return Object.keys(proto.codex.place.homeFiles()).find((name) => name.startsWith("sessions")) ?? "";
}

test("the first SIGTERM leaves a reader that does not read a little time, the second none", async () => {
  const command = ["bash", "-c", "yes 0123456789 | head -c 200000000"];
  await using model = await fakeModel([callShell(command, { args: { timeout_ms: 900_000 } })]);
  await using proto = startProto({ model, args: fullAccess });
  const { child } = proto.codex;
  proto.input("go", "1");
  await proto.next("exec_command_begin");
  child.stdout.pause();
  await untilStalled(child.pid);
  const exited = once(child, "exit");
  child.kill("SIGTERM");
  await proto.codex.sees("received SIGTERM");
  child.kill("SIGTERM");
  expect((await exited)[0]).toBe(143);
  child.stdout.resume();
});

test("a thousand answers asked for by a client that does not read yet all arrive", async () => {
  await using proto = startProto({ args: ["--ephemeral"] });
  await proto.next("session_configured");
  proto.codex.child.stdout.pause();
  const asked = Array.from({ length: 1_000 }, (_, index) => `q${index}`);
  for (const id of asked) proto.send({ type: "get_history" }, id);
  for (const id of asked) proto.write(`{"id":"bad ${id}"}\n`);
  await untilStalled(proto.codex.child.pid);
  proto.codex.child.stdout.resume();
  proto.end();
  await proto.ended();
  const answers = proto.events.flatMap(({ id, msg }) => (msg.type === "conversation_history" ? [id] : []));
  expect(answers).toEqual(asked);
  const errors = proto.events.flatMap(({ id, msg }) => (msg.type === "error" ? [id] : []));
  expect(errors).toEqual(asked.map((id) => `bad ${id}`));
});

test("a client that never reads the log is served, and its session ends", async () => {
  await using proto = startProto({ args: ["--ephemeral"] });
  const { child } = proto.codex;
  child.stderr.pause();
  for (let count = 0; count < 5_000; count += 1) proto.write("bad\n");
  proto.end();
  expect((await once(child, "exit"))[0]).toBe(0);
  child.stderr.resume();
  await proto.ended();
  expect(proto.events.filter(({ msg }) => msg.type === "error")).toHaveLength(5_000);
});
