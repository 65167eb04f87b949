import { ListToolsResultSchema } from "@modelcontextprotocol/sdk/types.js";
import { describe, expect, test } from "vitest";
import * as z from "zod/mini";
import { allTools } from "../../src/mcp-server/tool-definitions.ts";
import * as schemas from "../../src/mcp-server/tool-schemas.ts";
import { fakeModel, say } from "../support/fake-model.ts";
import { fullAccess, startMcp, textOf } from "../support/mcp-session.ts";

const client = {
  protocolVersion: "2025-06-18",
  capabilities: {},
  clientInfo: { name: "spec-probe", version: "1.2.3" },
};

describe("initialize", () => {
  test("answers with the server's name and what it can do", async () => {
    await using mcp = startMcp();
    expect((await mcp.initialize()).result).toEqual({
      capabilities: { tools: { listChanged: true } },
      protocolVersion: "2025-06-18",
      serverInfo: {
        name: "codex-mcp-server",
        title: "Codex",
        version: expect.stringMatching(/^\d+\.\d+\.\d+/),
        user_agent: expect.stringMatching(/^codex_cli_rs\/\S+ \(.+; \S+\) dumb \(spec-probe; 1\.2\.3\)$/),
      },
    });
  });

  test.each([
    [19, "2024-11-05", "2024-11-05"],
    [19, "2025-03-26", "2025-03-26"],
    [20, "banana", "2025-06-18"],
    [20, "2099-01-01", "2025-06-18"],
  ])("%i: version %s is answered with %s", async (_, asked, given) => {
    await using mcp = startMcp();
    const { result } = await mcp.request("initialize", { ...client, protocolVersion: asked });
    expect(result.protocolVersion).toBe(given);
  });

  test("a switch brings the blind echo back", async () => {
    await using mcp = startMcp({ args: ["-c", "mcp.echo_protocol_version=true"] });
    const { result } = await mcp.request("initialize", { ...client, protocolVersion: "banana" });
    expect(result.protocolVersion).toBe("banana");
  });

  test("a second one is refused and changes nothing", async () => {
    await using mcp = startMcp();
    await mcp.initialize();
    const again = await mcp.request("initialize", { ...client, clientInfo: { name: "other", version: "0" } });
    expect(again.error).toEqual({ code: -32600, message: "initialize called more than once" });
    expect((await mcp.request("getUserAgent")).result.userAgent).toMatch(/ \(spec-probe; 1\.2\.3\)$/);
  });

  test("params that do not fit are refused, and a later one succeeds", async () => {
    await using mcp = startMcp();
    const { protocolVersion, capabilities, clientInfo } = client;
    const bad = [
      undefined,
      { protocolVersion, capabilities },
      { protocolVersion, clientInfo },
      { capabilities, clientInfo },
      { ...client, protocolVersion: 5 },
      { ...client, clientInfo: { name: "x" } },
    ];
    for (const params of bad) expect((await mcp.request("initialize", params)).error?.code).toBe(-32602);
    expect((await mcp.request("initialize", client)).result.protocolVersion).toBe("2025-06-18");
  });

  test("getUserAgent knows the client once it has said who it is", async () => {
    await using mcp = startMcp();
    const before = (await mcp.request("getUserAgent")).result.userAgent;
    const { result } = await mcp.initialize();
    const after = (await mcp.request("getUserAgent")).result.userAgent;
    expect(after).toBe(`${before} (spec-probe; 1.2.3)`);
    expect(after).toBe(result.serverInfo.user_agent);
  });

  test("what no header may hold is replaced", async () => {
    await using mcp = startMcp();
    const params = { ...client, clientInfo: { name: "naïve\nclient", version: "1" } };
    const { result } = await mcp.request("initialize", params);
    expect(result.serverInfo.user_agent).toMatch(/ \(na_ve_client; 1\)$/);
  });

  test("the originator's override reaches the user agent, the model and the session's file", async () => {
    await using model = await fakeModel([say("ok")]);
    const env = { CODEX_INTERNAL_ORIGINATOR_OVERRIDE: "codex_vscode" };
    await using mcp = startMcp({ model, config: fullAccess, env });
    const { result } = await mcp.initialize();
    expect(result.serverInfo.user_agent).toMatch(/^codex_vscode\//);
    await mcp.call("codex", { prompt: "hi" });
    expect(model.requests[0]?.headers).toMatchObject({
      originator: "codex_vscode",
      "user-agent": result.serverInfo.user_agent,
    });
    expect(mcp.codex.place.rollout()[0]?.payload["originator"]).toBe("codex_vscode");
  });

  test("ping, tools/list and a call work before it", async () => {
    await using model = await fakeModel([say("Ready.")]);
    await using mcp = startMcp({ model, config: fullAccess });
    expect((await mcp.request("ping")).result).toEqual({});
    expect((await mcp.request("tools/list")).result.tools).toHaveLength(2);
    expect(textOf(await mcp.call("codex", { prompt: "hi" }))).toBe("Ready.");
  });
});

describe("tools/list", () => {
  const described = (type: string) => ({ type, description: expect.any(String) });

  test("lists two tools with their schemas", async () => {
    await using mcp = startMcp();
    const { result } = await mcp.request("tools/list", {});
    expect(Object.keys(result)).toEqual(["tools"]);
    expect(result.tools.map(({ outputSchema, ...tool }: { readonly outputSchema: unknown }) => tool)).toEqual([
      {
        name: "codex",
        title: "Codex",
        description: expect.any(String),
        inputSchema: {
          type: "object",
          properties: {
            "approval-policy": { ...described("string"), enum: ["untrusted", "on-failure", "on-request", "never"] },
            "base-instructions": described("string"),
            config: { ...described("object"), additionalProperties: true },
            cwd: described("string"),
            "include-plan-tool": described("boolean"),
            model: described("string"),
            profile: described("string"),
            prompt: described("string"),
            sandbox: { ...described("string"), enum: ["read-only", "workspace-write", "danger-full-access"] },
          },
          required: ["prompt"],
        },
      },
      {
        name: "codex-reply",
        title: "Codex Reply",
        description: expect.any(String),
        inputSchema: {
          type: "object",
          properties: { conversationId: described("string"), prompt: described("string") },
          required: ["conversationId", "prompt"],
        },
      },
    ]);
    expect(() => ListToolsResultSchema.parse(result)).not.toThrow();
  });

  test("with --structured-tools it lists those of August too", async () => {
    await using mcp = startMcp({ args: ["--structured-tools"] });
    const { result } = await mcp.request("tools/list");
    expect(result.tools.map(({ name }: { readonly name: string }) => name)).toEqual([
      "codex",
      "codex-reply",
      "conversationCreate",
      "conversationSendMessage",
      "conversationStream",
      "conversationsList",
    ]);
    expect(() => ListToolsResultSchema.parse(result)).not.toThrow();
  });

  const decoded = {
    codex: schemas.CodexArgumentsSchema,
    conversationCreate: schemas.CreateArgumentsSchema,
    conversationSendMessage: schemas.SendMessageArgumentsSchema,
    conversationStream: schemas.StreamArgumentsSchema,
    conversationsList: schemas.ListArgumentsSchema,
  };

  test.each(Object.entries(decoded))("what %s lists is what the program decodes", (name, schema) => {
    const made = z.toJSONSchema(schema, { io: "input" });
    const listed = allTools.find((tool) => tool.name === name)?.inputSchema;
    expect(Object.keys(listed?.properties ?? {}).sort()).toEqual(Object.keys(made.properties ?? {}).sort());
    expect([...(listed?.required ?? [])].sort()).toEqual([...(made.required ?? [])].sort());
  });

  test("any cursor leads to the one page, and one that is no string is refused", async () => {
    await using mcp = startMcp();
    expect((await mcp.request("tools/list", { cursor: "zzz" })).result.tools).toHaveLength(2);
    expect((await mcp.request("tools/list", { cursor: 5 })).error?.code).toBe(-32602);
  });
});

describe("everything else", () => {
  test.each([
    "resources/list",
    "resources/templates/list",
    "resources/read",
    "resources/subscribe",
    "prompts/list",
    "prompts/get",
    "logging/setLevel",
    "completion/complete",
    "server/discover",
    "roots/list",
    "no/such",
    "constructor",
    "__proto__",
  ])("%s is answered with -32601", async (method) => {
    await using mcp = startMcp();
    expect((await mcp.request(method, {})).error).toEqual({ code: -32601, message: `Method not found: ${method}` });
  });

  test("notifications have no answer", async () => {
    await using mcp = startMcp();
    for (const name of ["initialized", "progress", "roots/list_changed", "message", "no/such", "cancelled"]) {
      mcp.send({ method: `notifications/${name}` });
    }
    await mcp.request("ping");
    expect(mcp.messages).toHaveLength(1);
  });
});
