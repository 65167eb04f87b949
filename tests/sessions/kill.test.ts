import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { EventMsg } from "../../src/protocol/event.ts";
import type { ResponseItem } from "../../src/protocol/response-item.ts";
import { fakeModel, type ModelStep, type ScriptedStep, say } from "../support/fake-model.ts";
import { ended, jsonLines, linesOf, sessionIdOf, sessionPlace } from "./support.ts";

/** All 200 take about a minute on two cores: `CODEX_TEST_KILLS=200 npx vitest run tests/sessions/kill.test.ts`. */
const kills = Number(process.env["CODEX_TEST_KILLS"] ?? 24);
const seed = Number(process.env["CODEX_TEST_SEED"] ?? 1);
const parallel = 4;
/** Of the busy turn, from its first request on. */
const commands = 6;

const textOf = (item: ResponseItem) =>
  item.type === "message" ? item.content.map((part) => ("text" in part ? part.text : "")).join("") : "";

/** A turn of several messages, thoughts and commands, told by the request alone, so that any process can go on with it. */
const answerTo: ScriptedStep = (request): ModelStep => {
  const { input } = request.body as { readonly input: readonly ResponseItem[] };
  const prompt = input.findLastIndex((item) => item.type === "message" && item.role === "user");
  if (textOf(input[prompt] as ResponseItem) !== "be busy") return say("Gone on.");
  const done = input.slice(prompt).filter((item) => item.type === "function_call_output").length;
  const name = `step ${done}`;
  const thought = { reasoning: `**Think of ${name}**`, encrypted: `ENC${done}`, gapMs: 2 };
  if (done === commands) return { ...thought, text: "All done.", deltas: ["All ", "done."] };
  const command = ["bash", "-c", `echo "begin ${name}"; echo "end ${name}"`];
  return {
    ...thought,
    items: [{ type: "message", role: "assistant", content: [{ type: "output_text", text: `Now ${name}.` }] }],
    calls: [{ name: "shell", args: { command }, callId: `call_${done}` }],
  };
};

