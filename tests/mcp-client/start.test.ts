import { describe, expect, test } from "vitest";
import { startConversation } from "../support/conversation.ts";
import { callTool, fakeModel, say } from "../support/fake-model.ts";
import { longBefore } from "../support/long-before.ts";
import { runCodex } from "../support/run-codex.ts";
import { fakeServer, offeredNames, offeredTools, outputsIn, receivedBy, sdkServer, toolsIn } from "./support.ts";

/** A run of the binary with these servers and nothing to do. */
async function runWith(...configTables: readonly string[]) {
  await using model = await fakeModel([say("done")]);
  const run = await runCodex(["exec", "--json", "go"], { model, configTables });
  return { run, model };
}

const startErrors = (run: Awaited<ReturnType<typeof runWith>>["run"]) =>
  run.lines.filter((line) => line["id"] === "").map((line) => line["msg"]);

const failedStart = (name: string, cause: string) => ({
  type: "error",
  message: `MCP client for \`${name}\` failed to start: ${cause}`,
});

describe("the start of a server", () => {
  test("says who we are, and asks for the tools", async () => {
    const { run } = await runWith(fakeServer("tst"));
    expect(run.files["tst.log"]).toMatch(
      new RegExp(
        [
          String.raw`^{"id":1,"jsonrpc":"2\.0","method":"initialize","params":{"capabilities":{"elicitation":{}},"clientInfo":{"name":"codex-mcp-client","title":"Codex","version":"\d+\.\d+\.\d+"},"protocolVersion":"2025-06-18"}}`,
          String.raw`{"jsonrpc":"2\.0","method":"notifications/initialized"}`,
          String.raw`{"id":2,"jsonrpc":"2\.0","method":"tools/list"}\n$`,
        ].join("\n"),
      ),
    );
  });

  test("its tools follow ours, sorted by name, under names that the model API takes", async () => {
    const long = "l".repeat(70);
    const { model } = await runWith(fakeServer("b", { tools: ["two words", long] }), fakeServer("a", { tools: ["z"] }));
    const tools = toolsIn(model);
    expect(tools.map((tool) => ("name" in tool ? tool.name : ""))).toEqual([
      "shell",
      "view_image",
      "a__z",
      `b__${"l".repeat(21)}934d76edabf11e3d175b68fc9668f3f9f8e9ae1a`,
      "b__two_words",
    ]);
    expect(tools.at(-1)).toEqual({
      type: "function",
      name: "b__two_words",
      description: "does two words",
      strict: false,
      parameters: { type: "object", properties: {} },
    });
  });

  test("a tool is called by the name its server gave it", async () => {
    await using model = await fakeModel([callTool("tst__two_words", { msg: "yo" }), say("done")]);
    const configTables = [fakeServer("tst", { tools: ["two words"] })];
    const run = await runCodex(["exec", "--json", "go"], { model, configTables });
    expect(receivedBy(run, "tst").at(-1)?.params).toEqual({ arguments: { msg: "yo" }, name: "two words" });
    expect(outputsIn(model, 2)).toEqual(['[{"type":"text","text":"you said yo"}]']);
  });

  test("the official SDK's schema reaches the model cleaned", async () => {
    const { model } = await runWith(sdkServer("adder"));
    expect(offeredTools(model)).toEqual([
      {
        type: "function",
        name: "adder__add",
        description: "Adds two numbers.",
        strict: false,
        parameters: {
          type: "object",
          properties: { left: { type: "number" }, right: { type: "number" } },
          required: ["left"],
        },
      },
    ]);
  });

  test("all pages of its tools are read, each once", async () => {
    const pages = [["a"], ["b", "c"], ["d"]];
    const { run, model } = await runWith(fakeServer("tst", { pages }));
    expect(offeredNames(model)).toEqual(["tst__a", "tst__b", "tst__c", "tst__d"]);
    expect(receivedBy(run, "tst").map(({ params }) => params)).toEqual([
      expect.anything(),
      undefined,
      undefined,
      { cursor: "1" },
      { cursor: "2" },
    ]);
  });

  test("a list without an end is read until it repeats itself", async () => {
    const { run, model } = await runWith(fakeServer("tst", { pages: [["a"]], behaviour: "endless" }));
    expect(run.exitCode).toBe(0);
    expect(offeredNames(model)).toEqual(["tst__a"]);
  });

  test("of two tools with one name the first is offered", async () => {
    const echo = (description: string) => ({ name: "echo", description, inputSchema: {} });
    const tools = [echo("first"), echo("second"), { ...echo("third"), name: "ec ho" }, { ...echo("4"), name: "ec_ho" }];
    const { model } = await runWith(fakeServer("tst", { tools }));
    expect(offeredTools(model)).toMatchObject([
      { name: "tst__ec_ho", description: "third" },
      { name: "tst__echo", description: "first" },
    ]);
  });

  test("a tool without a name, a description or a schema does no harm", async () => {
    const { model } = await runWith(fakeServer("tst", { tools: [{ name: "bare" }, { inputSchema: {} }, { name: 5 }] }));
    expect(offeredTools(model)).toEqual([
      {
        type: "function",
        name: "tst__bare",
        description: "",
        strict: false,
        parameters: { type: "object", properties: {} },
      },
    ]);
  });

  test.each([
    [{ enabled_tools: ["a", "b"] }, ["tst__a", "tst__b"]],
    [{ disabled_tools: ["a"] }, ["tst__b", "tst__c"]],
    [{ enabled_tools: ["a", "b"], disabled_tools: ["a"] }, ["tst__b"]],
  ])("%j chooses among its tools", async (keys, names) => {
    const { model } = await runWith(fakeServer("tst", { tools: ["a", "b", "c"], keys }));
    expect(offeredNames(model)).toEqual(names);
  });

  test("it sees the listed variables, its own, and no credential", async () => {
    await using model = await fakeModel([callTool("tst__env", {}), say("done")]);
    const env = {
      OPENAI_API_KEY: "sk-1",
      CODEX_API_KEY: "sk-2",
      MY_KEY: "sk-3",
      LOGNAME: "me",
      SHELL: "/bin/sh",
      USER: "me",
      LC_ALL: "C",
      TMPDIR: "/tmp",
      __CF_USER_TEXT_ENCODING: "0",
    };
    const configTables = [fakeServer("tst", { tools: ["env"], env: { OWN: "1", TERM: "vt100" } })];
    const provider = { env_key: "MY_KEY" };
    await runCodex(["exec", "go"], { model, configTables, env, provider });
    const [{ text }] = JSON.parse(String(outputsIn(model, 2)[0]));
    const { FAKE_TOOLS: _, ...seen } = JSON.parse(text);
    const { OPENAI_API_KEY: _1, CODEX_API_KEY: _2, MY_KEY: _3, ...listed } = env;
    expect(seen).toEqual({
      ...listed,
      OWN: "1",
      TERM: "vt100",
      PATH: process.env["PATH"],
      HOME: expect.stringMatching(/\/user$/),
      LANG: "C.UTF-8",
      TZ: "UTC",
    });
  });

  test("it runs in the session's directory", async () => {
    await using model = await fakeModel([callTool("tst__where", {}), say("done")]);
    const configTables = [fakeServer("tst", { tools: ["where"] })];
    const options = { model, configTables, files: { "sub/file": "" } };
    const run = await runCodex(["exec", "-C", "sub", "go"], options);
    expect(outputsIn(model, 2)).toEqual([JSON.stringify([{ type: "text", text: `${run.work}/sub` }])]);
  });
});

