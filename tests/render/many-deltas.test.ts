import { expect, test } from "vitest";
import type { EventMsg } from "../../src/protocol/event.ts";
import { HumanRenderer } from "../../src/render/human-renderer.ts";
import { JsonRenderer } from "../../src/render/json-renderer.ts";
import { ThreadRenderer } from "../../src/render/thread-renderer.ts";
import { asEvents, CapturedOutput, play, runSummary } from "./support.ts";

const count = 50_000;
const message = "word ".repeat(count);
const stream: readonly EventMsg[] = Array.from({ length: count }, () => ({
  type: "agent_message_delta",
  delta: "word ",
}));
const outcome = { exitCode: 0, lastAgentMessage: message, reason: "completed" } as const;

test.each(["", "both"] as const)(
  "50,000 deltas are written once each and in few pieces (terminals: %j)",
  (terminals) => {
    const bare = new CapturedOutput({ terminals });
    play(new HumanRenderer(bare, { now: () => 0 }), [], { ...outcome, lastAgentMessage: null });
    const output = new CapturedOutput({ terminals });
    play(new HumanRenderer(output, { now: () => 0 }), [...stream, { type: "agent_message", message }], outcome);

    const header = "[1970-01-01T00:00:00] codex\n\n";
    const copies = terminals === "both" ? 1 : 2; // the log's, and that for the reader of stdout
    expect(output.screen.length).toBe(bare.screen.length + header.length + copies * (message.length + 1));
    expect(output.writes).toBeLessThan(12);
  },
);

test("text goes out soon, also when nothing follows", async () => {
  const text = await new Promise<string>((resolve) => {
    const output = new CapturedOutput();
    const renderer = new HumanRenderer({ ...output, stdout: resolve, stderr: resolve }, { now: () => 0 });
    for (const event of asEvents(stream.slice(0, 2))) renderer.show(event);
  });
  expect(text).toBe("[1970-01-01T00:00:00] codex\n\nword word ");
});

test("lines for programs go out once per turn of the event loop", async () => {
  const output = new CapturedOutput();
  const renderer = new JsonRenderer(output);
  for (let turn = 0; turn < 10; turn++) {
    for (let line = 0; line < 100; line++) renderer.show({ id: "0", msg: { type: "agent_reasoning_section_break" } });
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect([output.writes, output.out.split("\n").length]).toEqual([10, 1001]);
});

test("the formats for programs write nothing for a delta", () => {
  for (const Renderer of [JsonRenderer, ThreadRenderer]) {
    const output = new CapturedOutput();
    const renderer = new Renderer(output);
    renderer.start(runSummary());
    for (const event of asEvents(stream)) renderer.show(event);
    renderer.finish(outcome);
    expect(output.out.split("\n").length).toBeLessThan(4);
  }
});
