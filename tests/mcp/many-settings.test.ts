import { expect, test } from "vitest";
import { fakeModel, say } from "../support/fake-model.ts";
import { fullAccess, startMcp, textOf } from "../support/mcp-session.ts";

const refusal = "config holds more than 10000 keys and values; leave out what is not needed";
const many = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, at) => [`key${at}`, at]));

test.each<[string, () => object]>([
  ["keys", () => many(200_000)],
  ["keys of one table", () => ({ profiles: many(200_000) })],
  ["segments of one key", () => ({ [Array(200_000).fill("a").join(".")]: 1 })],
  ["elements of a list", () => ({ notify: Array(200_000).fill("a") })],
])("a config of too many %s is refused, and the server goes on", async (_, config) => {
  await using mcp = startMcp();
  const call = mcp.call("codex", { prompt: "x", config: config() });
  expect(textOf(await call)).toContain(refusal);
  expect((await mcp.request("ping")).result).toEqual({});
});

test("a config of ten thousand keys that nothing reads is taken", async () => {
  await using model = await fakeModel([say("done")]);
  await using mcp = startMcp({ model, config: fullAccess });
  expect(textOf(await mcp.call("codex", { prompt: "x", config: many(10_000) }))).toBe("done");
});
