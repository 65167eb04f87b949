// The build rewrites every import(), and only a run of the built program shows that the module it loads still works.
// These scenarios use each of them, and V8's coverage proves it.
import { once } from "node:events";
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { fakeServer } from "./mcp-client/support.ts";
import { certificate, certificateKey } from "./model/certificate.ts";
import { Coverage, findBuiltPlaces, findLazyImports } from "./support/coverage.ts";
import { callShell, callTool, fakeModel, say } from "./support/fake-model.ts";
import { closedGate } from "./support/gate.ts";
import { install, installedBinary } from "./support/install.ts";
import { startMcp, textOf } from "./support/mcp-session.ts";
import { chatEvents, responsesEvents } from "./support/model-events.ts";
import { browse, openIdProvider } from "./support/openid-provider.ts";
import { startProto } from "./support/proto-session.ts";
import { inputOf } from "./support/requests.ts";
import { configToml, type RunningCodex, runCodex, startCodex } from "./support/run-codex.ts";
import { openTerminal } from "./support/terminal.ts";
import { type Workspace, workspace } from "./support/workspace.ts";

const src = path.resolve(import.meta.dirname, "../src");

/** The copy of the program that writes coverage; spread into the options of a run. */
interface Program {
  readonly binary: string;
  readonly env: { readonly NODE_V8_COVERAGE: string };
}

const key = "sk-proj-marked-0123456789-ABCDE";
const sessionId = "00000000-0000-4000-8000-000000000001";

