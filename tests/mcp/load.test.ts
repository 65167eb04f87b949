import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { fullAccess } from "../support/mcp-session.ts";
import { pingTimes } from "../support/ping-times.ts";
import { startPlainMcp } from "../support/plain-mcp-session.ts";

/** The model of the load, in a process of its own. */
async function loadModel() {
  const child = spawn(process.execPath, [path.join(import.meta.dirname, "load-model.mjs")], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [port] = await once(child.stdout, "data");
  return { url: `http://127.0.0.1:${Number(port)}/v1`, [Symbol.dispose]: () => void child.kill() };
}

/** Resident memory, in megabytes. */
function memoryMb(pid: number): number {
  return Number(/VmRSS:\s*(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024;
}

const count = 100;

describe.skipIf(process.platform !== "linux")("many conversations in one process", () => {
  test("a hundred at once, each with a command and 200 deltas, while ping is answered", {
    timeout: 120_000,
  }, async () => {
    using model = await loadModel();
    await using mcp = startPlainMcp({ model, config: fullAccess });
    const call = (prompt: string) => mcp.request("tools/call", { name: "codex", arguments: { prompt } });
    await call("the first one loads the code");
    const before = memoryMb(mcp.pid);
    const all = Promise.all(Array.from({ length: count }, (_, at) => call(`p${at}`)));
    const times = await pingTimes(all, { pid: mcp.pid, ping: () => mcp.request("ping"), gapMs: 10 });
    for (const line of await all) expect(line).toContain("word0 word1 ");
    const each = (memoryMb(mcp.pid) - before) / count;
    expect(each).toBeLessThan(1);
    expect(times[Math.floor(times.length / 20)]).toBeLessThan(20);

    const { items } = JSON.parse(await mcp.request("listConversations", { pageSize: 2 * count })).result;
    expect(items).toHaveLength(count + 1);
    for (const { conversationId, path: rolloutPath } of items) {
      await mcp.request("archiveConversation", { conversationId, rolloutPath });
    }
    await expect.poll(() => memoryMb(mcp.pid), { timeout: 20_000, interval: 500 }).toBeLessThan(before * 1.2);
  });

  test("two hundred calls in one write, while ping is answered", { timeout: 120_000 }, async () => {
    using model = await loadModel();
    await using mcp = startPlainMcp({ model, config: fullAccess });
    const call = (prompt: string) => mcp.request("tools/call", { name: "codex", arguments: { prompt } });
    await call("the first one loads the code");
    mcp.stdin.cork();
    const all = Promise.all(Array.from({ length: 2 * count }, (_, at) => call(`p${at}`)));
    mcp.stdin.uncork();
    const times = await pingTimes(all, { pid: mcp.pid, ping: () => mcp.request("ping") });
    for (const line of await all) expect(line).toContain("word0 word1 ");
    expect(times[0]).toBeLessThan(50);
  });
});
