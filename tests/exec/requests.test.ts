import { rmSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import packageJson from "../../package.json" with { type: "json" };
import { callShell, type FakeModel, fakeModel, say } from "../support/fake-model.ts";
import { inputOf } from "../support/requests.ts";
import { type RunOptions, runCodex } from "../support/run-codex.ts";
import type { Workspace } from "../support/workspace.ts";

type Body = Readonly<Record<string, unknown>>;

const bodyOf = (model: FakeModel, request = 1) => model.requests[request - 1]?.body as Body;
const toolNames = (body: Body) =>
  (body["tools"] as readonly { type: string; name?: string; function?: { name: string } }[]).map(
    (tool) => tool.name ?? tool.function?.name ?? tool.type,
  );
const uuid = /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/;

/** One run with one answer; the built-in provider `openai` speaks to the fake model through its variable. */
async function ask(args: readonly string[], options: RunOptions & { readonly openai?: boolean } = {}) {
  await using model = await fakeModel([say("ok")]);
  const { openai = false, ...others } = options;
  const run = await runCodex(["exec", "--json", ...args, "go"], {
    ...(openai ? {} : { model }),
    ...others,
    ...(openai ? { env: { OPENAI_BASE_URL: model.url, ...options.env } } : {}),
  });
  expect(run.exitCode).toBe(0);
  const { host, connection, "content-length": length, ...headers } = model.requests[0]?.headers ?? {};
  return { run, model, body: bodyOf(model), headers };
}

describe("the first request", () => {
  test("without a configuration, every field in its order", async () => {
    const setup = ({ home }: Workspace) => rmSync(path.join(home, "config.toml"));
    const { run, body, headers } = await ask([], { openai: true, setup });
    const id = headers["session_id"];
    const tool = { type: "function", description: expect.any(String), strict: false };
    expect(Object.entries(body)).toEqual([
      ["model", "gpt-5"],
      ["instructions", expect.stringContaining("*** Begin Patch")],
      [
        "input",
        [
          {
            type: "message",
            role: "user",
            content: [
              { type: "input_text", text: expect.stringMatching(/^<environment_context>.*<\/environment_context>$/s) },
            ],
          },
          { type: "message", role: "user", content: [{ type: "input_text", text: "go" }] },
        ],
      ],
      [
        "tools",
        [
          {
            ...tool,
            name: "shell",
            parameters: {
              type: "object",
              properties: {
                command: { type: "array", items: { type: "string" }, description: expect.any(String) },
                workdir: { type: "string", description: expect.any(String) },
                timeout_ms: { type: "number", description: expect.any(String) },
              },
              required: ["command"],
              additionalProperties: false,
            },
          },
          {
            ...tool,
            name: "view_image",
            parameters: {
              type: "object",
              properties: { path: { type: "string", description: expect.any(String) } },
              required: ["path"],
              additionalProperties: false,
            },
          },
        ],
      ],
      ["tool_choice", "auto"],
      ["parallel_tool_calls", false],
      ["reasoning", { effort: "medium", summary: "auto" }],
      ["store", false],
      ["stream", true],
      ["include", ["reasoning.encrypted_content"]],
      ["prompt_cache_key", id],
    ]);
    expect(id).toMatch(uuid);
    expect(run.rollout[0]?.payload["id"]).toBe(id);
    expect(run.lines[0]).toMatchObject({ provider: "openai", sandbox: "read-only" });
  });

  test.each<[name: string, args: readonly string[], facts: Body]>([
    ["an unknown model", ["-m", "x"], { reasoning: null, include: [], text: undefined }],
    [
      "an unknown model that is said to reason",
      ["-m", "x", "-c", "model_supports_reasoning_summaries=true", "-c", "model_reasoning_effort=high"],
      { reasoning: { effort: "high", summary: "auto" }, include: ["reasoning.encrypted_content"], text: undefined },
    ],
    [
      "a verbosity for gpt-5",
      ["-m", "gpt-5", "-c", "model_verbosity=low", "-c", "model_reasoning_summary=none"],
      {
        reasoning: { effort: "medium", summary: "none" },
        include: ["reasoning.encrypted_content"],
        text: { verbosity: "low" },
      },
    ],
    [
      "no verbosity for o3",
      ["-m", "o3", "-c", "model_verbosity=low"],
      { reasoning: { effort: "medium", summary: "auto" }, include: ["reasoning.encrypted_content"], text: undefined },
    ],
  ])("%s", async (_, args, facts) => {
    const { body } = await ask(args);
    expect({ reasoning: body["reasoning"], include: body["include"], text: body["text"] }).toEqual(facts);
  });

  test("later requests carry the model's items back, under the same id", async () => {
    await using model = await fakeModel([
      { reasoning: "**Look**", encrypted: "ENC==", ...callShell(["bash", "-lc", "echo hello"]) },
      say("ok"),
    ]);
    await runCodex(["exec", "--yolo", "-m", "gpt-5", "go"], { model });
    expect(inputOf(model, 2).slice(0, 2)).toEqual(inputOf(model, 1));
    expect(inputOf(model, 2).slice(2)).toEqual([
      {
        type: "reasoning",
        summary: [{ type: "summary_text", text: "**Look**" }],
        content: null,
        encrypted_content: "ENC==",
      },
      { type: "function_call", name: "shell", arguments: '{"command":["bash","-lc","echo hello"]}', call_id: "call_1" },
      {
        type: "function_call_output",
        call_id: "call_1",
        output: expect.stringMatching(
          /^\{"output":"hello\\n","metadata":\{"exit_code":0,"duration_seconds":\d(\.\d)?\}\}$/,
        ),
      },
    ]);
    const { input: first, ...fields } = bodyOf(model, 1);
    const { input: second, ...again } = bodyOf(model, 2);
    expect(again).toEqual(fields);
  });
});

describe("the tools on offer", () => {
  test.each<
    [name: string, args: readonly string[], options: RunOptions, tools: readonly string[], explainsPatches: boolean]
  >([
    ["codex-mini-latest", ["-m", "codex-mini-latest"], {}, ["local_shell", "view_image"], true],
    ["gpt-oss", ["-m", "gpt-oss-20b"], {}, ["shell", "apply_patch", "view_image"], false],
    [
      "what [tools] says",
      [],
      { configTables: ["[tools]", "web_search = true", "view_image = false"] },
      ["shell", "web_search"],
      true,
    ],
    [
      "no local shell and no search on the chat wire",
      ["-m", "codex-mini-latest"],
      { wire: "chat", configTables: ["[tools]", "web_search = true"] },
      ["view_image"],
      true,
    ],
  ])("%s", async (_, args, options, tools, explainsPatches) => {
    const { body } = await ask(args, options);
    expect(toolNames(body)).toEqual(tools);
    const messages = body["messages"] as readonly { readonly content: string }[] | undefined;
    expect((messages?.[0]?.content ?? (body["instructions"] as string)).includes("*** Begin Patch")).toBe(
      explainsPatches,
    );
  });
});

describe("headers", () => {
  const common = {
    accept: "text/event-stream",
    "content-type": "application/json",
    "user-agent": expect.stringMatching(
      new RegExp(`^codex_cli_rs/${packageJson.version.replaceAll(".", "\\.")} \\([^;]+ [^;]+; \\w+\\) dumb$`),
    ),
    originator: "codex_cli_rs",
  };
  const responses = {
    ...common,
    "openai-beta": "responses=experimental",
    conversation_id: expect.stringMatching(uuid),
    session_id: expect.stringMatching(uuid),
  };

  test("of the built-in provider, which nobody redefines", async () => {
    const { headers, model } = await ask([], {
      openai: true,
      env: { OPENAI_API_KEY: "sk-1", OPENAI_ORGANIZATION: "org", OPENAI_PROJECT: "project" },
      configTables: ["[model_providers.openai]", 'name = "mine"', 'base_url = "http://127.0.0.1:9/v1"'],
    });
    expect(headers).toEqual({
      ...responses,
      authorization: "Bearer sk-1",
      version: "0.34.0",
      "openai-organization": "org",
      "openai-project": "project",
    });
    expect(headers["conversation_id"]).toBe(headers["session_id"]);
    expect(model.requests[0]?.path).toBe("/v1/responses");
  });

  test("of any other provider", async () => {
    expect((await ask([])).headers).toEqual(responses);
  });

  test("on the chat wire, whose body has five fields", async () => {
    const { headers, body, model } = await ask([], { wire: "chat" });
    expect(headers).toEqual(common);
    expect(model.requests[0]?.path).toBe("/v1/chat/completions");
    expect(body).toEqual({
      model: "mock-model",
      messages: [
        { role: "system", content: expect.stringContaining("*** Begin Patch") },
        { role: "user", content: expect.stringMatching(/^<environment_context>/) },
        { role: "user", content: "go" },
      ],
      stream: true,
      tools: [
        { type: "function", function: expect.objectContaining({ name: "shell", strict: false }) },
        { type: "function", function: expect.objectContaining({ name: "view_image", strict: false }) },
      ],
      stream_options: { include_usage: true },
    });
  });

  test("those of config.toml, and its query", async () => {
    const { headers, model } = await ask([], {
      provider: {
        query_params: { "api-version": "2025-04-01-preview" },
        http_headers: { "X-Fixed": "1" },
        env_http_headers: { "X-Set": "HEADER_SET", "X-Unset": "HEADER_UNSET", "X-Blank": "HEADER_BLANK" },
      },
      env: { HEADER_SET: "from the environment", HEADER_BLANK: " " },
    });
    expect(headers).toEqual({ ...responses, "x-fixed": "1", "x-set": "from the environment" });
    expect(model.requests[0]?.path).toBe("/v1/responses?api-version=2025-04-01-preview");
  });

  test.each<[name: string, env: Readonly<Record<string, string>>, agent: RegExp]>([
    [
      "the terminal's program",
      { TERM_PROGRAM: "vscode", TERM_PROGRAM_VERSION: "1.9" },
      /^my_host\/\S+ \(.+; \w+\) vscode\/1\.9$/,
    ],
    ["nothing at all", { TERM: "" }, /^my_host\/\S+ \(.+; \w+\) unknown$/],
  ])("an originator of one's own, with %s", async (_, env, agent) => {
    const { headers, run } = await ask([], { env: { ...env, CODEX_INTERNAL_ORIGINATOR_OVERRIDE: "my_host" } });
    expect(headers).toMatchObject({ originator: "my_host", "user-agent": expect.stringMatching(agent) });
    expect(run.rollout[0]?.payload["originator"]).toBe("my_host");
  });
});
