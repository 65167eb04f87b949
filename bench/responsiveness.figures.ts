import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { fakeModel, say } from "../tests/support/fake-model.ts";
import { fullAccess, type McpMessage, type McpSession, startMcp, textOf } from "../tests/support/mcp-session.ts";
import { startPlainMcp } from "../tests/support/plain-mcp-session.ts";
import { checkBudget, memoryMb, nodeStartMs } from "./budget.ts";
import { pingTimes } from "./ping-times.ts";

const oldId = "6f3c1f9e-0000-4000-8000-00000000000a";

function metaOf(id: string) {
  return { id, timestamp: "", cwd: "/", originator: "x", cli_version: "0" };
}

function storedLine(type: string, payload: object): string {
  return JSON.stringify({ timestamp: "2025-09-10T08:00:00.000Z", type, payload });
}

/** `ping` while `work` goes on. */
function pingsDuring(mcp: McpSession, work: Promise<McpMessage>): Promise<readonly number[]> {
  return pingTimes(work, { pid: mcp.codex.child.pid ?? 0, ping: () => mcp.request("ping") });
}

/** The budget is what a person notices. */
function checkLongest([longest = Number.NaN]: readonly number[]): void {
  const name = expect.getState().currentTestName ?? "";
  checkBudget(`longest ping: ${name}`, {
    value: longest,
    beside: nodeStartMs(),
    base: "the start of Node",
    budget: 1.5,
  });
}

describe("while a slow method is in progress", () => {
  test("resuming a session of 40 MB, half of it messages", async () => {
    const message = (at: number, role: string, type: string) => ({
      type: "message",
      role,
      content: [{ type, text: `${at} ${'word "quoted" '.repeat(60)}` }],
    });
    const lines = [storedLine("session_meta", metaOf(oldId))];
    for (let at = 0; at < 5000; at += 1) {
      const [asked, said] = [message(at, "user", "input_text"), message(at, "assistant", "output_text")];
      lines.push(
        storedLine("response_item", asked),
        storedLine("event_msg", { type: "user_message", message: asked.content[0]?.text, kind: "plain" }),
        storedLine("response_item", { type: "function_call", name: "shell", arguments: "{}", call_id: `c${at}` }),
        storedLine("response_item", { type: "function_call_output", call_id: `c${at}`, output: "x".repeat(4000) }),
        storedLine("event_msg", { type: "agent_message", message: said.content[0]?.text }),
        storedLine("response_item", said),
      );
    }
    await using mcp = startPlainMcp({ config: fullAccess });
    const file = path.join(mcp.place.home, `rollout-2025-09-10T08-00-00-${oldId}.jsonl`);
    writeFileSync(file, `${lines.join("\n")}\n`);
    await mcp.request("getUserAgent"); // which loads the code
    const resumed = mcp.request("resumeConversation", { path: file });
    const times = await pingTimes(resumed, { pid: mcp.pid, ping: () => mcp.request("ping") });
    const { conversationId, initialMessages } = JSON.parse(await resumed).result;
    expect(conversationId).toBe(oldId);
    expect(initialMessages).toHaveLength(10_000);
    checkLongest(times);
  });

  test("listing three thousand sessions that have no message", async () => {
    await using mcp = startMcp({ config: fullAccess });
    const folder = path.join(mcp.codex.place.home, "sessions/2025/09/10");
    mkdirSync(folder, { recursive: true });
    for (let at = 0; at < 3000; at += 1) {
      const id = `6f3c1f9e-0000-4000-8000-${String(at).padStart(12, "0")}`;
      const text = `${storedLine("session_meta", metaOf(id))}\n`;
      writeFileSync(path.join(folder, `rollout-2025-09-10T08-00-00-${id}.jsonl`), text);
    }
    await mcp.request("getUserAgent");
    const listed = mcp.request("listConversations");
    const times = await pingsDuring(mcp, listed);
    expect((await listed).result).toEqual({ items: [] });
    checkLongest(times);
  });

  test("gitDiffToRemote over a thousand new files", async () => {
    await using mcp = startMcp({
      setup: ({ work, root, env }) => {
        const git = (...args: string[]) =>
          execFileSync("git", ["-c", "user.name=t", "-c", "user.email=t@example.invalid", ...args], { cwd: work, env });
        git("commit", "-qm", "first", "--allow-empty");
        execFileSync("git", ["clone", "-q", "--bare", work, path.join(root, "r.git")], { env });
        git("remote", "add", "origin", path.join(root, "r.git"));
        git("fetch", "-q");
        for (let at = 0; at < 1000; at += 1) writeFileSync(path.join(work, `${at}.txt`), `${at}\n`);
      },
    });
    await mcp.request("getUserAgent");
    const diff = mcp.request("gitDiffToRemote", { cwd: mcp.codex.place.work });
    const times = await pingsDuring(mcp, diff);
    expect((await diff).result.diff.match(/^diff --git/gm)).toHaveLength(1000);
    checkLongest(times);
  });

  test("a call whose MCP server starts slowly", async () => {
    await using model = await fakeModel([say("done")]);
    const configTables = ["[mcp_servers.slow]", 'command = "sh"', 'args = ["-c", "sleep 0.7; exit 1"]'];
    await using mcp = startMcp({ model, config: fullAccess, configTables });
    await mcp.call("conversationsList");
    const call = mcp.call("codex", { prompt: "hi" });
    const times = await pingsDuring(mcp, call);
    expect(textOf(await call)).toBe("done"); // a server that does not start is told, and is no failure of the turn
    checkLongest(times);
  });
});

