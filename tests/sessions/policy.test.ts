import { appendFileSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { fakeModel, say } from "../support/fake-model.ts";
import { type SessionPlace, sessionPlace } from "./support.ts";

const call = (id: number, name: string, args: object) =>
  `${JSON.stringify({ jsonrpc: "2.0", id, method: "tools/call", params: { name, arguments: args } })}\n`;

/** The settings of the last task of the only session, as its file has them. */
function lastPolicy(codex: SessionPlace): unknown {
  const lines = readFileSync(codex.rollout(), "utf8").trim().split("\n");
  const turn = lines.map((line) => JSON.parse(line)).findLast(({ type }) => type === "turn_context");
  return { approval: turn.payload.approval_policy, sandbox: turn.payload.sandbox_policy.mode };
}

const idOf = (file: string) => /([0-9a-f-]{36})\.jsonl$/.exec(file)?.[1] ?? "";

test("what a server was started with loosens no session of an earlier one", async () => {
  await using model = await fakeModel([say("one"), say("two")]);
  using codex = sessionPlace({ model });
  const strict = { prompt: "go", sandbox: "read-only", "approval-policy": "untrusted" };
  const loose = ["mcp", "-c", "approval_policy=never", "-c", "sandbox_mode=danger-full-access"];
  await codex.run(loose, { stdin: call(1, "codex", strict) });
  expect(lastPolicy(codex)).toEqual({ approval: "untrusted", sandbox: "read-only" });
  const reply = call(2, "codex-reply", { conversationId: idOf(codex.rollout()), prompt: "more" });
  const again = await codex.run(loose, { stdin: reply });
  expect(again.stdout).toContain('"text":"two"');
  expect(lastPolicy(codex)).toEqual({ approval: "untrusted", sandbox: "read-only" });
});

test("two calls that go on with one session of an earlier server are both answered", async () => {
  await using model = await fakeModel(Array.from({ length: 10 }, () => say("ok")));
  using codex = sessionPlace({ model });
  await codex.run(["exec", "one"]);
  const conversationId = idOf(codex.rollout());
  const reply = (id: number) => call(id, "codex-reply", { conversationId, prompt: `reply ${id}` });
  const others = Array.from({ length: 7 }, (_, index) => call(10 + index, "codex", { prompt: "other" }));
  const run = await codex.run(["mcp"], { stdin: reply(1) + others.join("") + reply(2) });
  const answers = run.stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line))
    .filter(({ id }) => id === 1 || id === 2);
  expect(answers.map(({ result }) => [result.isError ?? false, result.content[0].text])).toEqual([
    [false, "ok"],
    [false, "ok"],
  ]);
});

// As of a home below /tmp: commands could write config.toml there, too.
test("a session keeps its policy and its folder where commands may write to CODEX_HOME", async () => {
  await using model = await fakeModel([say("one"), say("two"), say("three")]);
  using codex = sessionPlace({ model });
  const cwd = path.dirname(codex.place.home);
  const started = await codex.run(["exec", "--skip-git-repo-check", "--full-auto", "one"], { cwd });
  expect(started.stderr).toContain("Commands may write");
  const resume = ["exec", "--skip-git-repo-check", "--json", "resume", "--last", "--all", "two"];
  const run = await codex.run(resume, { cwd: codex.place.work });
  expect(JSON.parse(run.stdout.split("\n")[0] ?? "")).toMatchObject({
    sandbox: "workspace-write [workdir, /tmp, $TMPDIR]",
    workdir: cwd,
  });
  const reply = call(2, "codex-reply", { conversationId: idOf(codex.rollout()), prompt: "three" });
  await codex.run(["mcp"], { stdin: reply });
  expect(lastPolicy(codex)).toEqual({ approval: "never", sandbox: "workspace-write" });
});

test("a policy that is not understood is the strictest", async () => {
  await using model = await fakeModel([say("one"), say("two")]);
  using codex = sessionPlace({ model, config: ['sandbox_mode = "danger-full-access"'] });
  await codex.run(["exec", "one"]);
  const payload = {
    cwd: codex.place.work,
    approval_policy: "never",
    sandbox_policy: { type: "read-only-v2" },
    model: 5,
  };
  appendFileSync(codex.rollout(), `${JSON.stringify({ timestamp: "", type: "turn_context", payload })}\n`);
  const run = await codex.run(["exec", "--json", "resume", "--last", "two"]);
  expect(JSON.parse(run.stdout.split("\n")[0] ?? "")).toMatchObject({ sandbox: "read-only" });
});
