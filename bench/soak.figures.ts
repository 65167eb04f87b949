import { expect, test } from "vitest";
import { fakeModel, say } from "../tests/support/fake-model.ts";
import { startProto } from "../tests/support/proto-session.ts";
import { checkBudget, median, memoryMb } from "./budget.ts";

const turns = 1_000;

test("1,000 turns through one process of codex proto", async () => {
  await using model = await fakeModel([say("An answer of a few words.")], { repeatLast: true, forgetful: true });
  await using proto = startProto({ model });
  const ms: number[] = [];
  const memory: number[] = [];
  for (let turn = 1; turn <= turns; turn += 1) {
    const started = performance.now();
    proto.input("A question of a few words.", `turn ${turn}`);
    expect((await proto.next("task_complete")).id).toBe(`turn ${turn}`);
    ms.push(performance.now() - started);
    memory.push(memoryMb(proto.codex.child.pid));
  }
  proto.end();
  expect((await proto.ended()).exitCode).toBe(0);
  // Between collections memory goes up and down; what is kept shows in the valleys.
  const early = Math.min(...memory.slice(80, 120));
  checkBudget("memory after 1,000 turns", {
    value: Math.min(...memory.slice(-40)),
    beside: early,
    base: "that after 100",
    budget: 1.35,
  });
  const atHundred = median(ms.slice(50, 150));
  // Each request holds the whole past, so a turn costs more by its length at most.
  checkBudget("a turn at 1,000", { value: median(ms.slice(-100)), beside: atHundred, base: "one at 100", budget: 9.5 });
});