/** The same numbers in each run of a seed. */
function randomNumbers(start: number): () => number {
  let state = start;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

const op = (value: object) => `${JSON.stringify({ id: "1", op: value })}\n`;
const input = (text: string) => op({ type: "user_input", items: [{ type: "text", text }] });
const told = (stdout: string) => {
  const whole = stdout.slice(0, stdout.lastIndexOf("\n") + 1);
  return jsonLines(whole).map(({ msg }) => msg as EventMsg);
};

interface Killed {
  /** What the client had seen last; undefined: nothing. */
  readonly last: string | undefined;
  readonly problems: readonly string[];
}

/** What a client that has seen `seen` would miss in the session as it was found afterwards. */
function missing(
  seen: readonly EventMsg[],
  found: { readonly messages: readonly EventMsg[]; readonly items: readonly ResponseItem[] },
): readonly string[] {
  const { messages, items } = found;
  const outputs = (id: string) =>
    items.flatMap((item) => (item.type === "function_call_output" && item.call_id === id ? [item.output] : []));
  const isKept = (msg: EventMsg) => messages.some((kept) => JSON.stringify(kept) === JSON.stringify(msg));
  const isAnswer = (text: string) =>
    items.some((item) => item.type === "message" && item.role === "assistant" && textOf(item) === text);
  return seen.flatMap((msg) => {
    switch (msg.type) {
      case "task_started":
        return items.some((item) => textOf(item) === "be busy") ? [] : ["the prompt"];
      case "agent_message":
        return isKept(msg) && isAnswer(msg.message) ? [] : [`the message "${msg.message}"`];
      case "agent_reasoning":
      case "token_count":
        return isKept(msg) ? [] : [`${JSON.stringify(msg)}`];
      case "exec_command_begin":
        return outputs(msg.call_id).length === 1 ? [] : [`one output of ${msg.call_id}`];
      case "exec_command_end":
        return outputs(msg.call_id)[0]?.includes(JSON.stringify(msg.stdout).slice(1, -1))
          ? []
          : [`what ${msg.call_id} printed`];
      case "task_complete":
        return isAnswer(msg.last_agent_message ?? "") ? [] : ["the last message"];
      default:
        return [];
    }
  });
}

function unanswered(items: readonly ResponseItem[]): readonly string[] {
  return items.flatMap((item, index) => {
    if (item.type !== "function_call") return [];
    const next = items[index + 1];
    const isAnswered = next?.type === "function_call_output" && next.call_id === item.call_id;
    return isAnswered ? [] : [`the output of ${item.call_id} right behind it`];
  });
}

async function killAndResume(url: string, random: () => number): Promise<Killed> {
  using codex = sessionPlace({ model: { url } });
  const access = random() < 0.5 ? ["-s", "danger-full-access", "-a", "never"] : ["-a", "never"];
  const child = codex.start(["proto", ...access]);
  const run = ended(child);
  child.stdin.on("error", () => {}).write(input("be busy"));
  // Seldom before it has said anything; mostly some time after a line of its, at the moment or in the middle of the next.
  const lines = Math.floor(random() * 60);
  const afterMs = random() < 0.5 ? 0 : random() * 12;
  let count = 0;
  const kill = () => child.kill("SIGKILL");
  child.stdout.on("data", (text: string) => {
    count += text.split("\n").length - 1;
    if (count >= lines) setTimeout(kill, afterMs);
    if (text.includes('"task_complete"')) child.stdin.end();
  });
  if (lines === 0) setTimeout(kill, random() * 150);
  const seen = told((await run).stdout);
  const last = seen.at(-1)?.type;
  const [file] = codex.rollouts();
  if (file === undefined) return { last, problems: seen.length === 0 ? [] : ["the file"] };

  const more = op({ type: "get_history" }) + input("go on");
  const resumed = await codex.run(["proto", "--resume", sessionIdOf(file)], { stdin: more });
  const after = told(resumed.stdout);
  const first = after[0];
  if (first?.type !== "session_configured") {
    const isEmpty = readFileSync(file, "utf8") === ""; // killed between the file and its first line
    return { last, problems: isEmpty && seen.length === 0 ? [] : [`a readable file: ${resumed.stderr}`] };
  }
  const history = after.find((msg) => msg.type === "conversation_history");
  const items = history?.type === "conversation_history" ? history.entries : [];
  const messages = first.initial_messages ?? [];
  linesOf(file); // throws when one is not whole
  return {
    last,
    problems: [
      ...missing(seen, { messages, items }),
      ...unanswered(items),
      ...(after.some((msg) => msg.type === "task_complete" && msg.last_agent_message === "Gone on.")
        ? []
        : [`an answer: ${resumed.stdout}`]),
      ...(codex.rollouts().length === 1 ? [] : ["one file"]),
    ],
  };
}

test(`kill -9 at ${kills} random moments of a busy turn: nothing that was seen is missing, every call is answered`, {
  timeout: 120_000 + kills * 10_000,
}, async () => {
  await using model = await fakeModel([answerTo], { repeatLast: true, forgetful: true });
  const random = randomNumbers(seed);
  const results: Killed[] = [];
  let started = 0;
  const work = async () => {
    while (started < kills) {
      started += 1;
      results.push(await killAndResume(model.url, random));
    }
  };
  await Promise.all(Array.from({ length: parallel }, work));
  const moments: Record<string, number> = {};
  for (const { last = "nothing" } of results) moments[last] = (moments[last] ?? 0) + 1;
  expect(results.filter(({ problems }) => problems.length > 0)).toEqual([]);
  expect(results).toHaveLength(kills);
  // They fell all over the turn, not behind or before it.
  expect(Object.keys(moments).length, JSON.stringify(moments)).toBeGreaterThan(4);
});