/** Each runs the program and checks its output: a module that is loaded and does not work must fail the test too. */
const scenarios: Readonly<Record<string, (program: Program) => Promise<void>>> = {
  // First, because it takes longest: the program asks the issuer after five seconds.
  "a person signs in with a device code": async (program) => {
    await using issuer = await openIdProvider({ deviceFlow: true });
    const codex = startCodex(["login", "--device-auth"], { ...program, config: issuer.config, git: false });
    const said = await stderrWith(codex, "/device");
    await browse(/^http\S+\/device\S*$/m.exec(said)?.[0] ?? "");
    const run = await codex.finished();
    expect(run.stderr).toMatch(/\nSuccessfully logged in\n$/);
    expect(run.exitCode).toBe(0);
  },

  "a person signs in with a browser, a run renews the tokens, and a logout deletes them": async (program) => {
    await using issuer = await openIdProvider();
    await using model = await fakeModel([say("ok")]);
    const { config } = issuer;
    const codex = startCodex(["login", "--no-browser"], { ...program, config, git: false });
    const said = await stderrWith(codex, "response_type=code");
    expect((await browse(/^http\S+response_type=code\S+$/m.exec(said)?.[0] ?? "")).text).toContain("Signed in");
    const login = await codex.finished();
    expect(login).toMatchObject({ exitCode: 0, stderr: expect.stringMatching(/\nSuccessfully logged in\n$/) });

    const homeFiles = { "auth.json": expired(login.homeFiles["auth.json"] ?? "") };
    const provider = { requires_openai_auth: true };
    const run = await runCodex(["exec", "go"], { ...program, model, provider, config, homeFiles });
    expect(run).toMatchObject({ exitCode: 0, stdout: "ok\n" });
    expect(issuer.refreshes()).toHaveLength(1);
    const { access_token } = JSON.parse(run.homeFiles["auth.json"] ?? "").tokens;
    expect(model.requests[0]?.headers.authorization).toBe(`Bearer ${access_token}`);

    const logout = await runCodex(["logout"], { ...program, config, homeFiles });
    expect(logout).toMatchObject({ exitCode: 0, stderr: "Successfully logged out\n" });
    expect(logout.homeFiles).not.toHaveProperty(["auth.json"]);
  },

  "a login keeps an API key, which login status shows": async (program) => {
    const login = await runCodex(["login", "--with-api-key"], { ...program, stdin: `${key}\n`, git: false });
    expect(login).toMatchObject({ exitCode: 0, stderr: "Successfully logged in\n" });
    const status = await runCodex(["login", "status"], { ...program, homeFiles: login.homeFiles, git: false });
    expect(status).toMatchObject({ exitCode: 0, stderr: "Logged in using an API key - sk-proj-***ABCDE\n" });
  },

  "clients of the MCP server sign in with a key and with a browser": async (program) => {
    await using issuer = await openIdProvider();
    await using mcp = startMcp({ ...program, config: issuer.config });
    expect((await mcp.request("loginApiKey", { apiKey: key })).result).toEqual({});
    expect((await mcp.request("getAuthStatus", {})).result).toMatchObject({ authMethod: "apikey" });
    const { loginId, authUrl } = (await mcp.request("loginChatGpt")).result;
    expect((await browse(authUrl)).text).toContain("Signed in");
    const { params } = await mcp.next(({ method }) => method === "loginChatGptComplete");
    expect(params).toEqual({ loginId, success: true });
    expect((await mcp.request("logoutChatGpt")).result).toEqual({});
    expect(mcp.codex.place.homeFiles()).not.toHaveProperty(["auth.json"]);
    mcp.end();
    expect((await mcp.ended()).exitCode).toBe(0);
  },

  "clients of the MCP server hold conversations in three ways": async (program) => {
    await using model = await fakeModel([say("One."), say("Two."), say("Three.")]);
    await using mcp = startMcp({ ...program, model });
    await mcp.initialize();
    expect(textOf(await mcp.call("codex", { prompt: "first" }))).toBe("One.");
    await mcp.event("task_complete");

    const created = await mcp.call("conversationCreate", { prompt: "", model: "m", cwd: mcp.codex.place.work });
    const { conversation_id } = created.result.structuredContent;
    await mcp.call("conversationSendMessage", { conversation_id, content: [{ type: "text", text: "second" }] });
    expect((await mcp.event("task_complete")).params.msg.last_agent_message).toBe("Two.");

    const { conversationId } = (await mcp.request("newConversation", {})).result;
    await mcp.request("addConversationListener", { conversationId });
    await mcp.request("sendUserMessage", { conversationId, items: [{ type: "text", data: { text: "third" } }] });
    expect((await mcp.event("task_complete")).params.msg.last_agent_message).toBe("Three.");
    mcp.end();
    expect((await mcp.ended()).exitCode).toBe(0);
  },

  "a person at a terminal sees what a run waits for": async ({ binary, env }) => {
    const firstByte = closedGate();
    await using model = await fakeModel([say("All done.", { after: firstByte.opened })]);
    using place = workspace({ homeFiles: { "config.toml": configToml({ model }) } });
    using terminal = openTerminal(process.execPath, [binary, "exec", "do it"], {
      cwd: place.work,
      env: { ...place.env, ...env },
    });
    await terminal.shows(/^[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏] Waiting for the model/m);
    firstByte.open();
    expect(await terminal.ended()).toBe(0);
    expect(terminal.screen()).toContain("\nAll done.\n");
  },

  "a run prints its log for people and notifies the user's program": async (program) => {
    await using model = await fakeModel([callShell(["echo", "output of it"]), say("done")]);
    const config = ['notify = ["sh", "-c", "echo \\"notified: $0\\" >&2"]'];
    const run = await runCodex(["exec", "--yolo", "go"], { ...program, model, config });
    expect(run).toMatchObject({ exitCode: 0, stdout: "done\n" });
    expect(run.stderr).toMatch(/ succeeded in .*:\noutput of it\n/);
    expect(run.stderr).toMatch(/^notified: \{"type":"agent-turn-complete".*"last-assistant-message":"done"\}$/m);
  },

  "a run prints events, and calls a tool of an MCP server": async (program) => {
    await using model = await fakeModel([callTool("tst__echo", { msg: "yo" }), say("done")]);
    const run = await runCodex(["exec", "--json", "go"], { ...program, model, configTables: [fakeServer("tst")] });
    expect(run.exitCode).toBe(0);
    expect(run.messages).toContainEqual({ type: "agent_message", message: "done" });
    expect(inputOf(model, 2).at(-1)?.output).toBe('[{"type":"text","text":"you said yo"}]');
  },

  "a run prints the lines of a thread": async (program) => {
    await using model = await fakeModel([say("done")]);
    const run = await runCodex(["exec", "--experimental-json", "go"], { ...program, model });
    expect(run.exitCode).toBe(0);
    expect(run.lines.map(({ type }) => type)).toEqual([
      "thread.started",
      "turn.started",
      "item.completed",
      "turn.completed",
    ]);
  },

  "a run asks a model on this machine": async (program) => {
    const models = JSON.stringify({ models: [{ name: "gpt-oss:20b" }] });
    const answer = chatEvents(say("Hi."), 1).join("");
    await using ollama = await serve(
      http.createServer(answering(({ method }) => (method === "GET" ? models : answer))),
    );
    const env = { ...program.env, CODEX_OSS_BASE_URL: `http://127.0.0.1:${ollama.port}/v1` };
    const run = await runCodex(["exec", "--oss", "go"], { ...program, env });
    expect(run).toMatchObject({ exitCode: 0, stdout: "Hi.\n" });
  },

  "a run asks a model over https": async (program) => {
    const answer = responsesEvents(say("hello"), 1).join("");
    const keys = { key: certificateKey, cert: certificate };
    await using server = await serve(
      https.createServer(
        keys,
        answering(() => answer),
      ),
    );
    const run = await runCodex(["exec", "go"], {
      ...program,
      model: { url: `https://localhost:${server.port}/v1` },
      env: { ...program.env, SSL_CERT_FILE: "certificate.pem" },
      files: { "certificate.pem": certificate },
    });
    expect(run).toMatchObject({ exitCode: 0, stdout: "hello\n" });
  },

  "a run asks a model through a proxy": async (program) => {
    await using proxy = await fakeModel([say("hello")]);
    const run = await runCodex(["exec", "go"], {
      ...program,
      model: { url: "http://model.test/v1" },
      env: { ...program.env, HTTP_PROXY: new URL(proxy.url).origin },
    });
    expect(run).toMatchObject({ exitCode: 0, stdout: "hello\n" });
    expect(proxy.requests[0]?.path).toBe("http://model.test/v1/responses");
  },

  "a request that is refused ends a run with the reason": async (program) => {
    await using model = await fakeModel([{ status: 418 }]);
    const run = await runCodex(["exec", "go"], { ...program, model });
    expect(run.exitCode).toBe(1);
    expect(run.stderr).toContain("unexpected status 418 I'm a Teapot: ");
  },

  "a run is recorded and replayed": async (program) => {
    await using model = await fakeModel([say("done")]);
    using shelf = workspace({ git: false });
    const file = path.join(shelf.work, "run.jsonl");
    const recorded = await runCodex(["exec", "--record", file, "go"], { ...program, model });
    expect(recorded).toMatchObject({ exitCode: 0, stdout: "done\n" });
    await model.close(); // a replay asks no provider
    const replayed = await runCodex(["exec", "--replay", file, "go"], { ...program, model });
    expect(replayed).toMatchObject({ exitCode: 0, stdout: "done\n" });
  },

  "a run and a proto session resume a stored session, and sessions lists it": async (program) => {
    await using model = await fakeModel([say("one"), say("two")]);
    const run = await runCodex(["exec", "resume", sessionId, "go"], { ...program, model, setup: storeSession });
    expect(run).toMatchObject({ exitCode: 0, stdout: "one\n" });

    await using proto = startProto({ ...program, args: ["--resume", sessionId], model, setup: storeSession });
    proto.input("go");
    expect((await proto.next("task_complete")).msg.last_agent_message).toBe("two");
    proto.end();
    expect((await proto.ended()).exitCode).toBe(0);
    for (const request of [1, 2]) expect(JSON.stringify(inputOf(model, request))).toContain("an earlier task");

    const list = await runCodex(["sessions", "list"], { ...program, setup: storeSession });
    expect(list).toMatchObject({ exitCode: 0, stderr: "" });
    expect(list.stdout).toMatch(new RegExp(`${sessionId}.*an earlier task`));
  },

  "a session that cannot be resumed ends the program with the reason": async (program) => {
    const run = await runCodex(["exec", "-c", "experimental_resume=/nowhere.jsonl", "go"], program);
    expect(run).toMatchObject({
      exitCode: 1,
      stdout: "",
      stderr:
        'Error: Cannot go on with experimental_resume = "/nowhere.jsonl": No such file or directory (os error 2)\n',
    });
  },

  "a proto session is compacted when it is full and when the client asks for it": async (program) => {
    await using model = await fakeModel([
      say("one", { usage: { input: 5000, output: 0 } }),
      say("SUMMARY 1"),
      say("two"),
      say("SUMMARY 2"),
      say("three"),
    ]);
    await using proto = startProto({ ...program, model, config: ["model_auto_compact_token_limit = 1000"] });
    for (const op of ["one", "two", "compact", "three"]) {
      if (op === "compact") proto.send({ type: "compact" });
      else proto.input("go");
      const { last_agent_message } = (await proto.next("task_complete")).msg;
      expect(last_agent_message).toBe(op === "compact" ? null : op);
    }
    expect(JSON.stringify(inputOf(model, 3))).toContain("SUMMARY 1");
    expect(JSON.stringify(inputOf(model, 5))).toContain("SUMMARY 2");
    proto.end();
    expect((await proto.ended()).exitCode).toBe(0);
  },

  "a proto session is so long that the program saves memory": async (program) => {
    await using model = await fakeModel([say("ok")], { repeatLast: true });
    await using proto = startProto({ ...program, model });
    for (let task = 1; task <= 11; task += 1) {
      proto.input("go");
      expect((await proto.next("task_complete")).msg.last_agent_message).toBe("ok");
    }
    proto.end();
    expect((await proto.ended()).exitCode).toBe(0);
  },

  "doctor finds nothing wrong": async (program) => {
    const env = { ...program.env, OPENAI_API_KEY: key };
    const run = await runCodex(["doctor", "--json", "-s", "danger-full-access"], { ...program, env });
    expect(run).toMatchObject({ exitCode: 0, stderr: "" });
    expect(JSON.parse(run.stdout)).toMatchObject({ ok: true, checks: { credential: { source: "OPENAI_API_KEY" } } });
  },

  "sandbox runs a command, or says why it cannot": async (program) => {
    // Without the sandbox itself, which not every machine has.
    const words = ["sandbox", "-s", "danger-full-access", "--"];
    const run = await runCodex([...words, "sh", "-c", "echo done; exit 7"], program);
    expect(run).toMatchObject({ exitCode: 7, stdout: "done\n", stderr: "" });
    // Only this one writes coverage: the other was replaced by its command.
    const failed = await runCodex([...words, "no-such-program"], program);
    expect(failed).toMatchObject({ exitCode: 127, stderr: expect.stringContaining('Cannot run "no-such-program"') });
  },

  "completion prints a script": async (program) => {
    const run = await runCodex(["completion", "bash"], program);
    expect(run).toMatchObject({ exitCode: 0, stderr: "", stdout: expect.stringMatching(/^complete .* codex$/m) });
  },

  "apply_patch is a program": async (program) => {
    const patch = "*** Begin Patch\n*** Add File: new.txt\n+hi\n*** End Patch\n";
    const run = await runCodex(["apply_patch", patch], program);
    expect(run).toMatchObject({ exitCode: 0, stderr: "", files: { "new.txt": "hi\n" } });
    expect(run.stdout).toBe("Success. Updated the following files:\nA new.txt\n");
  },
};