/** The model of the load, in a process of its own. */
async function loadModel() {
  const script = path.resolve(import.meta.dirname, "../tests/mcp/load-model.mjs");
  const child = spawn(process.execPath, [script], { stdio: ["ignore", "pipe", "inherit"] });
  const [port] = await once(child.stdout, "data");
  return { url: `http://127.0.0.1:${Number(port)}/v1`, [Symbol.dispose]: () => void child.kill() };
}

const count = 100;

describe("many conversations in one process", () => {
  test("a hundred at once, each with a command and 200 deltas", async () => {
    using model = await loadModel();
    await using mcp = startPlainMcp({ model, config: fullAccess });
    const call = (prompt: string) => mcp.request("tools/call", { name: "codex", arguments: { prompt } });
    await call("the first one loads the code");
    const before = memoryMb(mcp.pid);
    const all = Promise.all(Array.from({ length: count }, (_, at) => call(`p${at}`)));
    const times = await pingTimes(all, { pid: mcp.pid, ping: () => mcp.request("ping"), gapMs: 10 });
    for (const line of await all) expect(line).toContain("word0 word1 ");
    checkLongest(times.slice(Math.floor(times.length / 20)));
    const base = "that of a server with one";
    checkBudget(`memory of ${count} conversations`, { value: memoryMb(mcp.pid), beside: before, base, budget: 2 });

    const { items } = JSON.parse(await mcp.request("listConversations", { pageSize: 2 * count })).result;
    expect(items).toHaveLength(count + 1);
    for (const { conversationId, path: rolloutPath } of items) {
      await mcp.request("archiveConversation", { conversationId, rolloutPath });
    }
    await pause(12_000); // it is given back about nine seconds later
    checkBudget("memory after all were archived", { value: memoryMb(mcp.pid), beside: before, base, budget: 1.2 });
  });

  test("two hundred calls in one write", async () => {
    using model = await loadModel();
    await using mcp = startPlainMcp({ model, config: fullAccess });
    const call = (prompt: string) => mcp.request("tools/call", { name: "codex", arguments: { prompt } });
    await call("the first one loads the code");
    mcp.stdin.cork();
    const all = Promise.all(Array.from({ length: 2 * count }, (_, at) => call(`p${at}`)));
    mcp.stdin.uncork();
    const times = await pingTimes(all, { pid: mcp.pid, ping: () => mcp.request("ping") });
    for (const line of await all) expect(line).toContain("word0 word1 ");
    checkLongest(times);
  });
});
