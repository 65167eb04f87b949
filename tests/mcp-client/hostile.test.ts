import { describe, expect, test } from "vitest";
import { fakeModel, type ModelStep, say } from "../support/fake-model.ts";
import { startMcp, textOf } from "../support/mcp-session.ts";
import { startProto } from "../support/proto-session.ts";
import { type RunOptions, runCodex } from "../support/run-codex.ts";
import { fakeServer, offeredNames, outputsIn } from "./support.ts";

/** One task on each face of the program, which says what came of it. */
const faces: readonly [name: string, run: (options: RunOptions) => Promise<unknown>][] = [
  ["exec", async (options) => (await runCodex(["exec", "go"], options)).exitCode],
  ["exec --json", async (options) => (await runCodex(["exec", "--json", "go"], options)).exitCode],
  [
    "exec --experimental-json",
    async (options) => (await runCodex(["exec", "--experimental-json", "go"], options)).exitCode,
  ],
  [
    "proto",
    async (options) => {
      await using proto = startProto(options);
      proto.input("go");
      await proto.next("task_complete");
      proto.end();
      return (await proto.ended()).exitCode;
    },
  ],
  [
    "mcp",
    async (options) => {
      await using mcp = startMcp(options);
      await mcp.initialize();
      expect(textOf(await mcp.call("codex", { prompt: "go" }))).toBe("done");
      mcp.end();
      return (await mcp.ended()).exitCode;
    },
  ],
];

const tools = ["echo", "odd-error", "deep"];
const failed = (tool: string) => `tool call error: tool call failed for \`tst/${tool}\``;

function callWith(tool: string, rawArgs: string): ModelStep {
  return { calls: [{ name: `tst__${tool}`, rawArgs }] };
}

function deepJson(levels: number): string {
  return `${'{"a":'.repeat(levels)}1${"}".repeat(levels)}`;
}

describe.each(faces)("%s outlives", (_, run) => {
  const inputs: readonly [what: string, step: ModelStep, output: string][] = [
    ["an error whose code and message are objects", callWith("odd-error", "{}"), failed("odd-error")],
    ["a result nested 20,000 deep", callWith("deep", "{}"), failed("deep")],
    ["arguments nested 6,000 deep", callWith("echo", deepJson(6000)), "err: nested more than 500 levels deep"],
  ];
  test.each(inputs)("%s: that call fails", async (_what, step, output) => {
    await using model = await fakeModel([step, say("done")]);
    expect(await run({ model, configTables: [fakeServer("tst", { tools })] })).toBe(0);
    expect(outputsIn(model, 2)).toEqual([output]);
  });

  test("a server that refuses to start with such an error: the others serve", async () => {
    await using model = await fakeModel([callWith("echo", '{"msg":"yo"}'), say("done")]);
    const configTables = [fakeServer("tst"), fakeServer("bad", { behaviour: "refuses-oddly" })];
    expect(await run({ model, configTables })).toBe(0);
    expect(offeredNames(model)).toEqual(["tst__echo"]);
  });
});

test("arguments nested 500 deep reach the server", async () => {
  await using model = await fakeModel([callWith("echo", deepJson(500)), say("done")]);
  const run = await runCodex(["exec", "--json", "go"], { model, configTables: [fakeServer("tst")] });
  expect(run.exitCode).toBe(0);
  expect(run.files["tst.log"]).toContain(deepJson(500));
});