const place = workspace({ git: false });
const binary = path.join(place.work, installedBinary);
const coverageFolder = (scenario: string) => path.join(place.root, "coverage", scenario.replaceAll(/\W+/g, "-"));
let dist: string;
beforeAll(() => {
  dist = install(place);
  // V8 counts nothing in functions that come from its code cache.
  for (const name of readdirSync(dist)) if (name.endsWith(".code")) rmSync(path.join(dist, name));
});
afterAll(() => place[Symbol.dispose]());

describe.concurrent("the built program works where it loads a module with import()", () => {
  test.each(Object.entries(scenarios))("%s", (name, scenario) =>
    scenario({ binary, env: { NODE_V8_COVERAGE: coverageFolder(name) } }),
  );
});

// With `--reporter=verbose` the annotations say which scenarios reach which import().
test("every import() in src is reached by these scenarios", async ({ annotate }) => {
  const imports = findLazyImports(src);
  expect(imports).not.toEqual([]);
  const places = findBuiltPlaces(imports, dist);
  const runs = Object.keys(scenarios).map((name) => ({ name, coverage: new Coverage(coverageFolder(name)) }));
  const unreached: string[] = [];
  const used = new Set<string>();
  for (const { name } of imports) {
    const built = places.get(name) ?? [];
    const reaching = runs.filter(({ coverage }) => built.some((place) => coverage.hasExecuted(place)));
    for (const run of reaching) used.add(run.name);
    await annotate(`${name}: ${reaching.map((run) => run.name).join("; ")}`);
    if (built.length === 0) unreached.push(`${name} (not in this build: is it older than src?)`);
    else if (!built.every((place) => runs.some(({ coverage }) => coverage.hasExecuted(place)))) unreached.push(name);
  }
  const unused = Object.keys(scenarios).filter((name) => !used.has(name));
  expect({ unreached, unused }).toEqual({ unreached: [], unused: [] });
});

