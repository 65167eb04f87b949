import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import type { ResponseItem } from "../../src/protocol/response-item.ts";
import { callShell, fakeModel, type ScriptedStep, say } from "../support/fake-model.ts";
import { longBefore } from "../support/long-before.ts";
import { startMcp, textOf } from "../support/mcp-session.ts";
import { type Ended, jsonLines, linesOf, sessionIdOf, sessionPlace, shape } from "./support.ts";

/** A command, then an answer that repeats the prompt: so each session shows whose it is. */
const echo: ScriptedStep = (request) => {
  const { input } = request.body as { readonly input: readonly ResponseItem[] };
  const at = input.findLastIndex((item) => item.type === "message" && item.role === "user");
  const prompt = input[at];
  const text =
    prompt?.type === "message" ? prompt.content.map((part) => ("text" in part ? part.text : "")).join("") : "";
  return at === input.length - 1 ? callShell(["bash", "-c", `echo ${text}`]) : say(`answer to ${text}`);
};

const numbers = (count: number) => Array.from({ length: count }, (_, index) => index);
const op = (value: object) => `${JSON.stringify({ id: "1", op: value })}\n`;
const task = (text: string) => op({ type: "user_input", items: [{ type: "text", text }] });
/** Longer than a page, so that two of them written at once would not fit between each other. */
const historyText = (name: string, index: number) => `${name} ${index} ${"history ".repeat(1_000)}`;

/** A server on that home that runs a tool call and a conversation of the direct methods at once. */
async function mcp(home: string, name: string): Promise<Ended> {
  await using server = startMcp({ env: { CODEX_HOME: home } });
  await server.initialize();
  const called = server.call("codex", { prompt: `${name}-tool` });
  const { conversationId } = (await server.request("newConversation", {})).result;
  await server.request("addConversationListener", { conversationId });
  const items = [{ type: "text", data: { text: `${name}-direct` } }];
  await server.request("sendUserMessage", { conversationId, items });
  await server.next(({ method }) => method === "codex/event/task_complete");
  expect(textOf(await called)).toBe(`answer to ${name}-tool`);
  server.end();
  return await server.ended();
}

test("20 processes on one home at once: each session is whole and its own, and nobody fails", {
  timeout: 300_000,
}, async () => {
  await using model = await fakeModel([echo], { repeatLast: true, forgetful: true });
  using codex = sessionPlace({ model });
  await Promise.all(["kept-0", "kept-1", "kept-2"].map((name) => codex.run(["exec", name])));
  const kept = codex.rollouts().map(sessionIdOf);
  const history = (name: string) =>
    numbers(10).map((index) => op({ type: "add_to_history", text: historyText(name, index) }));
  const runs = await Promise.all([
    ...numbers(4).map((index) => codex.run(["exec", "--json", `exec-${index}`])),
    ...numbers(4)
      .map((index) => `proto-${index}`)
      .map((name) => codex.run(["proto"], { stdin: history(name).join("") + task(name) })),
    ...numbers(4).map((index) => mcp(codex.place.home, `mcp-${index}`)),
    ...kept.map((id, index) => codex.run(["exec", "resume", id, `again-${index}`])),
    ...numbers(2).map((index) => codex.run(["exec", "fork", kept[index] ?? "", `fork-${index}`])),
    ...numbers(2).map(() => codex.run(["sessions", "list", "--json"])),
    codex.run(["sessions", "export", "--json", kept[0] ?? ""]),
  ]);
  expect(runs).toHaveLength(20);
  expect(runs.map(({ exitCode, stderr }) => (exitCode === 0 ? "" : stderr))).toEqual(runs.map(() => ""));
  for (const { stdout } of runs.slice(17)) expect(() => jsonLines(stdout)).not.toThrow();

  const said = codex
    .rollouts()
    .filter((file) => file.includes("rollout-"))
    .map((file) => {
      const lines = linesOf(file);
      expect(lines[0]).toMatchObject({ type: "session_meta", payload: { id: sessionIdOf(file) } });
      const items = lines.flatMap(({ type, payload }) => (type === "response_item" ? [payload] : []));
      return shape(items)
        .filter((text) => /^(user|assistant): [^<]/.test(text))
        .join(", ");
    });
  const turn = (name: string) => `user: ${name}, assistant: answer to ${name}`;
  expect(said.sort()).toEqual(
    [
      ...numbers(4).flatMap((index) =>
        [`exec-${index}`, `proto-${index}`, `mcp-${index}-tool`, `mcp-${index}-direct`].map(turn),
      ),
      // Which of the first three is which, only its own lines tell.
      ...said.filter((text) => /kept/.test(text)),
    ].sort(),
  );
  const continued = said.filter((text) => /kept/.test(text));
  expect(continued).toHaveLength(5);
  for (const text of continued)
    expect(text).toMatch(
      // A copy holds what was on disk as it was made, which may be half of another process's turn.
      /^user: (kept-\d), assistant: answer to \1, (?:user: again-\d, (?:assistant: answer to again-\d, )?)?user: ((?:again|fork)-\d), assistant: answer to \2$/,
    );
  const entries = jsonLines(readFileSync(path.join(codex.place.home, "history.jsonl"), "utf8"));
  for (const name of numbers(4).map((index) => `proto-${index}`)) {
    const own = entries.flatMap(({ text }) => (String(text).startsWith(name) ? [text] : []));
    expect(own).toEqual(numbers(10).map((index) => historyText(name, index)));
  }
  expect(entries).toHaveLength(40);
});

test("a process that is stopped in the middle of its turn holds up no other one", async () => {
  await using model = await fakeModel([echo], { repeatLast: true, forgetful: true });
  using codex = sessionPlace({ model });
  const stopped = codex.start(["proto", "-s", "danger-full-access", "-a", "never"]);
  stopped.stdin.write(op({ type: "add_to_history", text: "stopped" }) + task("; sleep 900"));
  for await (const text of stopped.stdout) if (String(text).includes("exec_command_begin")) break;
  stopped.kill("SIGSTOP");
  const proto = op({ type: "add_to_history", text: "typed" }) + task("proto");
  const starts = [
    () => codex.run(["exec", "exec"]),
    () => codex.run(["proto"], { stdin: proto }),
    () => mcp(codex.place.home, "mcp"),
    () => codex.run(["sessions", "list", "--json"]),
  ];
  /** One after another: what they wait for can only be the one that is stopped. */
  for (const start of starts) expect((await longBefore(900_000, start)).exitCode).toBe(0);
  stopped.kill("SIGKILL");
});
