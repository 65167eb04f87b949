import { execFileSync, spawn } from "node:child_process";
import {
  closeSync,
  constants,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, expect, onTestFinished, test } from "vitest";
import { UserError } from "../../src/lib/errors.ts";
import { Recorder, recordingClient } from "../../src/model/recording.ts";
import { Recording, replayClient } from "../../src/model/replay-client.ts";
import { callShell, fakeModel, say } from "../support/fake-model.ts";
import { ask, clientAt } from "./ask.ts";

const folder = mkdtempSync(path.join(os.tmpdir(), "codex-recording-"));
afterAll(() => rmSync(folder, { recursive: true }));

let files = 0;
function newFile(content?: string): string {
  files += 1;
  const file = path.join(folder, `${files}.jsonl`);
  if (content !== undefined) writeFileSync(file, content);
  return file;
}

const linesOf = (file: string) => readFileSync(file, "utf8").split("\n");
const shell = { type: "function", name: "shell", description: "", strict: false, parameters: {} } as const;

test.each(["responses", "chat"] as const)("what the %s wire said is said again, errors included", async (wireApi) => {
  await using model = await fakeModel([
    callShell(["ls"], { reasoning: "hm", text: "I look.", deltas: ["I ", "look."] }),
    { failed: { code: "rate_limit_exceeded", message: "try again in 1.5s" } },
    { status: 403, body: "no" },
    say("done"),
  ]);
  const file = newFile();
  const recorded = recordingClient(clientAt(model.url, { provider: { wireApi } }), new Recorder(file, []));
  const first = [await ask(recorded), await ask(recorded), await ask(recorded), await ask(recorded)];
  const replayed = replayClient(new Recording(file, []));
  expect([await ask(replayed), await ask(replayed), await ask(replayed), await ask(replayed)]).toEqual(first);
  expect(first.map(({ error }) => error === undefined)).toEqual([true, false, false, true]);
});

test("the file is for its owner and holds neither request nor credential nor address", async () => {
  await using model = await fakeModel([say("hi"), { status: 302, headers: { location: "http://secret.example/" } }]);
  const file = newFile();
  const credential = () => ({ kind: "api-key", token: "sk-secret", source: "" }) as const;
  const env = { API: "header-secret" };
  const provider = { envHttpHeaders: { "api-key": "API" }, queryParams: { sig: "query-secret" } };
  const client = recordingClient(clientAt(model.url, { credential, env, provider }), new Recorder(file, []));
  await ask(client, { instructions: "the instructions", tools: [shell, { type: "web_search" }] });
  await ask(client);
  const text = readFileSync(file, "utf8");
  for (const kept of ["secret", "Be brief", "instructions", "127.0.0.1", "Bearer"]) expect(text).not.toContain(kept);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(linesOf(file).slice(0, 3)).toEqual([
    '{"type":"recording","version":1}',
    '{"type":"request","request":1,"conversation":1,"model":"gpt-5","input_items":1,"tools":["shell","web_search"]}',
    '{"request":1,"type":"text_delta","delta":"hi"}',
  ]);
});

test("lines are written as the events come", async () => {
  await using model = await fakeModel([say("hi", { deltas: ["h", "i"], gapMs: 1 })]);
  const file = newFile();
  const client = recordingClient(clientAt(model.url), new Recorder(file, []));
  const { input, tools, ...rest } = {
    model: "m",
    instructions: "",
    input: [],
    tools: [],
    reasoning: undefined,
    verbosity: undefined,
  };
  for await (const [event] of client.stream({ ...rest, input, tools }, new AbortController().signal)) {
    expect(readFileSync(file, "utf8")).toContain(JSON.stringify({ request: 1, ...event }));
  }
});

test("conversations of one process share a file and get their own answers back", async () => {
  await using model = await fakeModel([say("a1"), say("b1"), say("a2")]);
  const file = newFile();
  const recorder = new Recorder(file, []);
  const [a, b] = [1, 2].map(() => recordingClient(clientAt(model.url), recorder));
  if (a === undefined || b === undefined) throw new Error("no clients");
  const said = [await ask(a), await ask(b), await ask(a)];
  const recording = new Recording(file, []);
  const [first, second] = [replayClient(recording), replayClient(recording)];
  expect([await ask(first), await ask(second), await ask(first)]).toEqual(said);
});

test("a replay that is asked more than was recorded says so", async () => {
  const file = newFile('{"type":"recording","version":1}\n{"type":"request"}\n{"type":"completed"}\n');
  const client = replayClient(new Recording(file, []));
  expect(await ask(client)).toEqual({
    events: [{ type: "completed", response_id: "", usage: null }],
    error: undefined,
  });
  expect((await ask(client)).error).toMatchObject({
    message: `The recording "${file}" has 1 answers for this conversation, but request 2 came.`,
    isRetryable: false,
  });
});

