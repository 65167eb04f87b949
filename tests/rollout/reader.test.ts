import { constants } from "node:buffer";
import { linkSync, renameSync, rmSync, statSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { UserError } from "../../src/lib/errors.ts";
import { parseJson } from "../../src/lib/parse-json.ts";
import { parseConversationId } from "../../src/protocol/conversation-id.ts";
import type { EventMsg } from "../../src/protocol/event.ts";
import { type ResponseItem, userMessage } from "../../src/protocol/response-item.ts";
import { readRollout } from "../../src/rollout/reader.ts";
import { RolloutRecorder } from "../../src/rollout/recorder.ts";
import { linesOf } from "../../src/rollout/rollout-file.ts";
import { makePipe, tempFolder } from "../config/temp-folder.ts";

const id = "215545ef-351f-4b6e-8efd-9a4507b03950";

function typed(type: string, payload: unknown): string {
  return JSON.stringify({ timestamp: "2025-09-10T08:48:51.355Z", type, payload });
}

function read(...lines: readonly string[]) {
  const folder = tempFolder({ "r.jsonl": lines.map((line) => `${line}\n`).join("") });
  return readRollout(path.join(folder, "r.jsonl"));
}

const metaLine = typed("session_meta", {
  id,
  timestamp: "2025-09-10T08:48:51.348Z",
  cwd: "/ws",
  originator: "codex_cli_rs",
  cli_version: "0.34.0",
  instructions: "rules",
  git: {},
});

const items: readonly ResponseItem[] = [
  userMessage("hi"),
  {
    type: "message",
    role: "user",
    content: [
      { type: "input_text", text: "look" },
      { type: "input_image", image_url: "data:x" },
    ],
  },
  {
    type: "reasoning",
    summary: [{ type: "summary_text", text: "s" }],
    content: [{ type: "reasoning_text", text: "r" }],
    encrypted_content: "ENC",
  },
  { type: "reasoning", summary: [], content: null, encrypted_content: null },
  { type: "function_call", name: "shell", arguments: "{broken", call_id: "1" },
  { type: "function_call_output", call_id: "1", output: "out" },
  { type: "custom_tool_call", status: "completed", call_id: "2", name: "apply_patch", input: "p" },
  { type: "custom_tool_call_output", call_id: "2", output: "out" },
  {
    type: "local_shell_call",
    call_id: "3",
    status: "completed",
    action: { type: "exec", command: ["ls"], timeout_ms: 5, working_directory: "/w", env: { A: "1" }, user: null },
  },
  { type: "function_call_output", call_id: "3", output: "out" },
  { type: "message", role: "assistant", content: [{ type: "output_text", text: "done" }] },
];

const usage = {
  input_tokens: 100,
  cached_input_tokens: 10,
  output_tokens: 20,
  reasoning_output_tokens: 5,
  total_tokens: 120,
};

const events: readonly EventMsg[] = [
  { type: "user_message", message: "hi", kind: "plain", images: ["data:x"] },
  { type: "agent_reasoning", text: "s" },
  { type: "agent_reasoning_raw_content", text: "r" },
  { type: "token_count", info: null },
  { type: "token_count", info: { total_token_usage: usage, last_token_usage: usage, model_context_window: 1 } },
  { type: "agent_message", message: "done" },
];

test("what the recorder wrote is read back", () => {
  const recorder = RolloutRecorder.create({
    codexHome: tempFolder(),
    conversationId: parseConversationId(id),
    meta: { cwd: "/ws", originator: "o", cli_version: "0", instructions: null, sandbox_backend: "none" },
    now: () => new Date("2025-09-10T08:48:51.355Z"),
    onProblem: () => expect.unreachable(),
  });
  const lastTurn = {
    cwd: "/ws",
    approval_policy: "on-failure",
    sandbox_policy: {
      mode: "workspace-write",
      writable_roots: ["/a"],
      network_access: true,
      exclude_tmpdir_env_var: false,
      exclude_slash_tmp: true,
    },
    model: "m",
    effort: "low",
    summary: "none",
  } as const;
  recorder.recordTurnContext({ ...lastTurn, model: "before" });
  recorder.recordTurnContext(lastTurn);
  for (const event of events) recorder.recordEvent(event);
  for (const item of items) recorder.recordItem(item);
  recorder.close();
  expect(readRollout(recorder.path)).toEqual({
    conversationId: id,
    meta: { timestamp: "2025-09-10T08:48:51.355Z", cwd: "/ws", instructions: undefined },
    items,
    missing: [],
    events,
    lastTurn,
    skipped: 0,
    size: statSync(recorder.path).size,
    origin: { dev: statSync(recorder.path).dev, ino: statSync(recorder.path).ino },
  });
});

test("unknown types are passed over, damaged lines are counted", () => {
  const stored = read(
    metaLine,
    typed("novelty", { x: 1 }),
    typed("response_item", { type: "web_search_call", id: "ws" }),
    typed("response_item", { type: "function_call", name: "shell" }),
    typed("response_item", null),
    typed("event_msg", { type: "task_started" }),
    typed("event_msg", { type: "agent_message" }),
    typed("turn_context", { cwd: "/x" }),
    "",
    '{"timestamp":"2025',
    "[]",
    "null",
    typed("response_item", userMessage("hi")),
    '{"torn',
  );
  expect(stored).toEqual({
    conversationId: id,
    meta: { timestamp: "2025-09-10T08:48:51.348Z", cwd: "/ws", instructions: "rules" },
    items: [userMessage("hi")],
    missing: [],
    events: [],
    // What is not understood forbids: a later version may have meant something.
    lastTurn: {
      cwd: "/x",
      approval_policy: "untrusted",
      sandbox_policy: { mode: "read-only" },
      model: "",
      summary: "auto",
    },
    skipped: 4,
    size: expect.any(Number),
    origin: { dev: expect.any(Number), ino: expect.any(Number) },
  });
});

test("a file that ends behind a call gets its output, one whose call is damaged loses it", () => {
  const call = { type: "function_call", name: "shell", arguments: "{}", call_id: "1" };
  const stray = { type: "custom_tool_call_output", call_id: "lost", output: "x" };
  expect(read(metaLine, typed("response_item", stray), typed("response_item", call)).items).toEqual([
    call,
    { type: "function_call_output", call_id: "1", output: "aborted" },
  ]);
});

test.each<[name: string, stored: unknown, expected: ResponseItem | undefined]>([
  ["ids of the server", { ...userMessage("hi"), id: null }, userMessage("hi")],
  [
    "unknown parts of a message",
    { type: "message", role: "user", content: [{ type: "input_audio" }, { type: "input_text", text: "hi" }, 1] },
    userMessage("hi"),
  ],
  ["an unknown role", { type: "message", role: "tool", content: [] }, undefined],
  [
    "reasoning of few fields",
    {
      type: "reasoning",
      id: "rs_1",
      summary: [{ type: "summary_text", text: "s" }],
      content: [{ type: "text", text: "t" }],
    },
    { type: "reasoning", summary: [{ type: "summary_text", text: "s" }], content: null, encrypted_content: null },
  ],
])("an item of another version: %s", (_, stored, expected) => {
  expect(read(metaLine, typed("response_item", stored)).items).toEqual(expected === undefined ? [] : [expected]);
});

test("outputs of later versions are lists, and their shell calls may have no call id", () => {
  const action = { type: "exec", command: ["ls"], env: { A: 1, B: "2" } };
  expect(
    read(
      metaLine,
      typed("response_item", { type: "local_shell_call", id: "lsh_1", call_id: null, status: "completed", action }),
      typed("response_item", {
        type: "function_call_output",
        call_id: "lsh_1",
        output: [
          { type: "input_text", text: "a" },
          { type: "input_image", image_url: "x" },
          { type: "input_text", text: "b" },
        ],
      }),
    ).items,
  ).toEqual([
    {
      type: "local_shell_call",
      call_id: "lsh_1",
      status: "completed",
      action: { type: "exec", command: ["ls"], timeout_ms: null, working_directory: null, env: { B: "2" }, user: null },
    },
    { type: "function_call_output", call_id: "lsh_1", output: "a\nb" },
  ]);
});

test("events of other versions: no kind is plain, a broken count is 0", () => {
  expect(
    read(
      metaLine,
      typed("event_msg", { type: "user_message", message: "hi", images: [] }),
      typed("event_msg", { type: "token_count", info: { last_token_usage: { input_tokens: "x" } } }),
    ).events,
  ).toEqual([
    { type: "user_message", message: "hi", kind: "plain" },
    {
      type: "token_count",
      info: {
        total_token_usage: { ...zeroUsage },
        last_token_usage: { ...zeroUsage },
        model_context_window: null,
      },
    },
  ]);
});

const zeroUsage = {
  input_tokens: 0,
  cached_input_tokens: 0,
  output_tokens: 0,
  reasoning_output_tokens: 0,
  total_tokens: 0,
};

test.each([
  ["0.8", { id: id.toUpperCase(), timestamp: "2025-06-01T00:00:00.000Z", instructions: null }],
  ["0.29", { id, timestamp: "2025-06-01T00:00:00.000Z", instructions: null, git: { branch: "main" } }],
])("the bare lines of %s", (_, first) => {
  const stored = read(
    JSON.stringify(first),
    JSON.stringify({ record_type: "state", previous_response_id: "resp_1" }),
    JSON.stringify({ ...userMessage("hi"), id: null }),
    JSON.stringify({ record_type: "state" }),
    JSON.stringify({ type: "function_call", id: "fc", name: "shell", arguments: "{}", call_id: "1" }),
  );
  expect(stored).toEqual({
    conversationId: id,
    meta: { timestamp: "2025-06-01T00:00:00.000Z", cwd: undefined, instructions: undefined },
    items: [
      userMessage("hi"),
      { type: "function_call", name: "shell", arguments: "{}", call_id: "1" },
      { type: "function_call_output", call_id: "1", output: "aborted" },
    ],
    missing: [{ type: "function_call_output", call_id: "1", output: "aborted" }],
    events: [{ type: "user_message", message: "hi", kind: "plain" }],
    lastTurn: undefined,
    skipped: 0,
    size: expect.any(Number),
    origin: { dev: expect.any(Number), ino: expect.any(Number) },
  });
});

test("a compaction leaves what the user said and the summary, or the history that it names", () => {
  const answer = { type: "message", role: "assistant", content: [{ type: "output_text", text: "long" }] };
  const before = [metaLine, typed("response_item", userMessage("hi")), typed("response_item", answer)];
  const after = typed("response_item", userMessage("next"));
  const [bridge, ...rest] = read(...before, typed("compacted", { message: "short" }), after).items;
  expect(JSON.stringify(bridge)).toMatch(/hi.*short/);
  expect(rest).toEqual([userMessage("next")]);
  const replacement_history = [userMessage("all"), { type: "novelty" }];
  expect(read(...before, typed("compacted", { message: "", replacement_history }), after).items).toEqual([
    userMessage("all"),
    userMessage("next"),
  ]);
});

test("a forked session keeps its own id", () => {
  const other = typed("session_meta", { id: "00000000-0000-4000-8000-000000000000" });
  expect(read(metaLine, other).conversationId).toBe(id);
});

test("sandbox policies of later versions are named by type", () => {
  const context = { cwd: "/x", approval_policy: "never", model: "m", sandbox_policy: { type: "read-only" } };
  expect(read(metaLine, typed("turn_context", context)).lastTurn).toEqual({
    cwd: "/x",
    approval_policy: "never",
    sandbox_policy: { mode: "read-only" },
    model: "m",
    summary: "auto",
  });
});

test.each([
  ["an empty file", "", "empty session file"],
  ["a blank file", "\n \n", "empty session file"],
  ["text", "hello\n", "failed to parse conversation ID from rollout file"],
  ["items alone", `${JSON.stringify(userMessage("hi"))}\n`, "failed to parse conversation ID from rollout file"],
  [
    "an id that is none",
    `${typed("session_meta", { id: "x" })}\n`,
    "failed to parse conversation ID from rollout file",
  ],
])("%s holds no conversation", (_, content, message) => {
  const folder = tempFolder({ "r.jsonl": content });
  expect(() => readRollout(path.join(folder, "r.jsonl"))).toThrow(new UserError(message));
});

test("what cannot be read is refused in the system's words, and never waited for", () => {
  const folder = tempFolder();
  makePipe(path.join(folder, "pipe"));
  expect(() => readRollout(path.join(folder, "none"))).toThrow(new UserError("No such file or directory (os error 2)"));
  expect(() => readRollout(folder)).toThrow(new UserError("Is a directory (os error 21)"));
  expect(() => readRollout(path.join(folder, "pipe"))).toThrow(new UserError("not a regular file"));
  expect(() => readRollout("/dev/null")).toThrow(new UserError("not a regular file"));
});

test("another file under the same name, or a link in its place, is not taken for the one that was read", () => {
  const folder = tempFolder({ "r.jsonl": `${metaLine}\n`, other: `${metaLine}\n` });
  const [file, other] = [path.join(folder, "r.jsonl"), path.join(folder, "other")];
  const { origin } = readRollout(file);
  expect(readRollout(file, origin).conversationId).toBe(id);
  renameSync(file, `${file}.read`);
  linkSync(other, file);
  expect(() => readRollout(file, origin)).toThrow(`another file took the place of "${file}" while it was opened`);
  rmSync(file);
  symlinkSync(other, file);
  expect(() => readRollout(file)).toThrow("Too many levels of symbolic links (os error 40)");
});

test("a torn last line is no damage; it may even be whole", () => {
  const file = path.join(tempFolder(), "r.jsonl");
  const line = typed("response_item", userMessage("hi"));
  writeFileSync(file, `${metaLine}\n${line}\n{"timestamp":"20`);
  expect(readRollout(file)).toMatchObject({ skipped: 0, items: [userMessage("hi")] });
  writeFileSync(file, `${metaLine}\n{"torn\n${line}`);
  expect(readRollout(file)).toMatchObject({ skipped: 1, items: [userMessage("hi")] });
});

describe("answers that were shown", () => {
  const shown = (message: string) => typed("event_msg", { type: "agent_message", message });
  const said = (text: string) => ({ type: "message", role: "assistant", content: [{ type: "output_text", text }] });
  const item = (value: object) => typed("response_item", value);
  const hi = item(userMessage("hi"));
  test.each<[name: string, lines: readonly string[], expected: readonly object[], missing: number]>([
    ["with their item", [hi, shown("a"), item(said("a"))], [userMessage("hi"), said("a")], 0],
    ["without it", [hi, shown("a"), shown("b")], [userMessage("hi"), said("a"), said("b")], 2],
    [
      "the second without it",
      [hi, shown("a"), shown("b"), item(said("a"))],
      [userMessage("hi"), said("a"), said("b")],
      1,
    ],
    ["by an attempt that broke off", [hi, shown("x"), shown("a"), item(said("a"))], [userMessage("hi"), said("a")], 0],
    ["and given up for new input", [hi, shown("a"), hi], [userMessage("hi"), userMessage("hi")], 0],
    ["and are none of the model's", [hi, shown("Compact task completed")], [userMessage("hi")], 0],
  ])("%s", (_, lines, expected, missing) => {
    const stored = read(metaLine, ...lines);
    expect(stored.items).toEqual(expected);
    expect(stored.missing).toHaveLength(missing);
  });
});

test("a line that is longer than a string can be is a damaged one", () => {
  const content = Buffer.alloc(constants.MAX_STRING_LENGTH + 5);
  content.write("\n{}\n", content.length - 4);
  const lines = [...linesOf(content)].map(({ text, isTorn }) => ({ isJson: parseJson(text).ok, isTorn }));
  expect(lines).toEqual([
    { isJson: false, isTorn: false },
    { isJson: true, isTorn: false },
  ]);
});

test("a file of more than 1 GiB is refused before it is read", () => {
  const file = path.join(tempFolder({ "rollout.jsonl": "{}\n" }), "rollout.jsonl");
  truncateSync(file, 2 ** 30 + 1);
  expect(() => readRollout(file)).toThrow("larger than 1 GiB");
});
