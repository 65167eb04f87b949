import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { fakeModel, say } from "../support/fake-model.ts";
import { type ProtoSession, startProto } from "../support/proto-session.ts";

const turns = 1_000;

function residentMb({ codex }: ProtoSession): number {
  const status = readFileSync(`/proc/${codex.child.pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024;
}

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

test.skipIf(process.platform !== "linux")(
  "1,000 turns through one process: each is answered, memory stays within 30 MB, and no turn costs more than its history",
  async () => {
    await using model = await fakeModel([say("An answer of a few words.")], { repeatLast: true, forgetful: true });
    await using proto = startProto({ model });
    const ms: number[] = [];
    const memory: number[] = [];
    for (let turn = 1; turn <= turns; turn += 1) {
      const started = performance.now();
      proto.input("A question of a few words.", `turn ${turn}`);
      expect((await proto.next("task_complete")).id).toBe(`turn ${turn}`);
      ms.push(performance.now() - started);
      memory.push(residentMb(proto));
    }
    // Between collections memory goes up and down; what is kept shows in the valleys.
    const early = Math.min(...memory.slice(80, 120));
    const late = Math.min(...memory.slice(-40));
    const [atHundred, atThousand] = [median(ms.slice(50, 150)), median(ms.slice(-100))];
    proto.end();
    const run = await proto.ended();
    expect(run.exitCode).toBe(0);
    expect(late - early).toBeLessThan(30);
    expect(atThousand / atHundred).toBeLessThan(950 / 100);
    if (process.env["SHOW_FIGURES"] === "1") {
      process.stderr.write(
        `memory ${early.toFixed(1)} -> ${late.toFixed(1)} MB; turn ${atHundred.toFixed(2)} -> ${atThousand.toFixed(2)} ms\n`,
      );
    }
  },
  60_000,
);
