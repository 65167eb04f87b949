import { spawn } from "node:child_process";
import { once } from "node:events";
import { text as readText } from "node:stream/consumers";
import { describe, expect, test } from "vitest";
import { fakeServer } from "../mcp-client/support.ts";
import { callShell, type FakeModel, fakeModel, type ModelStep, type ScriptedStep, say } from "../support/fake-model.ts";
import { startMcp } from "../support/mcp-session.ts";
import { startProto } from "../support/proto-session.ts";
import { type CodexRun, codexBinary, configToml, type RunOptions, runCodex } from "../support/run-codex.ts";
import { type Workspace, workspace } from "../support/workspace.ts";

/** In every secret, and in nothing else; `login status` may show the eight characters before it and the five behind. */
const mark = "undisclosed";
const secret = (name: string) => `sk-0000-${mark}-${name}-ABCDE`;

const claims = { email: "ann@example.com", "https://api.openai.com/auth": { chatgpt_plan_type: "plus" } };
const tokens = {
  id_token: `e30.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.${secret("id")}`,
  access_token: secret("access"),
  refresh_token: secret("refresh"),
  account_id: "account",
};
const authJson = (content: object) => ({ "auth.json": JSON.stringify(content) });

type Signed = RunOptions & { readonly signature: string };
const ofVariable: Signed = {
  env: { MY_SERVER_PASS: secret("env-key") },
  provider: { env_key: "MY_SERVER_PASS" },
  signature: secret("env-key"),
};
const ofTokens: Signed = {
  homeFiles: authJson({ OPENAI_API_KEY: secret("stored"), tokens }),
  signature: secret("access"),
};

/** What signs the requests. */
const credentials: Readonly<Record<string, Signed>> = {
  CODEX_API_KEY: { env: { CODEX_API_KEY: secret("codex") }, signature: secret("codex") },
  OPENAI_API_KEY: { env: { OPENAI_API_KEY: secret("openai") }, signature: secret("openai") },
  "OPENAI_API_KEY of the .env file": {
    homeFiles: { ".env": `OPENAI_API_KEY=${secret("env-file")}` },
    signature: secret("env-file"),
  },
  "the key of auth.json": {
    homeFiles: authJson({ OPENAI_API_KEY: secret("stored") }),
    signature: secret("stored"),
  },
  "the tokens of auth.json": ofTokens,
  "the variable of env_key": ofVariable,
};

/** Everything else that may be secret, all at once. */
function secretly({ url }: FakeModel, { env, provider, homeFiles, config = [] }: RunOptions = {}): RunOptions {
  return {
    model: { url: url.replace("://", `://somebody:${secret("password")}@`) },
    provider: {
      requires_openai_auth: true,
      http_headers: { "x-fixed": secret("header") },
      env_http_headers: { "x-variable": "OF_A_HEADER" },
      query_params: { signature: secret("query") },
      ...provider,
    },
    config: ['sandbox_mode = "read-only"', ...config],
    configTables: [
      fakeServer("tools", { tools: ["look"], env: { SERVER_PASS: secret("server") } }),
      "[model_providers.other]",
      'name = "Other"',
      'env_key = "OTHER_PASS"',
    ],
    env: {
      CODEX_LOG: "trace",
      OF_A_HEADER: secret("variable"),
      OTHER_PASS: secret("other"),
      GITHUB_TOKEN: secret("token"),
      ...env,
    },
    ...(homeFiles === undefined ? {} : { homeFiles }),
  };
}

/** Looks for secrets where a command can look; the brackets keep it from finding itself. */
const probe = `env; cat /proc/self/environ; echo; grep -las '${mark.replace("u", "[u]")}' /proc/[0-9]*/environ /proc/[0-9]*/cmdline`;

/** Runs the probe in each turn, and ends the turn. */
const prober: ScriptedStep = ({ body }) =>
  JSON.stringify(body).includes("function_call_output") ? say("done") : callShell(["sh", "-c", probe]);

/** Everything that a server was sent, which it should not quote. */
const quoted = ({ headers, path: address }: Parameters<Exclude<ScriptedStep, ModelStep>>[0]) =>
  `no: ${JSON.stringify(headers)} ${address}`;
const echo =
  (status: number): ScriptedStep =>
  (request) => ({ status, body: { error: { message: quoted(request) } } });

/** Where secrets belong. */
const ownFiles = ["auth.json", "config.toml", ".env"];

function expectNothing(told: string): void {
  const encoded = Buffer.from(`somebody:${secret("password")}`).toString("base64");
  const leaks = [...told.matchAll(new RegExp(`.{0,60}(?:${mark}|${encoded}).{0,60}`, "g"))];
  expect(leaks.map(([text]) => text)).toEqual([]);
}

/** All that a run has printed and kept. */
function toldBy({ stdout, stderr, files, homeFiles }: CodexRun): string {
  const kept = Object.entries(homeFiles).filter(([name]) => !ownFiles.includes(name));
  const { "tools.log": _, ...workFiles } = files; // what the configured server was sent
  return [stdout, stderr, JSON.stringify(workFiles), JSON.stringify(kept)].join("\n");
}