test("an answer that was cut off when it was recorded is no answer", async () => {
  const file = newFile(
    '{"type":"recording","version":1}\n{"type":"request"}\n{"type":"text_delta","delta":"x"}\n{"type":"te',
  );
  expect(await ask(replayClient(new Recording(file, [])))).toMatchObject({
    events: [{ delta: "x" }],
    error: { message: `The recording "${file}" breaks off in its answer to request 1.`, isRetryable: false },
  });
});

test("a replay stops when it is told to", async () => {
  const file = newFile('{"type":"recording","version":1}\n{"type":"request"}\n{"type":"completed"}\n');
  const reason = new Error("interrupted");
  expect((await ask(replayClient(new Recording(file, [])), {}, AbortSignal.abort(reason))).error).toBe(reason);
});

const header = '{"type":"recording","version":1}';
const begun = `${header}\n{"type":"request"}`;

test.each([
  ["", "line 1 should be the recording's first, but is empty"],
  ["{}\n", 'line 1 is not {"type":"recording",…}; is this a recording?'],
  ['{"type":"recording","version":2}\n', "line 1 has version 2; this program reads version 1"],
  [`${header}\nnot json\n`, "line 2 is not a JSON object"],
  [`${header}\n{"type":"completed"}\n`, "line 2 belongs to no request"],
  [`${begun}\n\n{"type":"text_delta"}\n`, 'line 4 is no event we know (type "text_delta"), or lacks a part'],
  [
    `${begun}\n{"type":"item","item":{"type":"hologram"}}\n`,
    'line 3 is no event we know (type "item"), or lacks a part',
  ],
  [`${begun}\n{"type":"error"}\n`, "line 3 is an error without a message"],
  [`${header}\n{"type":"request","request":1}\n{"type":"request","request":1}\n`, "line 3 begins request 1 again"],
])("a recording that cannot be read is told with its line: %j", (content, problem) => {
  const file = newFile(content);
  expect(() => new Recording(file, [])).toThrow(new UserError(`Cannot replay "${file}": ${problem}`));
});

test("files that cannot be opened are told", () => {
  const missing = path.join(folder, "no", "file");
  const cause = "No such file or directory (os error 2)";
  expect(() => new Recording(missing, [])).toThrow(new UserError(`Cannot read the recording "${missing}": ${cause}`));
  expect(() => new Recorder(missing, [])).toThrow(new UserError(`Cannot write the recording "${missing}": ${cause}`));
});

function newFifo(): string {
  const file = newFile();
  execFileSync("mkfifo", [file]);
  return file;
}

/** Keeps a FIFO open, so that it can be opened for writing; reads nothing. */
function holdOpen(fifo: string): void {
  const descriptor = openSync(fifo, constants.O_RDWR | constants.O_NONBLOCK);
  onTestFinished(() => closeSync(descriptor));
}

const longText = { type: "text_delta", delta: "x".repeat(1_000_000) } as const;

test("a pipe gets all of a long line, though it takes a part only at a time", async () => {
  const [fifo, copy] = [newFifo(), newFile()];
  holdOpen(fifo);
  // Late, so that the pipe is full before anything is taken from it.
  const reader = spawn("sh", ["-c", 'sleep 0.5; exec cat "$1" > "$2"', "sh", fifo, copy]);
  onTestFinished(() => void reader.kill());
  const recorder = new Recorder(fifo, []);
  recorder.addEvent(1, longText);
  const text = `${header}\n${JSON.stringify({ request: 1, ...longText })}\n`;
  await expect.poll(() => readFileSync(copy, "utf8") === text).toBe(true);
});

test("a pipe that nobody reads is not waited for, neither at the beginning nor later", () => {
  const fifo = newFifo();
  const problem = (cause: string) => new UserError(`Cannot write the recording "${fifo}": ${cause}`);
  expect(() => new Recorder(fifo, [])).toThrow(problem("No such device or address (os error 6)"));
  holdOpen(fifo);
  const recorder = new Recorder(fifo, []);
  expect(() => recorder.addEvent(1, longText)).toThrow(problem("its reader took nothing for 2 s"));
});

test("a recording that would never end is refused", () => {
  const large = newFile("");
  truncateSync(large, 3 * 1024 ** 3);
  for (const [file, problem] of [
    [newFifo(), "not a regular file"],
    ["/dev/zero", "not a regular file"],
    [large, "larger than 256 MiB"],
  ] as const) {
    expect(() => new Recording(file, [])).toThrow(new UserError(`Cannot read the recording "${file}": ${problem}`));
  }
});