/** What the program has said on stderr when this text is there. */
async function stderrWith({ child, sees }: RunningCodex, text: string): Promise<string> {
  let said = "";
  child.stderr.on("data", (chunk: string) => {
    said += chunk;
  });
  await sees(text);
  return said;
}

/** An auth.json whose tokens have expired. */
function expired(authFile: string): string {
  const { oauth, ...rest } = JSON.parse(authFile);
  return JSON.stringify({ ...rest, oauth: { ...oauth, expires_at: new Date(0).toISOString() } });
}

function storeSession({ home, work }: Workspace): void {
  const timestamp = "2025-09-12T08:00:00.000Z";
  const lines = [
    { timestamp, type: "session_meta", payload: { id: sessionId, timestamp, cwd: work, instructions: null } },
    {
      timestamp,
      type: "response_item",
      payload: { type: "message", role: "user", content: [{ type: "input_text", text: "an earlier task" }] },
    },
    { timestamp, type: "event_msg", payload: { type: "user_message", message: "an earlier task", kind: "plain" } },
  ];
  const folder = path.join(home, "sessions/2025/09/12");
  mkdirSync(folder, { recursive: true });
  const file = path.join(folder, `rollout-2025-09-12T08-00-00-${sessionId}.jsonl`);
  writeFileSync(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
}

function answering(bodyFor: (request: http.IncomingMessage) => string): http.RequestListener {
  return (request, response) => {
    request.resume().once("end", () => response.end(bodyFor(request)));
  };
}

async function serve(server: http.Server | https.Server): Promise<{ readonly port: number } & AsyncDisposable> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The server has no port.");
  return {
    port: address.port,
    [Symbol.asyncDispose]: async () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