function expectProbed(told: string, model: FakeModel, signature: string): void {
  expect(told).toContain("PATH="); // there was something to find them in
  for (const { headers, path: address } of model.requests) {
    expect([headers.authorization, headers["x-fixed"], headers["x-variable"]]).toEqual([
      `Bearer ${signature}`,
      secret("header"),
      secret("variable"),
    ]);
    expect(address).toContain(secret("query"));
  }
  expectNothing(told);
}

describe.each(Object.entries(credentials))("with %s nothing secret is told by", (_, { signature, ...options }) => {
  test.each([[[]], [["--json"]], [["--experimental-json"]]])("codex exec %j", async (flags) => {
    await using model = await fakeModel([prober], { repeatLast: true });
    const run = await runCodex(["exec", ...flags, "--record", "run.jsonl", "go"], secretly(model, options));
    expect(run.exitCode).toBe(0);
    expect(run.files["run.jsonl"]).toContain("function_call");
    expectProbed(toldBy(run), model, signature);
  });

  test("codex proto", async () => {
    await using model = await fakeModel([prober], { repeatLast: true });
    const session = startProto(secretly(model, options));
    session.input("go");
    await session.next("task_complete");
    session.end();
    expectProbed(toldBy(await session.ended()), model, signature);
  });

  test("codex mcp", async () => {
    await using model = await fakeModel([prober], { repeatLast: true });
    await using mcp = startMcp(secretly(model, options));
    await mcp.initialize();
    expect((await mcp.call("codex", { prompt: "go" })).result.isError).not.toBe(true);
    const { conversationId } = (await mcp.request("newConversation", {})).result;
    await mcp.request("addConversationListener", { conversationId });
    await mcp.request("sendUserMessage", { conversationId, items: [{ type: "text", data: { text: "go" } }] });
    await mcp.next(({ method }) => method === "codex/event/task_complete");
    for (const method of ["getAuthStatus", "getUserSavedConfig", "userInfo", "getUserAgent", "listConversations"]) {
      expect((await mcp.request(method, {})).result).toBeDefined();
    }
    const oneOff = await mcp.request("execOneOffCommand", { command: ["sh", "-c", probe] });
    expect(oneOff.result.stdout).toContain("PATH=");
    mcp.end();
    expectProbed(toldBy(await mcp.ended()), model, signature);
  });

  test("the small commands", async () => {
    await using model = await fakeModel([prober], { repeatLast: true });
    const settings = secretly(model, options);
    using place = workspace({ homeFiles: { ...settings.homeFiles, "config.toml": configToml(settings) } });
    const codex = (args: readonly string[], input = "") => tellingOf(place, { args, input, env: settings.env ?? {} });
    const [id = ""] = /[\da-f-]{36}/.exec(await codex(["exec", "--json", "go"])) ?? [];
    for (const args of [
      ["login", "status"],
      ["doctor"],
      ["doctor", "--json"],
      ["sessions"],
      ["sessions", "show", id],
      ["sessions", "export", id],
      ["login", "--with-api-key"],
      ["login", "status"],
      ["logout"],
    ]) {
      expectNothing(await codex(args, args.includes("--with-api-key") ? secret("piped") : ""));
    }
  });
});

