import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { answeredDuring } from "../support/answered-during.ts";
import { fullAccess } from "../support/mcp-session.ts";
import { startPlainMcp } from "../support/plain-mcp-session.ts";

/** The model of the load, in a process of its own. */
async function loadModel() {
  const child = spawn(process.execPath, [path.join(import.meta.dirname, "load-model.mjs")], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [port] = await once(child.stdout, "data");
  return { url: `http://127.0.0.1:${Number(port)}/v1`, [Symbol.dispose]: () => void child.kill() };
}

const count = 100;

describe.skipIf(process.platform !== "linux")("many conversations in one process", () => {
  test("a hundred at once, each with a command and 200 deltas, while ping is answered", {
    timeout: 300_000,
  }, async () => {
    using model = await loadModel();
    await using mcp = startPlainMcp({ model, config: fullAccess });
    const call = (prompt: string) => mcp.request("tools/call", { name: "codex", arguments: { prompt } });
    await call("the first one loads the code");
    const all = Promise.all(Array.from({ length: count }, (_, at) => call(`p${at}`)));
    const pings = await answeredDuring(all, () => mcp.request("ping"));
    for (const line of await all) expect(line).toContain("word0 word1 ");
    expect(pings).toBeGreaterThan(20);

    const { items } = JSON.parse(await mcp.request("listConversations", { pageSize: 2 * count })).result;
    expect(items).toHaveLength(count + 1);
    for (const { conversationId, path: rolloutPath } of items) {
      await mcp.request("archiveConversation", { conversationId, rolloutPath });
    }
  });

  test("two hundred calls in one write, while ping is answered", async () => {
    using model = await loadModel();
    await using mcp = startPlainMcp({ model, config: fullAccess });
    const call = (prompt: string) => mcp.request("tools/call", { name: "codex", arguments: { prompt } });
    await call("the first one loads the code");
    mcp.stdin.cork();
    const all = Promise.all(Array.from({ length: 2 * count }, (_, at) => call(`p${at}`)));
    mcp.stdin.uncork();
    const pings = await answeredDuring(all, () => mcp.request("ping"));
    for (const line of await all) expect(line).toContain("word0 word1 ");
    expect(pings).toBeGreaterThan(20);
  });
});
