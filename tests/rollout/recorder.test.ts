import {
  appendFileSync,
  linkSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { parseConversationId } from "../../src/protocol/conversation-id.ts";
import type { EventMsg } from "../../src/protocol/event.ts";
import { userMessage } from "../../src/protocol/response-item.ts";
import { RolloutRecorder } from "../../src/rollout/recorder.ts";
import { tempFolder } from "../config/temp-folder.ts";

const conversationId = parseConversationId("215545ef-351f-4b6e-8efd-9a4507b03950");
const timestamp = "2025-09-10T08:48:51.355Z";
const meta = {
  cwd: "/ws",
  originator: "codex_cli_rs",
  cli_version: "0.34.0",
  instructions: null,
  sandbox_backend: "none",
};

function options() {
  const problems: string[] = [];
  return { problems, now: () => new Date(timestamp), onProblem: (message: string) => void problems.push(message) };
}

/** As a reader of the file leaves them. */
function resume(file: string, given: ReturnType<typeof options>): RolloutRecorder {
  return RolloutRecorder.resume(file, { ...given, origin: statSync(file) });
}

function lines(file: string): readonly unknown[] {
  return readFileSync(file, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
}

test("the first line, then one line for each thing told", () => {
  const codexHome = tempFolder();
  const given = options();
  const git = { commit_hash: "c", branch: "main" };
  const recorder = RolloutRecorder.create({ codexHome, conversationId, meta: { ...meta, git }, ...given });
  recorder.recordItem(userMessage("hi\nthere"));
  recorder.recordEvent({ type: "user_message", message: "hi", kind: "plain" });
  recorder.recordEvent({ type: "task_started", model_context_window: null });
  recorder.recordTurnContext({
    cwd: "/ws",
    approval_policy: "never",
    sandbox_policy: { mode: "read-only" },
    model: "m",
    summary: "auto",
  });
  recorder.close();
  recorder.recordItem(userMessage("too late"));

  expect(readFileSync(recorder.path, "utf8").split("\n")[0]).toBe(
    `{"timestamp":"${timestamp}","type":"session_meta","payload":{"id":"${conversationId}","timestamp":"${timestamp}","cwd":"/ws","originator":"codex_cli_rs","cli_version":"0.34.0","instructions":null,"sandbox_backend":"none","git":{"commit_hash":"c","branch":"main"}}}`,
  );
  expect(lines(recorder.path).slice(1)).toEqual([
    { timestamp, type: "response_item", payload: userMessage("hi\nthere") },
    { timestamp, type: "event_msg", payload: { type: "user_message", message: "hi", kind: "plain" } },
    {
      timestamp,
      type: "turn_context",
      payload: {
        cwd: "/ws",
        approval_policy: "never",
        sandbox_policy: { mode: "read-only" },
        model: "m",
        summary: "auto",
      },
    },
  ]);
  expect(given.problems).toEqual([]);
});

test("the file is named after the local time and is for its owner alone", () => {
  const codexHome = path.join(tempFolder(), "not", "yet");
  const recorder = RolloutRecorder.create({ codexHome, conversationId, meta, ...options() });
  recorder.close();
  const start = new Date(timestamp);
  const local = new Date(start.getTime() - start.getTimezoneOffset() * 60_000).toISOString();
  const [day = "", time = ""] = local.slice(0, 19).split("T");
  const name = `rollout-${day}T${time.replaceAll(":", "-")}-${conversationId}.jsonl`;
  expect(recorder.path).toBe(path.join(codexHome, "sessions", ...day.split("-"), name));
  const modes = [recorder.path, path.dirname(recorder.path), path.join(codexHome, "sessions")].map(
    (file) => statSync(file).mode & 0o777,
  );
  expect(modes).toEqual([0o600, 0o700, 0o700]);
});

test.each<[event: EventMsg, isStored: boolean]>([
  [{ type: "user_message", message: "m", kind: "plain" }, true],
  [{ type: "agent_message", message: "m" }, true],
  [{ type: "agent_reasoning", text: "t" }, true],
  [{ type: "agent_reasoning_raw_content", text: "t" }, true],
  [{ type: "token_count", info: null }, true],
  [{ type: "agent_message_delta", delta: "d" }, false],
  [{ type: "error", message: "m" }, false],
  [{ type: "turn_diff", unified_diff: "d" }, false],
  [{ type: "task_complete", last_agent_message: null }, false],
  [{ type: "shutdown_complete" }, false],
])("of the events, $type is stored or not", (event, isStored) => {
  const recorder = RolloutRecorder.create({ codexHome: tempFolder(), conversationId, meta, ...options() });
  recorder.recordEvent(event);
  recorder.close();
  expect(lines(recorder.path).slice(1)).toEqual(isStored ? [{ timestamp, type: "event_msg", payload: event }] : []);
});

const line = '{"timestamp":"t","type":"response_item","payload":{}}';

test.each([
  ["whole", `${line}\n`, `${line}\n`],
  ["whole, but for the line's end", `${line}\n${line}`, `${line}\n${line}\n`],
  ["with a torn last line", `${line}\n{"timestamp":"20`, `${line}\n`],
  ["with a last line of null bytes", `${line}\n\0\0\0`, `${line}\n`],
  ["with a long torn line", `${line}\n{"x":"${"é".repeat(100_000)}`, `${line}\n`],
  ["with a long whole line", `${line}\n{"x":"${"é".repeat(100_000)}"}`, `${line}\n{"x":"${"é".repeat(100_000)}"}\n`],
  ["of one line", line, `${line}\n`],
  ["of one torn line, which is not ours to delete", "{", "{\n"],
  ["empty", "", ""],
])("going on with a file that is %s", (_, before, after) => {
  const given = options();
  const file = path.join(tempFolder({ "r.jsonl": before }), "r.jsonl");
  const recorder = resume(file, given);
  expect(readFileSync(file, "utf8")).toBe(after);
  recorder.recordItem(userMessage("hi"));
  recorder.close();
  expect(recorder.path).toBe(file);
  expect(readFileSync(file, "utf8").slice(after.length)).toBe(
    `${JSON.stringify({ timestamp, type: "response_item", payload: userMessage("hi") })}\n`,
  );
  expect(given.problems).toEqual([]);
});

test("another writer's lines are not overwritten", () => {
  const recorder = RolloutRecorder.create({ codexHome: tempFolder(), conversationId, meta, ...options() });
  appendFileSync(recorder.path, `${line}\n`);
  recorder.recordEvent({ type: "agent_message", message: "m" });
  recorder.close();
  expect(lines(recorder.path)).toHaveLength(3);
});

test("a sessions folder that cannot be made is told once, and nothing else happens", () => {
  const codexHome = tempFolder({ sessions: "" });
  const given = options();
  const recorder = RolloutRecorder.create({ codexHome, conversationId, meta, ...given });
  recorder.recordItem(userMessage("hi"));
  recorder.recordEvent({ type: "agent_message", message: "m" });
  recorder.close();
  expect(given.problems).toEqual([
    `This session is not recorded: cannot write "${recorder.path}": Not a directory (os error 20)`,
  ]);
});

test("a file to go on with that is gone is told once", () => {
  const given = options();
  const recorder = RolloutRecorder.resume("/nowhere/r.jsonl", { ...given, origin: { dev: 0, ino: 0 } });
  recorder.recordItem(userMessage("hi"));
  expect(given.problems).toEqual([
    'This session is not recorded: cannot write "/nowhere/r.jsonl": No such file or directory (os error 2)',
  ]);
});

test("what has taken the place of the file that was read is not written to", () => {
  const folder = tempFolder({ "r.jsonl": `${line}\n`, other: `${line}\n{"torn` });
  const [file, other] = [path.join(folder, "r.jsonl"), path.join(folder, "other")];
  const origin = statSync(file);
  renameSync(file, `${file}.read`);
  linkSync(other, file);
  const given = options();
  expect(() => RolloutRecorder.resume(file, { ...given, origin })).toThrow(
    `another file took the place of "${file}" while it was opened`,
  );
  expect(given.problems).toEqual([]);

  rmSync(file);
  symlinkSync(other, file);
  const recorder = RolloutRecorder.resume(file, { ...given, origin: statSync(other) });
  recorder.recordItem(userMessage("hi"));
  expect(given.problems).toEqual([
    `This session is not recorded: cannot write "${file}": Too many levels of symbolic links (os error 40)`,
  ]);
  expect(readFileSync(other, "utf8")).toBe(`${line}\n{"torn`);
});

test("a file of the same name is left alone", () => {
  const codexHome = tempFolder();
  const first = RolloutRecorder.create({ codexHome, conversationId, meta, ...options() });
  first.close();
  writeFileSync(first.path, "precious");
  const given = options();
  RolloutRecorder.create({ codexHome, conversationId, meta, ...given });
  expect(readFileSync(first.path, "utf8")).toBe("precious");
  expect(given.problems).toHaveLength(1);
});
