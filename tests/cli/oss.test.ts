import http from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, test } from "vitest";
import { prepareOss } from "../../src/cli/oss.ts";
import { loadConfig } from "../../src/config/load-config.ts";
import { UserError } from "../../src/lib/errors.ts";
import { runCodex } from "../support/run-codex.ts";
import { workspace } from "../support/workspace.ts";

const notRunning =
  "OSS setup failed: No running Ollama server detected. Start it with: `ollama serve` (after installing). Install instructions: https://github.com/ollama/ollama";

interface Answer {
  readonly status?: number;
  /** An object, or the pieces of a stream of lines. */
  readonly body?: unknown;
  /** What follows the body instead of the end of the answer. */
  readonly ending?: "hang" | "break";
}

/** Answers by method and path, 404 to everything else; "hang" never answers. */
async function fakeOllama(answers: Readonly<Record<string, Answer | "hang">>) {
  const requests: string[] = [];
  const server = http.createServer(async (request, response) => {
    const line = `${request.method} ${request.url}`;
    let body = "";
    for await (const chunk of request.setEncoding("utf8")) body += chunk;
    requests.push(`${line} ${body}`.trim());
    const answer = answers[line] ?? { status: 404, body: "404 page not found" };
    if (answer === "hang") return;
    response.statusCode = answer.status ?? 200;
    if (Array.isArray(answer.body)) for (const piece of answer.body) response.write(piece);
    else response.write(typeof answer.body === "string" ? answer.body : JSON.stringify(answer.body ?? {}));
    if (answer.ending === "break") response.destroy();
    else if (answer.ending === undefined) response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo; // it listens on a port
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

interface PrepareOptions {
  readonly model?: string;
  readonly answerMs?: number;
  readonly pauseMs?: number;
}

/** Runs `prepareOss` on a real config; the failure is its sentence. */
async function prepare(baseUrl: string, options: PrepareOptions = {}) {
  using place = workspace({ git: false });
  const config = loadConfig({
    flags: { modelProvider: "oss", model: options.model ?? "gpt-oss:20b" },
    env: { ...place.env, CODEX_OSS_BASE_URL: baseUrl },
    processCwd: place.work,
  });
  const { answerMs = 5_000, pauseMs = 5_000 } = options;
  let log = "";
  const write = (text: string) => {
    log += text;
  };
  try {
    const prepared = await prepareOss(config, write, { answerMs, pauseMs });
    return { log, baseUrl: prepared.modelProvider.baseUrl, isOtherwiseSame: isSameButUrl(prepared, config) };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { log, failure: error.message, exitCode: error.exitCode };
  }
}

type Config = ReturnType<typeof loadConfig>;

function isSameButUrl(one: Config, other: Config): boolean {
  const withoutUrl = (config: Config) => ({ ...config, modelProvider: { ...config.modelProvider, baseUrl: "" } });
  return JSON.stringify(withoutUrl(one)) === JSON.stringify(withoutUrl(other));
}

const tags = (...names: readonly string[]): Answer => ({ body: { models: names.map((name) => ({ name })) } });
const lines = (...updates: readonly unknown[]) => updates.map((update) => `${JSON.stringify(update)}\n`);
const pullRequest = 'POST /api/pull {"name":"gpt-oss:20b","stream":true}';
const pulling = "Pulling model gpt-oss:20b...\n";

describe("a server that has the model", () => {
  test("is asked for its models, and no more", async () => {
    await using server = await fakeOllama({ "GET /v1/models": {}, "GET /api/tags": tags("zz:1", "gpt-oss:20b") });
    const result = await prepare(`${server.url}/v1`);
    expect(result).toEqual({ log: "", baseUrl: `${server.url}/v1`, isOtherwiseSame: true });
    expect(server.requests).toEqual(["GET /v1/models", "GET /api/tags"]);
  });

  test.each(["", "/"])("a base URL that ends in %j is probed elsewhere and gets its /v1", async (end) => {
    await using server = await fakeOllama({ "GET /api/tags": tags("gpt-oss:20b") });
    const result = await prepare(`${server.url}${end}`);
    expect(result).toEqual({ log: "", baseUrl: `${server.url}/v1`, isOtherwiseSame: true });
    expect(server.requests).toEqual(["GET /api/tags", "GET /api/tags"]);
  });

  test("a slash behind /v1 changes nothing", async () => {
    await using server = await fakeOllama({ "GET /v1/models": {}, "GET /api/tags": tags("gpt-oss:20b") });
    expect(await prepare(`${server.url}/v1/`)).toMatchObject({ baseUrl: `${server.url}/v1` });
    expect(server.requests).toEqual(["GET /v1/models", "GET /api/tags"]);
  });

  test("a model without a tag is the latest one", async () => {
    await using server = await fakeOllama({ "GET /v1/models": {}, "GET /api/tags": tags("llama3:latest") });
    expect(await prepare(`${server.url}/v1`, { model: "llama3" })).toMatchObject({ log: "" });
  });
});

describe("a server that lacks the model", () => {
  const lacking = { "GET /v1/models": {}, "GET /api/tags": tags("zz:1") };

  test("pulls it, telling how far it is", async () => {
    const layer = (completed?: number) => ({ status: "pulling 4b8d", total: 13_780_000_000, completed });
    const body = lines(
      { status: "pulling manifest" },
      layer(),
      ...[1, 500, 700, 2_000, 13_780].map((megabytes) => layer(megabytes * 1e6)),
      { status: "pulling 5aa1", total: 7_000_000, completed: 7_000_000 },
      { status: "verifying sha256 digest" },
      { status: "success" },
    );
    await using server = await fakeOllama({ ...lacking, "POST /api/pull": { body, ending: "hang" } });
    const result = await prepare(`${server.url}/v1`);
    expect(result).toEqual({
      log: `${pulling}pulling manifest
pulling 4b8d: 0% of 13.8 GB
pulling 4b8d: 5% of 13.8 GB
pulling 4b8d: 10% of 13.8 GB
pulling 4b8d: 100% of 13.8 GB
pulling 5aa1: 100% of 7 MB
verifying sha256 digest
success
`,
      baseUrl: `${server.url}/v1`,
      isOtherwiseSame: true,
    });
    expect(server.requests).toEqual(["GET /v1/models", "GET /api/tags", pullRequest]);
  });

  test("lines are put together from the pieces in which they come", async () => {
    const body = ['{"status":"pulling', ' größe"}\r\n\n{"stat', 'us":"success"}'];
    await using server = await fakeOllama({ ...lacking, "POST /api/pull": { body } });
    expect(await prepare(`${server.url}/v1`)).toMatchObject({ log: `${pulling}pulling größe\nsuccess\n` });
  });

  test.each<[string, Answer, string]>([
    ["an error line", { body: lines({ status: "pulling manifest" }, { error: "no space" }) }, "no space"],
    ["a refusal with a reason", { status: 400, body: { error: "invalid model name" } }, "invalid model name"],
    ["a server that cannot pull", { status: 404, body: "404 page not found" }, "HTTP 404 Not Found"],
    ["an early end", { body: lines({ status: "pulling" }) }, "the answer ended before the model was complete"],
    ["a lost connection", { body: lines({ status: "pulling" }), ending: "break" }, "the connection was lost"],
    ["silence", { body: lines({ status: "pulling" }), ending: "hang" }, "no sign of life for 0.2 s"],
  ])("%s ends the run", async (_, answer, problem) => {
    await using server = await fakeOllama({ ...lacking, "POST /api/pull": answer });
    const result = await prepare(`${server.url}/v1`, { pauseMs: 200 });
    expect(result).toMatchObject({ failure: `OSS setup failed: Pull failed: ${problem}`, exitCode: 1 });
    expect(result.log.startsWith(pulling)).toBe(true);
  });

  test.each<[string, Answer]>([
    ["no JSON", { body: "<html>" }],
    ["an error", { status: 500, body: { error: "busy" } }],
  ])("a list of models that is %s counts as empty", async (_, answer) => {
    const pull = { body: lines({ status: "success" }) };
    await using server = await fakeOllama({ ...lacking, "GET /api/tags": answer, "POST /api/pull": pull });
    expect(await prepare(`${server.url}/v1`)).toMatchObject({ log: `${pulling}success\n` });
  });
});

describe("no server", () => {
  test("nothing listens", async () => {
    const server = await fakeOllama({});
    await server[Symbol.asyncDispose](); // leaves a port that nobody has
    expect(await prepare(`${server.url}/v1`)).toEqual({ log: "", failure: notRunning, exitCode: 1 });
  });

  test.each<[string, Answer | "hang"]>([
    ["that knows nothing of models", { status: 404 }],
    ["that fails", { status: 500 }],
    ["that never answers", "hang"],
    ["that never ends its answer", { ending: "hang" }],
    ["that breaks off", { ending: "break" }],
  ])("a server %s is none", async (_, answer) => {
    await using server = await fakeOllama({ "GET /v1/models": answer });
    expect(await prepare(`${server.url}/v1`, { answerMs: 300 })).toEqual({ log: "", failure: notRunning, exitCode: 1 });
    expect(server.requests).toEqual(["GET /v1/models"]);
  });

  test.each(["localhost:11434", "nonsense", "ftp://127.0.0.1/v1"])("the base URL %s is refused", async (url) => {
    expect(await prepare(url)).toEqual({
      log: "",
      failure: `OSS setup failed: CODEX_OSS_BASE_URL is not a URL that starts with http:// or https://: "${url}"`,
      exitCode: 1,
    });
  });
});

describe("codex exec --oss", () => {
  const chat: Answer = {
    body: [
      'data: {"choices":[{"delta":{"content":"Hi."}}]}\n\n',
      'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n',
    ],
  };

  test.each<[string, readonly string[], string, boolean]>([
    ["asks gpt-oss:20b", [], "gpt-oss:20b", true],
    ["offers other models no apply_patch tool", ["-m", "zz:1"], "zz:1", false],
  ])("%s", async (_, flags, model, hasPatchTool) => {
    await using server = await fakeOllama({
      "GET /api/tags": {},
      "POST /api/pull": { body: lines({ status: "success" }) },
      "POST /v1/chat/completions": chat,
    });
    const run = await runCodex(["exec", "--oss", ...flags, "-s", "danger-full-access", "go"], {
      env: { CODEX_OSS_BASE_URL: server.url },
    });
    expect(run).toMatchObject({ exitCode: 0, stdout: "Hi.\n" });
    expect(run.stderr.startsWith(`Pulling model ${model}...\nsuccess\n`)).toBe(true);
    const request = server.requests.at(-1) ?? "";
    expect(request.startsWith("POST /v1/chat/completions {")).toBe(true);
    expect(request).toContain(`"model":"${model}"`);
    expect(request.includes('"name":"apply_patch"')).toBe(hasPatchTool);
  });

  test("ends with status 1 when there is no server", async () => {
    const server = await fakeOllama({});
    await server[Symbol.asyncDispose]();
    const run = await runCodex(["exec", "--oss", "go"], { env: { CODEX_OSS_BASE_URL: `${server.url}/v1` } });
    expect(run).toMatchObject({ exitCode: 1, stdout: "", stderr: `Error: ${notRunning}\n` });
  });
});
