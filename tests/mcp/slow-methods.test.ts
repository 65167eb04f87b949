import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { callTool, fakeModel, say } from "../support/fake-model.ts";
import { eventsOf, fullAccess, type McpMessage, type McpSession, startMcp, textOf } from "../support/mcp-session.ts";

const sdkServer = path.resolve(import.meta.dirname, "../mcp-client/sdk-server.mjs");

/** How long the slowest `ping` took while `work` went on, in milliseconds; the one in the middle, for the noise of machines. */
async function pingsDuring(
  mcp: McpSession,
  work: Promise<McpMessage>,
): Promise<{ readonly worst: number; readonly count: number }> {
  let isDone = false;
  void work.finally(() => {
    isDone = true;
  });
  const times: number[] = [];
  do {
    const started = performance.now();
    await mcp.request("ping");
    times.push(performance.now() - started);
  } while (!isDone);
  return { worst: times.sort((one, other) => other - one)[Math.floor(times.length / 20)] ?? 0, count: times.length };
}

describe("ping is answered while a slow method is in progress", () => {
  test("resuming a session of 40 MB", { timeout: 60_000 }, async () => {
    const id = "6f3c1f9e-0000-4000-8000-00000000000a";
    const line = (type: string, payload: object) =>
      JSON.stringify({ timestamp: "2025-09-10T08:00:00.000Z", type, payload });
    const output = (at: number) => [
      line("response_item", { type: "function_call", name: "shell", arguments: "{}", call_id: `c${at}` }),
      line("response_item", { type: "function_call_output", call_id: `c${at}`, output: "x".repeat(4000) }),
    ];
    const lines = [line("session_meta", { id, timestamp: "", cwd: "/", originator: "x", cli_version: "0" })];
    for (let at = 0; at < 10_000; at += 1) lines.push(...output(at));
    await using mcp = startMcp({ config: fullAccess });
    const file = path.join(mcp.codex.place.home, `rollout-2025-09-10T08-00-00-${id}.jsonl`);
    writeFileSync(file, `${lines.join("\n")}\n`);
    await mcp.request("getUserAgent"); // which loads the code
    const resumed = mcp.request("resumeConversation", { path: file });
    const { worst, count } = await pingsDuring(mcp, resumed);
    expect((await resumed).result.conversationId).toBe(id);
    expect(count).toBeGreaterThan(5);
    expect(worst).toBeLessThan(50);
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
    const diff = mcp.request("gitDiffToRemote", { cwd: mcp.codex.place.work });
    const { worst } = await pingsDuring(mcp, diff);
    expect((await diff).result.diff.match(/^diff --git/gm)).toHaveLength(1000);
    expect(worst).toBeLessThan(50);
  });

  test("a call whose MCP server starts slowly", async () => {
    await using model = await fakeModel([say("done")]);
    const configTables = ["[mcp_servers.slow]", 'command = "sh"', 'args = ["-c", "sleep 0.7; exit 1"]'];
    await using mcp = startMcp({ model, config: fullAccess, configTables });
    const call = mcp.call("codex", { prompt: "hi" });
    const { worst } = await pingsDuring(mcp, call);
    expect(textOf(await call)).toBe("done"); // a server that does not start is told, and is no failure of the turn
    expect(worst).toBeLessThan(50);
  });
});

test("78: a tool of a configured MCP server is told with its result", async () => {
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