describe("an error tells nothing secret", () => {
  const formats = [[], ["--json"], ["--experimental-json"]];
  const echoes: readonly [name: string, step: ScriptedStep][] = [
    ...[400, 401, 403, 429, 500, 503].map((status): [string, ScriptedStep] => [`status ${status}`, echo(status)]),
    ["an answer that fails", (request) => ({ failed: { code: "server_error", message: quoted(request) } })],
    [
      "an answer that is rate limited",
      (request) => ({ failed: { code: "rate_limit_exceeded", message: quoted(request) } }),
    ],
    ["an answer of another kind", (request) => ({ raw: [quoted(request)] })],
  ];
  test.each(echoes)("of a server that quotes what it was sent with %s", async (_, step) => {
    for (const { signature, ...options } of [ofVariable, ofTokens]) {
      await using model = await fakeModel([step], { repeatLast: true });
      const settings = secretly(model, options);
      const provider = { ...settings.provider, request_max_retries: 1, stream_max_retries: 1 };
      const runs = formats.map((flags) =>
        runCodex(["exec", ...flags, "--record", "run.jsonl", "go"], { ...settings, provider }),
      );
      for (const run of await Promise.all(runs)) {
        expect(run.exitCode).toBe(1);
        expectProbed(`PATH=${toldBy(run)}`, model, signature);
      }
    }
  });

  test.each([
    ["a port where nobody listens", `http://somebody:${secret("password")}@127.0.0.1:1/v1?sig=${secret("query")}`],
    ["a name that nobody has", `https://somebody:${secret("password")}@model.invalid/v1`],
    ["another scheme", `htp://somebody:${secret("password")}@127.0.0.1/v1?sig=${secret("query")}`],
    ["no URL", `somebody:${secret("password")}@127.0.0.1/v1`],
    ["no host", `http://somebody:${secret("password")}@/v1`],
    ["a port that is none", `http://somebody:${secret("password")}@127.0.0.1:99999/v1`],
  ])("of an address with a password: %s", async (_, url) => {
    const options = { model: { url }, env: { CODEX_LOG: "trace" } };
    const starts = formats.map((flags) => runCodex(["exec", ...flags, "--record", "run.jsonl", "go"], options));
    for (const run of await Promise.all(starts)) {
      expect(run.exitCode).toBe(1);
      expectNothing(toldBy(run));
    }
  });

  test.each([
    ["a broken auth.json", { "auth.json": `{"OPENAI_API_KEY":"${secret("stored")}` }],
    ["an auth.json that is no object", { "auth.json": `"${secret("stored")}"` }],
    [
      "an auth.json of other types",
      { "auth.json": `{"OPENAI_API_KEY":["${secret("stored")}"],"tokens":"${secret("access")}"}` },
    ],
  ])("of %s", async (_, homeFiles) => {
    await using model = await fakeModel([say("ok")]);
    const run = await runCodex(["exec", "go"], { env: { OPENAI_BASE_URL: model.url, CODEX_LOG: "trace" }, homeFiles });
    expect(run.exitCode).toBe(0);
    expectNothing(toldBy(run));
  });

  test.each([
    ["an open string", `[mcp_servers.s]\ncommand = "c"\nenv = { PASS = "${secret("server")}`],
    ["no quotes", `OPENAI_API_KEY = ${secret("key")}`],
    ["a line without a key", secret("key")],
    ["a second equals sign", `KEY = "${secret("key")}" = 1`],
    ["a header as a key", `http_headers = { Authorization: "Bearer ${secret("header")}" }`],
    ["a text where a table belongs", `[mcp_servers.s]\ncommand = "c"\nenv = "PASS=${secret("server")}"`],
    ["a text where texts belong", `[mcp_servers.s]\ncommand = "c"\nargs = "--token ${secret("server")}"`],
    ["a text in place of a server", `[mcp_servers]\ns = "PASS=${secret("server")}"`],
    ["a text in place of headers", `[model_providers.p]\nname = "P"\nhttp_headers = "Bearer ${secret("header")}"`],
    ["a number where a text belongs", `[mcp_servers.s]\ncommand = "c"\nenv = { PIN = 12345678 }`],
    ["a text in place of variables", `[shell_environment_policy]\nset = "PASS=${secret("set")}"`],
  ])("of a config.toml with %s", async (_, config) => {
    const faces = [["exec", "go"], ["exec", "--json", "go"], ["proto"], ["mcp"], ["doctor"], ["login", "status"]];
    const runs = await Promise.all(faces.map((args) => runCodex(args, { homeFiles: { "config.toml": config } })));
    expect(runs.map(({ exitCode }) => exitCode)).toEqual(faces.map(() => 1));
    for (const run of runs) {
      expect(run.stdout + run.stderr).toMatch(/TOML parse error|invalid type/);
      expectNothing(toldBy(run));
      expect(run.stdout + run.stderr).not.toContain("12345678");
    }
  });

  test("of a request that nobody understands", async () => {
    await using mcp = startMcp({ env: { CODEX_LOG: "trace" } });
    expect((await mcp.request("loginApiKey", { apiKey: [secret("key")] })).error?.code).toBe(-32602);
    expect((await mcp.request("loginApiKey", { key: secret("key") })).error?.code).toBe(-32602);
    expect((await mcp.request("loginApiKey", secret("key"))).error?.code).toBe(-32602);
    expect((await mcp.request("loginApiKey", { apiKey: `${secret("key")} two` })).error?.code).toBe(-32603);
    mcp.write(`{"id":1,"method":"loginApiKey","params":{"apiKey":"${secret("key")}}}\n`);
    mcp.write(`{"id":2,"method":"loginApiKey","params":{"apiKey":${secret("key")}}}\n`);
    mcp.write(`${secret("key")}\n`);
    mcp.end();
    expectNothing(toldBy(await mcp.ended()));
  });
});

interface CommandOptions {
  readonly args: readonly string[];
  readonly input: string;
  readonly env: Readonly<Record<string, string>>;
}

async function tellingOf(place: Workspace, { args, input, env }: CommandOptions): Promise<string> {
  const child = spawn(process.execPath, [codexBinary, ...args], { cwd: place.work, env: { ...place.env, ...env } });
  child.stdin.on("error", () => {}).end(input); // it may end before it reads
  const [stdout, stderr] = await Promise.all([readText(child.stdout), readText(child.stderr), once(child, "close")]);
  expect(stdout + stderr).not.toBe("");
  return stdout + stderr;
}
