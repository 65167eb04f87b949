import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { answeredDuring } from "../support/answered-during.ts";
import { callTool, fakeModel, say } from "../support/fake-model.ts";
import { eventsOf, fullAccess, type McpMessage, type McpSession, startMcp, textOf } from "../support/mcp-session.ts";
import { startPlainMcp } from "../support/plain-mcp-session.ts";

const sdkServer = path.resolve(import.meta.dirname, "../mcp-client/sdk-server.mjs");

const oldId = "6f3c1f9e-0000-4000-8000-00000000000a";

function metaOf(id: string) {
  return { id, timestamp: "", cwd: "/", originator: "x", cli_version: "0" };
}

function storedLine(type: string, payload: object): string {
  return JSON.stringify({ timestamp: "2025-09-10T08:00:00.000Z", type, payload });
}

const pingsOf = (mcp: McpSession) => (work: Promise<McpMessage>) => answeredDuring(work, () => mcp.request("ping"));

describe("ping is answered while a slow method is in progress", () => {
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
    const pings = await answeredDuring(resumed, () => mcp.request("ping"));
    const { conversationId, initialMessages } = JSON.parse(await resumed).result;
    expect(conversationId).toBe(oldId);
    expect(initialMessages).toHaveLength(10_000);
    expect(pings).toBeGreaterThan(5);
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
    expect(await pingsOf(mcp)(listed)).toBeGreaterThan(2);
    expect((await listed).result).toEqual({ items: [] });
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
    expect(await pingsOf(mcp)(diff)).toBeGreaterThan(2);
    expect((await diff).result.diff.match(/^diff --git/gm)).toHaveLength(1000);
  });

  test("a call whose MCP server starts slowly", async () => {
    await using model = await fakeModel([say("done")]);
    const configTables = ["[mcp_servers.slow]", 'command = "sh"', 'args = ["-c", "sleep 0.7; exit 1"]'];
    await using mcp = startMcp({ model, config: fullAccess, configTables });
    await mcp.call("conversationsList");
    const call = mcp.call("codex", { prompt: "hi" });
    expect(await pingsOf(mcp)(call)).toBeGreaterThan(2);
    expect(textOf(await call)).toBe("done"); // a server that does not start is told, and is no failure of the turn
  });
});

test("a tool of a configured MCP server is told with its result", async () => {
  await using model = await fakeModel([callTool("demo__add", { left: 1, right: 2 }), say("done")]);
  const args = `args = [${JSON.stringify(sdkServer)}]`;
  const configTables = ["[mcp_servers.demo]", `command = ${JSON.stringify(process.execPath)}`, args];
  await using mcp = startMcp({ model, config: fullAccess, configTables });
  await mcp.call("codex", { prompt: "go" }, { id: 1 });
  const events = eventsOf(mcp, 1).map(({ msg }) => msg);
  const invocation = { server: "demo", tool: "add", arguments: { left: 1, right: 2 } };
  expect(events.find(({ type }) => type === "mcp_tool_call_begin")).toMatchObject({ invocation });
  expect(events.find(({ type }) => type === "mcp_tool_call_end")).toMatchObject({
    invocation,
    result: { Ok: { content: [{ type: "text" }] } },
  });
});
