import { writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { fakeModel, say } from "../support/fake-model.ts";
import { fullAccess, startMcp, textOf } from "../support/mcp-session.ts";

const parse = "Failed to parse configuration for Codex tool: ";
const load = "Failed to load Codex configuration from overrides: ";

describe("tools/call", () => {
  test("an unknown tool is a result that says so", async () => {
    await using mcp = startMcp();
    for (const args of [{}, undefined]) {
      expect((await mcp.call("nope", args)).result).toEqual({
        content: [{ type: "text", text: "Unknown tool 'nope'" }],
        isError: true,
      });
    }
  });

  test("without params or a name the request is refused", async () => {
    await using mcp = startMcp();
    for (const params of [undefined, {}, { name: 5 }]) {
      expect((await mcp.request("tools/call", params)).error?.code).toBe(-32602);
    }
  });
});

describe("arguments of codex", () => {
  test.each([
    [34, undefined, "Missing arguments for codex tool-call; the `prompt` field is required."],
    [34, null, "Missing arguments for codex tool-call; the `prompt` field is required."],
    [35, {}, `${parse}missing field \`prompt\``],
    [36, { prompt: 5 }, `${parse}invalid type: integer \`5\`, expected a string`],
    [36, { prompt: ["a"] }, `${parse}invalid type: sequence, expected a string`],
    [
      37,
      { prompt: "x", "approval-policy": "auto-edit" },
      `${parse}unknown variant \`auto-edit\`, expected one of \`untrusted\`, \`on-failure\`, \`on-request\`, \`never\``,
    ],
    [
      38,
      { prompt: "x", sandbox: "none" },
      `${parse}unknown variant \`none\`, expected one of \`read-only\`, \`workspace-write\`, \`danger-full-access\``,
    ],
    [39, { prompt: "x", "include-plan-tool": "yes" }, `${parse}invalid type: string "yes", expected a boolean`],
    [40, { prompt: "x", profile: "missing" }, `${load}config profile \`missing\` not found`],
    [41, { prompt: "x", config: { model_provider: "nope" } }, `${load}Model provider \`nope\` not found`],
    [
      41,
      { prompt: "x", config: { model_reasoning_effort: "bogus" } },
      `${load}unknown variant \`bogus\`, expected one of \`minimal\`, \`low\`, \`medium\`, \`high\`\nin \`model_reasoning_effort\`\n`,
    ],
    [42, { prompt: "x", config: "str" }, `${parse}invalid type: string "str", expected a map`],
  ])("%i: %j is told what is wrong with it", async (_, args, text) => {
    await using mcp = startMcp();
    expect((await mcp.call("codex", args)).result).toEqual({ content: [{ type: "text", text }], isError: true });
  });

  test("unknown members and nulls change nothing", async () => {
    await using model = await fakeModel([say("ok")]);
    await using mcp = startMcp({ model, config: fullAccess });
    const names = ["model", "profile", "cwd", "approval-policy", "sandbox", "config", "base-instructions"];
    const nulls = Object.fromEntries([...names, "include-plan-tool"].map((name) => [name, null]));
    expect(textOf(await mcp.call("codex", { prompt: "x", colour: "blue", ...nulls }))).toBe("ok");
  });

  test("in strict mode an unknown member is an error", async () => {
    await using mcp = startMcp({ args: ["-c", "mcp.strict_arguments=true"] });
    expect(textOf(await mcp.call("codex", { prompt: "x", colour: "blue" }))).toBe(`${parse}unknown field \`colour\``);
  });

  test.each(["approval_policy", "approvalPolicy"])("%s is the same as approval-policy", async (name) => {
    await using mcp = startMcp();
    expect(textOf(await mcp.call("codex", { prompt: "x", [name]: "auto-edit" }))).toMatch(
      /unknown variant `auto-edit`/,
    );
  });

  test("the exact name wins over another spelling", async () => {
    await using mcp = startMcp();
    const args = { prompt: "x", "approval-policy": "exact", approval_policy: "other" };
    expect(textOf(await mcp.call("codex", args))).toMatch(/unknown variant `exact`/);
  });

  test("what a call says reaches the request to the model", async () => {
    await using model = await fakeModel([say("ok")]);
    await using mcp = startMcp({ model, config: fullAccess, files: { "sub/x": "" } });
    const instructions = "You are a parrot.";
    const args = { model: "m-call", "base-instructions": instructions, "include-plan-tool": true, cwd: "sub" };
    await mcp.call("codex", { prompt: "hi", ...args });
    expect(model.requests[0]?.body).toMatchObject({ model: "m-call", instructions });
    const text = JSON.stringify(model.requests[0]?.body);
    expect(text).toContain('"name":"update_plan"');
    expect(text).toContain(`<cwd>${mcp.codex.place.work}/sub</cwd>`);
  });

  test("keys of config may be dotted, and null takes one away", async () => {
    await using model = await fakeModel([say("ok")]);
    await using mcp = startMcp({ model, config: [...fullAccess, 'model_reasoning_summary = "none"'] });
    const config = { "model_providers.mock.name": "zz", model_reasoning_summary: null };
    expect(textOf(await mcp.call("codex", { prompt: "x", config }))).toBe("ok");
  });

  test("the profile wins over a key of config", async () => {
    await using model = await fakeModel([say("ok")]);
    const configTables = ["[profiles.low]", 'model_reasoning_effort = "low"'];
    await using mcp = startMcp({ model, config: [...fullAccess, 'model = "gpt-5"'].slice(0, 2), configTables });
    const config = { model_reasoning_effort: "high", model_supports_reasoning_summaries: true };
    await mcp.call("codex", { prompt: "x", profile: "low", config });
    expect(model.requests[0]?.body).toMatchObject({ reasoning: { effort: "low" } });
  });

  test("-c is the base of every conversation, and a call is stronger", async () => {
    await using model = await fakeModel([say("ok"), say("ok")]);
    await using mcp = startMcp({ model, config: fullAccess, args: ["-c", "model=m-base"] });
    await mcp.call("codex", { prompt: "x" });
    await mcp.call("codex", { prompt: "x", model: "m-call" });
    expect(model.requests.map(({ body }) => (body as { readonly model: string }).model)).toEqual(["m-base", "m-call"]);
  });

  test("a session that cannot be kept does not start", async () => {
    await using mcp = startMcp({ config: fullAccess, homeFiles: { sessions: "a file" } });
    const { result } = await mcp.call("codex", { prompt: "x" });
    expect(result).toEqual({ content: [{ type: "text", text: expect.any(String) }], isError: true });
    expect(result.content[0].text).toMatch(/^Failed to start Codex session: .*sessions/);
  });

  test("config.toml is read anew for each call", async () => {
    await using mcp = startMcp({ config: fullAccess });
    await mcp.request("ping");
    writeFileSync(`${mcp.codex.place.home}/config.toml`, "model = 5\n");
    expect(textOf(await mcp.call("codex", { prompt: "x" }))).toMatch(
      /^Failed to load Codex .*invalid type: integer `5`/,
    );
  });
});

describe("arguments of codex-reply", () => {
  const unknown = "6F3C1F9E00004000800000000000000A";
  const id = "6f3c1f9e-0000-4000-8000-00000000000a";
  const badCharacter =
    "invalid character: expected an optional prefix of `urn:uuid:` followed by [0-9a-fA-F-], found `x` at 1";

  test.each([
    [
      50,
      undefined,
      "Missing arguments for codex-reply tool-call; the `conversation_id` and `prompt` fields are required.",
    ],
    [51, {}, `${parse}missing field \`conversationId\``],
    [52, { conversationId: id }, `${parse}missing field \`prompt\``],
    [53, { conversationId: "x", prompt: "p" }, `Failed to parse conversation_id: ${badCharacter}`],
    [53, { sessionId: "x", prompt: "p" }, `Failed to parse session_id: ${badCharacter}`],
    [53, { conversationId: "12", prompt: "p" }, /^Failed to parse conversation_id: invalid length/],
    [53, { conversationId: 5, prompt: "p" }, new RegExp(`^${parse}invalid type`)],
    [55, { conversationId: id, sessionId: id.replace("a", "b"), prompt: "p" }, /name different sessions/],
  ])("%i: %j is told what is wrong with it", async (_, args, text) => {
    await using mcp = startMcp();
    const { result } = await mcp.call("codex-reply", args);
    expect(result.isError).toBe(true);
    expect(result.content[0].text).toEqual(text instanceof RegExp ? expect.stringMatching(text) : text);
  });

  test.each([
    ["conversationId", "conversation_id"],
    ["sessionId", "session_id"],
    ["threadId", "thread_id"],
    ["conversation_id", "conversation_id"],
  ])("an unknown session given as %s is not found, in the words of that name", async (name, words) => {
    await using mcp = startMcp();
    expect((await mcp.call("codex-reply", { [name]: unknown, prompt: "p" })).result).toEqual({
      content: [{ type: "text", text: `Session not found for ${words}: ${id}` }],
      isError: true,
      structuredContent: { conversationId: id, sessionId: id, threadId: id, error: "not_found" },
    });
  });

  test.each(["sessionId", "threadId", "conversationId"])("%s names the session", async (name) => {
    await using model = await fakeModel([say("One."), say("Two.")]);
    await using mcp = startMcp({ model, config: fullAccess });
    const { result } = await mcp.call("codex", { prompt: "first" });
    const reply = await mcp.call("codex-reply", { [name]: result.structuredContent.threadId, prompt: "second" });
    expect(textOf(reply)).toBe("Two.");
  });
});
