import { execFile } from "node:child_process";
import path from "node:path";
import { promisify } from "node:util";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { ElicitRequestSchema, type ElicitResult, type Progress } from "@modelcontextprotocol/sdk/types.js";
import { MCPServerStdio } from "@openai/agents-core";
import { describe, expect, test } from "vitest";
import { callShell, fakeModel, type ScriptedStep, say } from "../support/fake-model.ts";
import { untrusted } from "../support/mcp-session.ts";
import { inputOf } from "../support/requests.ts";
import { codexBinary, configToml } from "../support/run-codex.ts";
import { type Workspace, workspace } from "../support/workspace.ts";

const run = promisify(execFile);

/** A scripted model and a home that names it. */
async function stage(steps: readonly ScriptedStep[]) {
  const model = await fakeModel(steps);
  const place = workspace({ homeFiles: { "config.toml": configToml({ model, config: untrusted }) } });
  return {
    model,
    place,
    server: { command: process.execPath, args: [codexBinary, "mcp"], cwd: place.work, env: { ...place.env } },
    [Symbol.asyncDispose]: async () => {
      await model.close();
      place[Symbol.dispose]();
    },
  };
}

interface Connected extends AsyncDisposable {
  readonly client: Client;
}

async function connect(
  server: {
    readonly command: string;
    readonly args: string[];
    readonly cwd: string;
    readonly env: Record<string, string>;
  },
  answer?: (message: string) => ElicitResult,
): Promise<Connected> {
  const capabilities = answer === undefined ? {} : { elicitation: {} };
  const client = new Client({ name: "sdk-client", version: "1.0.0" }, { capabilities });
  if (answer !== undefined) {
    client.setRequestHandler(ElicitRequestSchema, ({ params }) => answer(params.message));
  }
  await client.connect(new StdioClientTransport({ ...server, stderr: "ignore" }));
  return { client, [Symbol.asyncDispose]: () => client.close() };
}

const textOf = (result: unknown) => (result as { content: readonly { text: string }[] }).content[0]?.text;
const contentOf = (result: unknown) =>
  (result as { structuredContent: { conversationId: string; content: string } }).structuredContent;

