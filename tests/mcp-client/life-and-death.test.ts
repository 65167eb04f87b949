import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { startConversation } from "../support/conversation.ts";
import { callTool, fakeModel, say } from "../support/fake-model.ts";
import { runCodex, startCodex } from "../support/run-codex.ts";
import { fakeServer } from "./support.ts";

/** Ignores signals and the end of its input, and has a child; both pids stand in the file `pids`. */
const stubborn = fakeServer("tst", { behaviour: "stubborn", tools: ["never"] });

const pidsIn = (text: string | undefined) => (text ?? "").split(" ").map(Number);

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

async function areGone(pids: readonly number[]): Promise<void> {
  await expect.poll(() => pids.map(isAlive)).toEqual([false, false]);
}

describe.skipIf(process.platform !== "linux")("nothing of a server is left", () => {
  test("after the run, however little it wants to go", async () => {
    await using model = await fakeModel([say("done")]);
    const run = await runCodex(["exec", "go"], { model, configTables: [stubborn] });
    expect(run).toMatchObject({ exitCode: 0, stdout: "done\n" });
    const pids = pidsIn(run.files["pids"]);
    expect(pids).toHaveLength(2);
    expect(pids.map(isAlive)).toEqual([false, false]);
    expect(run.files["signal"]).toBe("SIGTERM"); // it had its chance
  });

  test.each(["SIGTERM", "SIGKILL"] as const)("after %s to us in the middle of a call", async (signal) => {
    await using model = await fakeModel([callTool("tst__never", {})]);
    const running = startCodex(["exec", "--json", "go"], { model, configTables: [stubborn] });
    await running.sees("mcp_tool_call_begin");
    const pids = pidsIn(readFileSync(path.join(running.place.work, "pids"), "utf8"));
    expect(pids.map(isAlive)).toEqual([true, true]);
    running.child.kill(signal);
    await running.finished();
    await areGone(pids);
  });

  test("after a start that took too long", async () => {
    const keys = { startup_timeout_ms: 1_000 };
    const server = fakeServer("tst", { behaviour: "stubborn silent", keys });
    await using conversation = await startConversation({ configTables: [server] });
    const { msg } = await conversation.next("error");
    expect(msg.message).toBe("MCP client for `tst` failed to start: request timed out");
    await areGone(pidsIn(conversation.place.files()["pids"])); // while the session lives on
  });
});

test("a server that ends with its input is not signalled", async () => {
  await using model = await fakeModel([say("done")]);
  const run = await runCodex(["exec", "go"], { model, configTables: [fakeServer("tst")] });
  expect(run.files["tst.log.end"]).toBe("0");
});

test.each([
  ["exec without servers", [], false],
  ["exec with one", [fakeServer("tst")], true],
] as const)("%s: the client is loaded only where it is needed", async (_, configTables, isLoaded) => {
  await using model = await fakeModel([say("done")]);
  const hook = `const fs = require("node:fs");
    const { readFileSync } = fs;
    fs.readFileSync = (file, ...rest) => {
      if (/connections\\.cjs$/.test(String(file))) fs.appendFileSync("loaded", "x");
      return readFileSync(file, ...rest);
    };
    require("node:module").syncBuiltinESMExports();`;
  const run = await runCodex(["exec", "go"], {
    model,
    configTables,
    files: { "hook.cjs": hook },
    env: { NODE_OPTIONS: "--require ./hook.cjs" },
  });
  expect(run.stdout).toBe("done\n");
  expect(existsSync(path.resolve(import.meta.dirname, "../../dist/connections.cjs"))).toBe(true);
  expect("loaded" in run.files).toBe(isLoaded);
});
