import { execFileSync } from "node:child_process";
import { symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { callShell, callTool, fakeModel, say } from "../support/fake-model.ts";
import { inputOf } from "../support/requests.ts";
import { runCodex } from "../support/run-codex.ts";
import type { Workspace } from "../support/workspace.ts";

const key = "sk-marked-0123456789";
const keyed = { env: { MOCK_LOGIN: key }, provider: { env_key: "MOCK_LOGIN" } };
const link = (name: string, target: string) => (place: Workspace) => symlinkSync(target, path.join(place.work, name));

/** Everything a run leaves behind or says, beside the header that carries the key to its provider. */
function traces(
  run: Awaited<ReturnType<typeof runCodex>>,
  model: { readonly requests: readonly { readonly body: unknown }[] },
) {
  const bodies = model.requests.map((request) => JSON.stringify(request.body));
  return [run.stdout, run.stderr, JSON.stringify(run.files), JSON.stringify(run.homeFiles), ...bodies].join("\n");
}

describe("our own environment, which holds the keys", () => {
  test.each([
    ["moved", "*** Begin Patch\n*** Update File: env\n*** Move to: leak.txt\n@@\n+x\n*** End Patch"],
    ["deleted", "*** Begin Patch\n*** Delete File: env\n*** End Patch"],
  ])("is not %s by a patch", async (_, input) => {
    await using model = await fakeModel([callTool("apply_patch", { input }), say("done")]);
    const setup = link("env", "/proc/self/environ");
    const run = await runCodex(["exec", "--json", "--full-auto", "go"], { model, ...keyed, setup });
    expect(run.exitCode).toBe(0);
    expect(inputOf(model, 2).at(-1)?.output).toContain("not a regular file");
    expect(traces(run, model)).not.toContain(key);
  });

  test("is no image", async () => {
    await using model = await fakeModel([callTool("view_image", { path: "/proc/self/environ" }), say("done")]);
    const run = await runCodex(["exec", "--json", "go"], { model, ...keyed });
    expect(inputOf(model, 2).at(-1)?.output).toContain("not a regular file");
    expect(traces(run, model)).not.toContain(Buffer.from(key).toString("base64").slice(0, 16));
  });

  test("is no AGENTS.md", async () => {
    await using model = await fakeModel([say("done")]);
    const setup = link("AGENTS.md", "/proc/self/environ");
    const run = await runCodex(["exec", "go"], { model, ...keyed, setup });
    expect(run.exitCode).toBe(0);
    expect(traces(run, model)).not.toContain(key);
  });

  test("is not what a command can see of ours", async () => {
    const command = "cat /proc/$PPID/environ /proc/*/environ 2>/dev/null | tr '\\0' '\\n'; env";
    await using model = await fakeModel([callShell(["bash", "-c", command]), say("done")]);
    const run = await runCodex(["exec", "--json", "--full-auto", "go"], { model, ...keyed });
    expect(traces(run, model)).not.toContain(key);
  });
});

describe("a repository that wants us to wait", () => {
  test.each([
    ["AGENTS.md", "AGENTS.md"],
    [".git/HEAD", ".git/HEAD"],
    [".git/config", ".git/config"],
    [".git/packed-refs", ".git/packed-refs"],
  ])("is not waited for: a FIFO in place of %s", async (_, name) => {
    await using model = await fakeModel([say("done")]);
    const setup = (place: Workspace) => {
      execFileSync("rm", ["-f", path.join(place.work, name)]);
      execFileSync("mkfifo", [path.join(place.work, name)]);
    };
    const run = await runCodex(["exec", "go"], { model, setup });
    expect(run).toMatchObject({ exitCode: 0, stdout: "done\n" });
  });
});

describe("git of a hostile repository", () => {
  test("its fsmonitor, hooks and pager are never run by us", async () => {
    await using model = await fakeModel([say("done")]);
    const setup = (place: Workspace) => {
      const trap = path.join(place.root, "trap");
      writeFileSync(trap, `#!/bin/sh\ntouch '${place.work}/caught'\n`, { mode: 0o755 });
      const config = `[core]\n\tfsmonitor = ${trap}\n\tpager = ${trap}\n\thooksPath = ${place.root}\n`;
      writeFileSync(path.join(place.work, ".git/config"), config);
    };
    const run = await runCodex(["exec", "go"], { model, setup });
    expect(run).toMatchObject({ exitCode: 0, files: {} });
  });
});

test("an answer's file that is a FIFO nobody reads is refused, not waited for", async () => {
  await using model = await fakeModel([]);
  const setup = (place: Workspace) => void execFileSync("mkfifo", [path.join(place.work, "answer")]);
  const run = await runCodex(["exec", "-o", "answer", "go"], { model, setup });
  expect(run).toMatchObject({ exitCode: 1, stdout: "" });
  expect(run.stderr).toMatch(/^Error: Failed to write last message file "answer": /);
});

test("a provider of the user's without an address gets nothing sent anywhere", async () => {
  const configTables = ["[model_providers.mine]", 'name = "Mine"', 'baseurl = "http://x/v1"', 'env_key = "MY_KEY"'];
  const config = ['model_provider = "mine"'];
  const run = await runCodex(["exec", "go"], { config, configTables, env: { MY_KEY: "k" } });
  expect(run).toMatchObject({ exitCode: 1, stdout: "" });
  expect(run.stderr).toBe("Error: model_providers.mine has no base_url: set the address of its server\n");
});

test("a text is no image, and the run says so before anything is asked", async () => {
  await using model = await fakeModel([]);
  const run = await runCodex(["exec", "-i", "a.txt", "--", "go"], { model, files: { "a.txt": "hello" } });
  expect(run).toMatchObject({ exitCode: 1, stderr: 'Error: Cannot read image "a.txt": not an image\n' });
});

test.each([
  ["a prompt without exec", ["fix it"]],
  ["a typing error", ["exce", "go"]],
])("%s is an unknown command", async (_, args) => {
  const run = await runCodex(args);
  expect(run).toMatchObject({ exitCode: 2, stdout: "" });
  expect(run.stderr).toContain(`error: unknown command '${args[0]}'\nTo give it a task: codex exec "..."`);
});
