import { Buffer } from "node:buffer";
import { expect, test } from "vitest";
import { ProtoSession } from "../../src/cli/proto-session.ts";
import { loadConfig } from "../../src/config/load-config.ts";
import type { Core } from "../../src/conversation/conversation.ts";
import { initCodex } from "../../src/conversation/init-codex.ts";
import { workspace } from "../support/workspace.ts";

/** Answers nothing and dies of the first submission. */
const dies: Core = async (submissions, events, id) => {
  events.publish({
    id: "",
    msg: {
      type: "session_configured",
      session_id: id,
      model: "m",
      history_log_id: 0,
      history_entry_count: 0,
      rollout_path: "",
    },
  });
  for await (const { id: submission } of submissions) throw new Error(`no memory for "${submission}"`);
};

async function* oneLineAndSilence(line: string) {
  yield Buffer.from(`${line}\n`);
  await new Promise(() => {});
}

test("a core that dies is told as an error with an empty id, and the status is 1", async () => {
  using place = workspace();
  const config = loadConfig({ flags: {}, env: place.env, processCwd: place.work });
  const { conversation, firstEvent } = await initCodex(config, { version: "0.0.0", core: dies });
  let stdout = "";
  const session = new ProtoSession(conversation, {
    stdout: (text) => {
      stdout += text;
    },
    stderr: () => {},
    pressure: () => undefined,
    losePatience: () => {},
    flush: async () => {},
    stdoutClosed: new AbortController().signal,
  });
  session.print(firstEvent);
  const status = await session.serve(oneLineAndSilence('{"id":"1","op":{"type":"get_history"}}'));
  expect(status).toBe(1);
  expect(
    stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line)),
  ).toEqual([
    firstEvent,
    {
      id: "",
      msg: { type: "error", message: 'internal error; agent loop died unexpectedly: no memory for "1"' },
    },
  ]);
});
