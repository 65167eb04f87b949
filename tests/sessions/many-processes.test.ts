import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import type { ResponseItem } from "../../src/protocol/response-item.ts";
import { callShell, fakeModel, type ScriptedStep, say } from "../support/fake-model.ts";
import { jsonLines, linesOf, sessionIdOf, sessionPlace, shape } from "./support.ts";

/** A command, then an answer that repeats the prompt: so each session shows whose it is. */
const echo: ScriptedStep = (request) => {
  const { input } = request.body as { readonly input: readonly ResponseItem[] };
  const at = input.findLastIndex((item) => item.type === "message" && item.role === "user");
  const prompt = input[at];
  const text =
    prompt?.type === "message" ? prompt.content.map((part) => ("text" in part ? part.text : "")).join("") : "";
  return at === input.length - 1 ? callShell(["bash", "-c", `echo ${text}`]) : say(`answer to ${text}`);
};

test("20 processes on one home at once: each session is whole and its own, and nobody fails", {
  timeout: 120_000,
}, async () => {
  await using model = await fakeModel([echo], { repeatLast: true, forgetful: true });
  using codex = sessionPlace({ model });
  await Promise.all(["kept-0", "kept-1", "kept-2"].map((name) => codex.run(["exec", name])));
  const kept = codex.rollouts().map(sessionIdOf);
  const history = '{"id":"h","op":{"type":"add_to_history","text":"a line of the history"}}\n';
  const task = (name: string) => `{"id":"1","op":{"type":"user_input","items":[{"type":"text","text":"${name}"}]}}\n`;
  const numbers = (count: number) => Array.from({ length: count }, (_, index) => index);
  const runs = await Promise.all([
    ...numbers(6).map((index) => codex.run(["exec", "--json", `exec-${index}`])),
    ...numbers(5).map((index) => codex.run(["proto"], { stdin: history + task(`proto-${index}`) })),
    ...kept.map((id, index) => codex.run(["exec", "resume", id, `again-${index}`])),
    ...numbers(2).map((index) => codex.run(["exec", "fork", kept[index] ?? "", `fork-${index}`])),
    ...numbers(3).map(() => codex.run(["sessions", "list", "--json"])),
    codex.run(["sessions", "export", "--json", kept[0] ?? ""]),
  ]);
  expect(runs).toHaveLength(20);
  expect(runs.map(({ exitCode, stderr }) => (exitCode === 0 ? "" : stderr))).toEqual(runs.map(() => ""));
  for (const { stdout } of runs.slice(16)) expect(() => jsonLines(stdout)).not.toThrow();

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
      ...numbers(6).map((index) => turn(`exec-${index}`)),
      ...numbers(5).map((index) => turn(`proto-${index}`)),
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
  expect(entries.map(({ text }) => text)).toEqual(numbers(5).map(() => "a line of the history"));
});
