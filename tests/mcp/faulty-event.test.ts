import { expect, test } from "vitest";
import { loadConfig } from "../../src/config/load-config.ts";
import type { Core } from "../../src/conversation/conversation.ts";
import { initCodex } from "../../src/conversation/init-codex.ts";
import { LiveConversation, type TurnOutcome } from "../../src/mcp-server/live-conversation.ts";
import { Outgoing } from "../../src/mcp-server/outgoing.ts";
import { workspace } from "../support/workspace.ts";

/** Tells of a call whose arguments have no end, and then waits to be closed. */
const tellsTheUntellable: Core = async (submissions, events, session_id, closing) => {
  const closed = new Promise((resolve) => closing.addEventListener("abort", resolve));
  const place = { model: "m", history_log_id: 0, history_entry_count: 0, rollout_path: "" };
  events.publish({ id: "", msg: { type: "session_configured", session_id, ...place } });
  for await (const { id } of submissions) {
    const endless: Record<string, unknown> = {};
    endless["itself"] = endless;
    const invocation = { server: "s", tool: "t", arguments: endless };
    events.publish({ id, msg: { type: "mcp_tool_call_begin", call_id: "c", invocation } });
    await closed;
  }
};

test("an event that cannot be written ends its conversation: what waits for it is answered with the error", async () => {
  using place = workspace();
  const config = loadConfig({ flags: {}, env: place.env, processCwd: place.work });
  const codex = await initCodex(config, { version: "0.0.0", core: tellsTheUntellable });
  const outgoing = new Outgoing({ write: () => {}, writeParts: () => {}, pressure: () => undefined });
  const conversation = new LiveConversation(codex, { outgoing, settings: config.mcp });
  const input = { type: "user_input", items: [] } as const;
  const running = new Promise<TurnOutcome>((ended) =>
    conversation.submit(input, { watcher: { event: () => {}, ended, asker: undefined } }),
  );
  const waiting = new Promise<TurnOutcome>((ended) =>
    conversation.enqueue(input, { event: () => {}, ended, asker: undefined }),
  );
  const failure = { ok: false, message: expect.stringMatching(/^internal error: .*circular/) };
  expect([await running, await waiting]).toEqual([failure, failure]);
  await conversation.ended;
  expect(conversation.isIdle).toBe(true);
  expect(() => conversation.submit(input)).toThrow("agent loop died");
});
