import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { callShell, fakeModel, say } from "../support/fake-model.ts";
import { install, installedBinary } from "../support/install.ts";
import { fullAccess, startMcp, textOf } from "../support/mcp-session.ts";
import { startProto } from "../support/proto-session.ts";

const replaced = "This program was replaced by another version while it ran; start it again.";

/** Options for a copy of the program, and its dist folder once it is there. */
function ownCopy(change: (dist: string) => void = () => {}) {
  const copy = { dist: "" };
  const setup = (place: Parameters<typeof install>[0]) => {
    copy.dist = install(place);
    change(copy.dist);
  };
  return { copy, options: { binary: installedBinary, setup } };
}

const awayIn = (dist: string, pack: string) => renameSync(path.join(dist, pack), path.join(dist, `${pack}.away`));
const backIn = (dist: string, pack: string) => renameSync(path.join(dist, `${pack}.away`), path.join(dist, pack));

test("a part of another build is refused in one sentence", async () => {
  const { options } = ownCopy((dist) => {
    const file = path.join(dist, "direct-methods.cjs");
    writeFileSync(file, readFileSync(file, "latin1").replace(/^\/\*[0-9a-f]{16}/, "/*0123456789abcdef"));
  });
  await using mcp = startMcp(options);
  await mcp.initialize();
  expect((await mcp.request("getUserAgent")).error?.message).toBe(`internal error: ${replaced}`);
  expect((await mcp.request("ping")).result).toEqual({});
});

test("a part that could not be loaded is loaded when it is there again", async () => {
  const { copy, options } = ownCopy((dist) => awayIn(dist, "direct-methods.cjs"));
  await using mcp = startMcp(options);
  await mcp.initialize();
  expect((await mcp.request("getUserAgent")).error?.message).toContain("ENOENT");
  backIn(copy.dist, "direct-methods.cjs");
  expect((await mcp.request("getUserAgent")).result).toHaveProperty("userAgent");
});

test("nor does it end a server that it fails to load what it will need", async () => {
  await using model = await fakeModel([say("done")]);
  const { copy, options } = ownCopy((dist) => awayIn(dist, "conversations.cjs"));
  await using mcp = startMcp({ ...options, model });
  await mcp.initialize();
  await mcp.codex.sees("cannot load what conversations need");
  expect((await mcp.call("codex", { prompt: "go" })).error?.message).toContain("ENOENT");
  backIn(copy.dist, "conversations.cjs");
  expect(textOf(await mcp.call("codex", { prompt: "go" }))).toBe("done");
});

const patch = "*** Begin Patch\n*** Add File: new\n+x\n*** End Patch";
const steps = () => [callShell(["true"]), callShell(["apply_patch", patch]), say("done")];

test("a server that has run for a moment survives its program", async () => {
  await using model = await fakeModel(steps());
  const { copy, options } = ownCopy();
  await using mcp = startMcp({ ...options, model, config: fullAccess, env: { CODEX_LOG: "debug" } });
  await mcp.initialize();
  await mcp.codex.sees("all of the program is in memory");
  rmSync(copy.dist, { recursive: true });
  expect(textOf(await mcp.call("codex", { prompt: "go" }))).toBe("done");
  expect((await mcp.request("getUserAgent")).result).toHaveProperty("userAgent");
  expect(mcp.codex.place.files()).toHaveProperty("new", "x\n");
});

test("so does a conversation over pipes", async () => {
  await using model = await fakeModel([...steps(), say("summary")]);
  const { copy, options } = ownCopy();
  await using proto = startProto({ ...options, model, config: fullAccess, env: { CODEX_LOG: "debug" } });
  await proto.codex.sees("all of the program is in memory");
  rmSync(copy.dist, { recursive: true });
  proto.input("go");
  expect((await proto.next("task_complete")).msg).toHaveProperty("last_agent_message", "done");
  proto.send({ type: "compact" });
  await proto.next("task_complete");
  expect(proto.codex.place.files()).toHaveProperty("new", "x\n");
});