describe("servers that cannot be started", () => {
  test("each is an error before the task, by name, and the others serve", async () => {
    const { run, model } = await runWith(
      fakeServer("slow", { behaviour: "silent", keys: { startup_timeout_ms: 300 } }),
      fakeServer("in valid"),
      fakeServer("refuses", { behaviour: "refuses" }),
      fakeServer("good"),
      "[mcp_servers.bad]\ncommand = 'no-such-program'",
      fakeServer("exits", { behaviour: "exits" }),
    );
    expect(run.exitCode).toBe(0);
    expect(startErrors(run)).toEqual([
      failedStart("bad", "No such file or directory (os error 2)"),
      failedStart("exits", "connection closed: the server exited with code 3"),
      failedStart("in valid", "invalid server name 'in valid': must match pattern ^[a-zA-Z0-9_-]+$"),
      failedStart("refuses", "server returned JSON-RPC error: code = -32000, message = not today"),
      failedStart("slow", "request timed out"),
    ]);
    expect(run.messages[5]).toMatchObject({ type: "task_started" });
    expect(offeredNames(model)).toEqual(["good__echo"]);
  });

  test("one that exits costs no time limit", async () => {
    const keys = { startup_timeout_ms: 900_000 };
    const { run } = await longBefore(900_000, () => runWith(fakeServer("exits", { behaviour: "exits", keys })));
    expect(startErrors(run)).toEqual([failedStart("exits", "connection closed: the server exited with code 3")]);
  });

  test("one that is required fails the run before anything is asked of the model", async () => {
    await using model = await fakeModel([]);
    const configTables = [fakeServer("exits", { behaviour: "exits", keys: { required: true } })];
    const run = await runCodex(["exec", "--json", "go"], { model, configTables });
    expect(run.exitCode).toBe(1);
    const cause = "connection closed: the server exited with code 3";
    expect(run.messages).toEqual([
      failedStart("exits", cause),
      { type: "task_started", model_context_window: null },
      { type: "error", message: `MCP server \`exits\` is required and did not start: ${cause}` },
    ]);
  });
});

test("servers start at the same time", async () => {
  // Each answers only after the other has been asked.
  const { run, model } = await runWith(
    fakeServer("a", { behaviour: "waits-for=b.log" }),
    fakeServer("b", { behaviour: "waits-for=a.log" }),
  );
  expect(startErrors(run)).toEqual([]);
  expect(offeredNames(model)).toEqual(["a__echo", "b__echo"]);
});

test("a server that takes its time delays neither the first event nor an interrupt", async () => {
  const keys = { startup_timeout_ms: 600_000 };
  const configTables = [fakeServer("silent", { behaviour: "silent", keys })];
  await using conversation = await startConversation({ configTables });
  conversation.input("go");
  conversation.submit({ type: "interrupt" });
  await conversation.next("turn_aborted");
  expect(conversation.events.map(({ msg }) => msg)).toEqual([
    { type: "task_started", model_context_window: expect.anything() },
    { type: "turn_aborted", reason: "interrupted" },
  ]);
});