describe("the client of the MCP TypeScript SDK", () => {
  test("lists the tools, calls them, and validates their structured content", async () => {
    await using on = await stage([say("One."), say("Two."), { status: 400 }]);
    await using connected = await connect(on.server);
    const { client } = connected;
    const { tools } = await client.listTools(); // from here on it holds results against the output schemas
    expect(tools.map(({ name }) => name)).toEqual(["codex", "codex-reply"]);
    expect(client.getServerVersion()).toMatchObject({ name: "codex-mcp-server" });
    const first = await client.callTool({ name: "codex", arguments: { prompt: "hi" } });
    const { conversationId, content } = contentOf(first);
    expect(content).toBe("One.");
    const reply = await client.callTool({ name: "codex-reply", arguments: { conversationId, prompt: "again" } });
    expect(textOf(reply)).toBe("Two.");
    const failed = await client.callTool({ name: "codex-reply", arguments: { conversationId, prompt: "fail" } });
    expect(failed).toMatchObject({ isError: true, structuredContent: { conversationId } });
    const unknown = await client.callTool({
      name: "codex-reply",
      arguments: { conversationId: "6f3c1f9e-0000-4000-8000-00000000000a", prompt: "x" },
    });
    expect(unknown.isError).toBe(true);
  });

  test("answers elicitations with MCP's own answers", async () => {
    const touch = (name: string) => callShell(["touch", name]);
    await using on = await stage([touch("a"), touch("b"), touch("c"), say("done")]);
    const asked: string[] = [];
    const answers: ElicitResult[] = [
      { action: "accept", content: { decision: "approved" } },
      { action: "decline" },
      { action: "accept", content: {} },
    ];
    await using connected = await connect(on.server, (message) => {
      asked.push(message);
      return answers[asked.length - 1] ?? { action: "cancel" };
    });
    const result = await connected.client.callTool({ name: "codex", arguments: { prompt: "go" } });
    expect(textOf(result)).toBe("done");
    expect(asked).toEqual(
      ["a", "b", "c"].map((name) => `Allow Codex to run \`touch ${name}\` in \`${on.place.work}\`?`),
    );
    expect(Object.keys(on.place.files())).toEqual(["a", "c"]);
  });

  test("without elicitation the model is told, and nothing hangs", async () => {
    await using on = await stage([callShell(["touch", "a"]), say("done")]);
    await using connected = await connect(on.server);
    expect(textOf(await connected.client.callTool({ name: "codex", arguments: { prompt: "go" } }))).toBe("done");
    expect(inputOf(on.model, 2).at(-1)?.output).toContain("does not support elicitation");
  });

  test("progress resets its time-out", async () => {
    await using on = await stage([say("slow", { delayMs: 17_000 })]); // progress comes every ten seconds
    await using connected = await connect(on.server);
    const progress: Progress[] = [];
    const result = await connected.client.callTool({ name: "codex", arguments: { prompt: "go" } }, undefined, {
      timeout: 15_000,
      resetTimeoutOnProgress: true,
      onprogress: (step) => progress.push(step),
    });
    expect(textOf(result)).toBe("slow");
    expect(progress.length).toBeGreaterThan(2);
    expect(progress.every(({ message }) => message !== undefined && message !== "")).toBe(true);
  });

  test("cancels a call, and the session goes on", async () => {
    await using on = await stage([say("never", { delayMs: 60_000 }), say("after")]);
    await using connected = await connect(on.server);
    const { client } = connected;
    let conversationId = "";
    client.fallbackNotificationHandler = async ({ params }) => {
      conversationId ||= (params as { _meta: { conversationId: string } })._meta.conversationId;
    };
    const giveUp = new AbortController();
    const call = client.callTool({ name: "codex", arguments: { prompt: "go" } }, undefined, { signal: giveUp.signal });
    await expect.poll(() => conversationId).not.toBe("");
    await on.model.received(1);
    giveUp.abort("enough");
    await expect(call).rejects.toThrow("enough");
    const reply = await client.callTool({ name: "codex-reply", arguments: { conversationId, prompt: "again" } });
    expect(textOf(reply)).toBe("after");
  });
});

describe("the MCP Inspector on the command line", () => {
  const inspector = path.resolve(import.meta.dirname, "../../node_modules/.bin/mcp-inspector-cli");

  async function inspect({ env, work }: Workspace, args: readonly string[]): Promise<unknown> {
    const { stdout } = await run(inspector, ["--cli", process.execPath, codexBinary, "mcp", ...args], {
      cwd: work,
      env,
    });
    return JSON.parse(stdout);
  }

  test("lists the tools and calls one", async () => {
    await using on = await stage([say("Hello from the model.")]);
    expect(await inspect(on.place, ["--method", "tools/list"])).toMatchObject({
      tools: [{ name: "codex" }, { name: "codex-reply" }],
    });
    const call = ["--method", "tools/call", "--tool-name", "codex", "--tool-arg", "prompt=hi"];
    expect(await inspect(on.place, call)).toMatchObject({ content: [{ type: "text", text: "Hello from the model." }] });
  });
});

describe("the OpenAI Agents SDK", () => {
  test("connects, lists, calls and closes", async () => {
    await using on = await stage([say("One."), say("Two.")]);
    const { command, args, cwd, env } = on.server;
    const server = new MCPServerStdio({ name: "codex", command, args, cwd, env, clientSessionTimeoutSeconds: 20 });
    await server.connect();
    try {
      expect((await server.listTools()).map(({ name }) => name)).toEqual(["codex", "codex-reply"]);
      const content = await server.callTool("codex", { prompt: "hi" });
      expect(content).toMatchObject([{ type: "text", text: "One." }]);
    } finally {
      await server.close();
    }
  });
});
