import { setTimeout as pause } from "node:timers/promises";
import { expect, test } from "vitest";
import { callShell, fakeModel, say } from "../tests/support/fake-model.ts";
import { fullAccess, startMcp, textOf } from "../tests/support/mcp-session.ts";
import { fullAccess as fullAccessFlags, startProto } from "../tests/support/proto-session.ts";
import { startCodex } from "../tests/support/run-codex.ts";
import { untilStalled } from "../tests/support/until-stalled.ts";
import { checkBudget, memoryMb } from "./budget.ts";

/** `codex exec` with one command; looks at its memory when the command is over and its answer is on its way. */
async function peakMb(command: readonly string[]): Promise<number> {
  let peak = Number.NaN;
  await using model = await fakeModel([
    callShell(command, { args: { timeout_ms: 600_000 } }),
    () => {
      peak = memoryMb(running.child.pid, "VmHWM");
      return say("done");
    },
  ]);
  const running = startCodex(["exec", "-s", "workspace-write", "go"], { model });
  expect((await running.finished()).exitCode).toBe(0);
  return peak;
}

test("a command that prints 50 MB", async () => {
  const beside = await peakMb(["true"]);
  const value = await peakMb(["bash", "-c", "yes 0123456789abcdef | head -c 50000000"]);
  checkBudget("memory of exec with 50 MB of output", { value, beside, base: "that without", budget: 1.6 });
});

test("a client of codex proto that stops reading while a command prints 60 MiB", async () => {
  const command = ["bash", "-c", `yes 0123456789abcdefghijklmnopqrstu | head -c ${60 * 1024 * 1024}`];
  await using model = await fakeModel([callShell(command, { args: { timeout_ms: 600_000 } }), say("done")]);
  await using proto = startProto({ model, args: fullAccessFlags });
  await proto.next("session_configured");
  const { child } = proto.codex;
  const beside = memoryMb(child.pid);
  proto.input("go");
  await proto.next("exec_command_begin");
  child.stdout.pause();
  await untilStalled(child.pid);
  await pause(5_000);
  const value = memoryMb(child.pid, "VmHWM");
  child.stdout.resume();
  await proto.next("task_complete");
  checkBudget("memory of proto with a reader that stopped", { value, beside, base: "that before", budget: 1.6 });
});

test("a client of codex mcp that stops reading while a command prints 200 MB", async () => {
  const script = "head -c 200000000 /dev/zero | tr '\\0' a";
  await using model = await fakeModel([
    callShell(["sh", "-c", script], { args: { timeout_ms: 600_000 } }),
    say("done"),
  ]);
  await using mcp = startMcp({ model, config: fullAccess });
  await mcp.request("ping");
  const { child } = mcp.codex;
  const beside = memoryMb(child.pid);
  child.stdout.pause();
  mcp.send({ id: 1, method: "tools/call", params: { name: "codex", arguments: { prompt: "hi" } } });
  await model.received(1);
  await untilStalled(child.pid);
  await pause(5_000);
  checkBudget("memory of mcp with a reader that stopped", {
    value: memoryMb(child.pid),
    beside,
    base: "that before",
    budget: 2,
  });
  child.stdout.resume();
  expect(textOf(await mcp.next(({ id }) => id === 1))).toBe("done");
});
