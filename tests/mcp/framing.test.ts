import { existsSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { isAlive } from "../process/support.ts";
import { callShell, fakeModel, say } from "../support/fake-model.ts";
import { fullAccess, startMcp, textOf, untrusted } from "../support/mcp-session.ts";
import { inputOf } from "../support/requests.ts";
import { runCodex } from "../support/run-codex.ts";

describe("lines", () => {
  test.each([
    [1, "this is not json", -32700, null],
    [2, '{"jsonrpc":"2.0"}', -32600, null],
    [2, '{"id":4,"jsonrpc":"2.0"}', -32600, 4],
    [5, '[{"jsonrpc":"2.0","id":900,"method":"ping"}]', -32600, null],
    [5, "[]", -32600, null],
    [7, '{"jsonrpc":"2.0","id":null,"method":"ping"}', -32600, null],
    [7, '{"jsonrpc":"2.0","id":1.5,"method":"ping"}', -32600, null],
    [7, '{"jsonrpc":"2.0","id":{},"method":"ping"}', -32600, null],
    [7, '{"jsonrpc":"2.0","id":1,"method":5}', -32600, 1],
    [2, "5", -32600, null],
  ])("%i: %s is answered with an error, and the next line is served", async (_, line, code, id) => {
    await using mcp = startMcp();
    mcp.write(`${line}\n`);
    expect(await mcp.next(({ error }) => error !== undefined)).toMatchObject({ id, error: { code } });
    expect(await mcp.request("ping")).toMatchObject({ result: {} });
  });

  test.each([
    ["an answer nested two hundred thousand deep", `{"id":1,"result":${"[".repeat(200_000)}${"]".repeat(200_000)}}`],
    [
      "an id of four hundred digits in a cancel",
      `{"method":"notifications/cancelled","params":{"requestId":${"1".repeat(401)}}}`,
    ],
  ])("%s does not end the server", async (_, line) => {
    await using mcp = startMcp();
    mcp.write(`${line}\n`);
    expect(await mcp.request("ping")).toMatchObject({ result: {} });
  });

  test("a request nested too deep to be written again is answered with an error", async () => {
    await using mcp = startMcp();
    const nested = (levels: number) => `${"[".repeat(levels)}${"]".repeat(levels)}`;
    mcp.write(
      `{"id":"deep","method":"ping","params":${nested(500)}}\n{"id":"well","method":"ping","params":${nested(499)}}\n`,
    );
    await mcp.next(({ id }) => id === "well");
    expect(mcp.messages.map(({ id, error, result }) => ({ id, error, result }))).toEqual([
      { id: "deep", error: { code: -32600, message: "Invalid request: nested more than 500 levels deep" } },
      { id: "well", result: {} },
    ]);
  });

  test("empty lines, blanks around a message and CRLF are tolerated", async () => {
    await using mcp = startMcp();
    mcp.write('\n\r\n   {"jsonrpc":"2.0","id":1,"method":"ping"}  \n{"jsonrpc":"2.0","id":2,"method":"ping"}\r\n');
    await mcp.next(({ id }) => id === 2);
    expect(mcp.lines).toEqual(['{"id":1,"jsonrpc":"2.0","result":{}}', '{"id":2,"jsonrpc":"2.0","result":{}}']);
  });

  test("jsonrpc is not looked at", async () => {
    await using mcp = startMcp();
    mcp.write('{"id":1,"method":"ping"}\n{"jsonrpc":"1.0","id":2,"method":"ping"}\n');
    await mcp.next(({ id }) => id === 2);
    expect(mcp.messages.map(({ id, result }) => ({ id, result }))).toEqual([
      { id: 1, result: {} },
      { id: 2, result: {} },
    ]);
  });

  test("ids come back as the same token", async () => {
    await using mcp = startMcp();
    const ids = ["-7", "9007199254740993", '"4"', "123456789012345678901234567890", '"a\\u00e9\\n"'];
    for (const id of ids) mcp.write(`{"jsonrpc":"2.0","id":${id},"method":"ping"}\n`);
    await expect.poll(() => mcp.lines.length).toBe(ids.length);
    const back = ids.map((id) => (id === '"a\\u00e9\\n"' ? '"aé\\n"' : id));
    expect(mcp.lines).toEqual(back.map((id) => `{"id":${id},"jsonrpc":"2.0","result":{}}`));
  });

  test("an id beyond 2^53 is exact wherever it stands in the line, also in events, progress and a cancel", async () => {
    await using model = await fakeModel([say("x", { delayMs: 20_000 })]);
    await using mcp = startMcp({ model, config: fullAccess });
    const id = "9007199254740993";
    const params = `{"_meta":{"progressToken":9007199254740995},"name":"codex","arguments":{"prompt":"{\\"id\\":1}]"}}`;
    mcp.write(`{"params":${params},"jsonrpc":"2.0","method":"tools/call","id":${id}}\n`);
    await mcp.event("task_started");
    expect(mcp.lines.some((line) => line.includes(`"_meta":{"requestId":${id},`))).toBe(true);
    expect(mcp.lines.some((line) => line.includes('"progressToken":9007199254740995,'))).toBe(true);
    mcp.write(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":${id}}}\n`);
    await mcp.next(({ result }) => result !== undefined);
    expect(mcp.lines.at(-1)).toMatch(new RegExp(`^\\{"id":${id},"jsonrpc":"2.0","result":`));
  });

  test("bytes that are no UTF-8 are answered, and the next line is served", async () => {
    await using mcp = startMcp();
    mcp.write(new Uint8Array([0x7b, 0xff, 0xfe, 0x7d, 0x0a]));
    expect(await mcp.next(({ id }) => id === null)).toMatchObject({ error: { code: -32700 } });
    expect(await mcp.request("ping")).toMatchObject({ result: {} });
  });

  test("ping takes params of any kind", async () => {
    await using mcp = startMcp();
    for (const params of [[1], "str", {}, undefined]) expect((await mcp.request("ping", params)).result).toEqual({});
  });
});

describe("the end", () => {
  test("stdin closed while idle ends with status 0", async () => {
    const run = await runCodex(["mcp"], { stdin: "" });
    expect(run).toMatchObject({ exitCode: 0, stdout: "" });
  });

  test("stdin closed in a turn: the turn ends, its answer is written", async () => {
    await using model = await fakeModel([say("Ready.", { delayMs: 1500 })]);
    await using mcp = startMcp({ model, config: fullAccess });
    const answer = mcp.call("codex", { prompt: "hi" });
    await model.received(1);
    mcp.end();
    expect(textOf(await answer)).toBe("Ready.");
    expect((await mcp.ended()).exitCode).toBe(0);
  });

  test("a call written right before the end of stdin is served", async () => {
    await using model = await fakeModel([say("Ready.")]);
    const call = {
      jsonrpc: "2.0",
      id: 7,
      method: "tools/call",
      params: { name: "codex", arguments: { prompt: "hi" } },
    };
    const run = await runCodex(["mcp"], { model, config: fullAccess, stdin: `${JSON.stringify(call)}\n` });
    expect(run.exitCode).toBe(0);
    expect(JSON.parse(run.stdout.trim().split("\n").at(-1) ?? "")).toMatchObject({
      id: 7,
      result: { content: [{ text: "Ready." }] },
    });
  });

  test("a turn that outlasts the grace time is interrupted and answered", async () => {
    await using model = await fakeModel([say("Ready.", { delayMs: 60_000 })]);
    await using mcp = startMcp({ model, config: fullAccess, args: ["-c", "mcp.exit_grace_sec=0.3"] });
    const answer = mcp.call("codex", { prompt: "hi" });
    await model.received(1);
    mcp.end();
    expect((await answer).result).toMatchObject({ isError: true, error: " Turn interrupted" });
    expect((await mcp.ended()).exitCode).toBe(0);
  });

  test("stdin closed while a question is open ends it as denied", async () => {
    await using model = await fakeModel([callShell(["touch", "x"])]);
    await using mcp = startMcp({ model, config: untrusted });
    await mcp.initialize();
    const answer = mcp.call("codex", { prompt: "hi" });
    await mcp.asked("elicitation/create");
    mcp.end();
    expect((await answer).result).toMatchObject({ isError: true, error: " Turn interrupted" });
    expect(await mcp.ended()).toMatchObject({ exitCode: 0, files: {} });
  });

  test.each([
    ["SIGTERM", 143],
    ["SIGINT", 130],
    ["SIGHUP", 129],
  ] as const)(
    "%s in a turn kills its command with all it has started, answers and exits with %i",
    async (signal, status) => {
      await using model = await fakeModel([
        callShell(["bash", "-c", "sleep 60 & echo $$ $! > pids.tmp; mv pids.tmp pids; wait"], {
          args: { timeout_ms: 60_000 },
        }),
      ]);
      await using mcp = startMcp({ model, config: fullAccess });
      const answer = mcp.call("codex", { prompt: "hi" });
      await expect.poll(() => existsSync(path.join(mcp.codex.place.work, "pids"))).toBe(true);
      const pids = (mcp.codex.place.files()["pids"] ?? "").trim().split(" ").map(Number);
      mcp.codex.child.kill(signal);
      expect((await answer).result).toMatchObject({ isError: true });
      expect((await mcp.ended()).exitCode).toBe(status);
      await expect.poll(() => pids.filter(isAlive)).toEqual([]);
    },
  );
});

describe("the start", () => {
  test("a prompt of 3 MB and an answer of 2 MB pass on single lines", async () => {
    const [prompt, text] = ["p".repeat(3_000_000), "a".repeat(2_000_000)];
    await using model = await fakeModel([say(text)]);
    await using mcp = startMcp({ model, config: fullAccess });
    expect(textOf(await mcp.call("codex", { prompt }))).toBe(text);
    expect(inputOf(model, 1).at(-1)?.content?.at(-1)?.text).toBe(prompt);
  });

  test("logs go to stderr alone", async () => {
    await using model = await fakeModel([say("ok")]);
    await using mcp = startMcp({ model, config: fullAccess, env: { RUST_LOG: "debug" } });
    await mcp.call("codex", { prompt: "hi" });
    mcp.end();
    const run = await mcp.ended();
    expect(run.stderr).toContain("DEBUG");
    expect(mcp.lines.every((line) => line.startsWith("{"))).toBe(true);
  });

  test("an override without a value stops the start", async () => {
    const run = await runCodex(["mcp", "-c", "nonsense"], { keepStdinOpen: true });
    expect(run).toMatchObject({ exitCode: 1, stdout: "" });
    expect(run.stderr).toBe("Error: error parsing -c overrides: Invalid override (missing '='): nonsense\n");
  });

  test("a wrong value in config.toml stops the start", async () => {
    const run = await runCodex(["mcp"], { config: ['approval_policy = "maybe"'], keepStdinOpen: true });
    expect(run).toMatchObject({ exitCode: 1, stdout: "" });
    expect(run.stderr).toMatch(/^Error: error loading config: unknown variant `maybe`/);
  });

  test.each([["mcp-server"], ["mcp serve"]])("the server is also called %s", async (command) => {
    const stdin = '{"id":1,"method":"ping"}\n';
    const run = await runCodex(command.split(" "), { stdin });
    expect(run).toMatchObject({ exitCode: 0, stdout: '{"id":1,"jsonrpc":"2.0","result":{}}\n' });
  });
});
