import {
  appendFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { makePipe } from "../config/temp-folder.ts";
import { callShell, callTool, fakeModel, say } from "../support/fake-model.ts";
import { inputOfRequest, jsonLines, linesOf, sessionIdOf, sessionPlace, shape } from "./support.ts";

const unknownId = "11111111-1111-4111-8111-111111111111";
const policies = (file: string) =>
  linesOf(file).flatMap(({ type, payload }) =>
    type === "turn_context" ? [[payload["approval_policy"], (payload["sandbox_policy"] as { mode: string }).mode]] : [],
  );

test("the same id, the same file, everything that was said, and usage that goes on", async () => {
  await using model = await fakeModel([
    { reasoning: "**Look**", encrypted: "ENC==", ...callShell(["bash", "-c", "echo hello"]) },
    say("First."),
    say("Second."),
    say("Third."),
  ]);
  using codex = sessionPlace({ model });
  await codex.run(["exec", "one"]);
  const file = codex.rollout();
  const before = readFileSync(file, "utf8");
  const id = sessionIdOf(file);
  const second = await codex.run(["exec", "--experimental-json", "resume", id, "two"]);
  expect(second).toMatchObject({ exitCode: 0, stderr: "" });
  const lines = jsonLines(second.stdout);
  expect(lines[0]).toEqual({ type: "thread.started", thread_id: id });
  expect(lines.at(-1)).toMatchObject({
    type: "turn.completed",
    usage: { input_tokens: 300 },
    last_usage: { input_tokens: 100 },
  });
  expect(shape(inputOfRequest(model, 3))).toEqual([
    "user: <environment>",
    "user: one",
    "reasoning",
    "function_call call_1",
    "function_call_output call_1: …",
    "assistant: First.",
    "user: two",
  ]);
  expect((inputOfRequest(model, 3) as unknown[]).slice(0, 5)).toEqual(inputOfRequest(model, 2));
  expect(model.requests[2]?.headers["session_id"]).toBe(id);
  const third = await codex.run(["exec", "resume", "--last"], { stdin: "three" });
  expect(third).toMatchObject({ exitCode: 0, stdout: "Third.\n" });
  expect(third.stderr).toContain(`session id: ${id}`);
  expect(codex.rollouts()).toEqual([file]);
  expect(readFileSync(file, "utf8").startsWith(before)).toBe(true);
  expect(linesOf(file).filter(({ type }) => type === "session_meta")).toHaveLength(1);
});

describe("what is not there is an error, never a new session", () => {
  test.each([
    ["an unknown id", ["exec", "resume", unknownId, "go"], 1, `Error: no rollout found for session id ${unknownId}`],
    ["a word that is no id", ["exec", "resume", "yesterday", "go"], 1, 'Error: Not a session id: "yesterday"'],
    ["no session at all", ["exec", "resume", "--last", "go"], 1, 'Error: There is no session of "'],
    ["none in any folder", ["exec", "resume", "--last", "--all", "go"], 1, "Error: There is no session in "],
    ["a fork of an unknown id", ["exec", "fork", unknownId, "go"], 1, "Error: no rollout found"],
    ["proto with an unknown id", ["proto", "--resume", unknownId], 1, "Error: no rollout found"],
    ["no id", ["exec", "resume"], 2, "error: missing session id"],
    ["an id beside --last", ["exec", "resume", "--last", unknownId, "go"], 2, "error: option '--last' cannot be used"],
    ["--last without resume", ["exec", "--last", "go"], 2, "error: option '--last' belongs to 'resume'"],
    ["--all without --last", ["exec", "resume", unknownId, "--all", "go"], 2, "error: option '--all' belongs to"],
  ])("%s", async (_, args, exitCode, message) => {
    await using model = await fakeModel([]);
    using codex = sessionPlace({ model });
    const run = await codex.run(args);
    expect(run).toMatchObject({ exitCode, stdout: "" });
    expect(run.stderr).toContain(message);
    expect(codex.rollouts()).toEqual([]);
  });

  test("--last is the session of this folder that was used last; --all lifts that", async () => {
    await using model = await fakeModel(["a", "b", "elsewhere", "2", "3", "4"].map((text) => say(text)));
    using codex = sessionPlace({ model, files: { "sub/x": "" } });
    await codex.run(["exec", "one"]);
    const first = codex.rollout();
    await codex.run(["exec", "two"]);
    await codex.run(["exec", "-C", "sub", "three"]);
    const last = async (...args: readonly string[]) => {
      const run = await codex.run(["exec", "--experimental-json", "resume", "--last", ...args, "go"]);
      return jsonLines(run.stdout)[0]?.["thread_id"];
    };
    await codex.run(["exec", "resume", sessionIdOf(first), "again"]);
    expect(await last()).toBe(sessionIdOf(first));
    const third = codex
      .rollouts()
      .find((file) => linesOf(file)[0]?.payload["cwd"] === path.join(codex.place.work, "sub"));
    appendFileSync(third ?? "", "\n");
    expect(await last("--all")).toBe(sessionIdOf(third ?? ""));
  });
});

test("every flag of exec on either side of the word", async () => {
  await using model = await fakeModel(Array.from({ length: 5 }, () => say("ok")));
  using codex = sessionPlace({ model, files: { "a.png": "not looked at closely" } });
  await codex.run(["exec", "one"]);
  const id = sessionIdOf(codex.rollout());
  const flags = [
    "-m",
    "o3",
    "--json",
    "--color",
    "never",
    "-o",
    "answer.txt",
    "--max-turns",
    "3",
    "--skip-git-repo-check",
  ];
  for (const args of [
    ["exec", ...flags, "resume", id, "go"],
    ["exec", "resume", ...flags, id, "go"],
    ["exec", "resume", id, "go", ...flags],
    ["exec", ...flags.slice(0, 3), "resume", "--last", ...flags.slice(3), "go"],
  ]) {
    rmSync(path.join(codex.place.work, "answer.txt"), { force: true });
    const run = await codex.run(args);
    expect(run.exitCode, run.stderr).toBe(0);
    expect(jsonLines(run.stdout)[0]).toMatchObject({ model: "o3", "session id": id });
    expect(readFileSync(path.join(codex.place.work, "answer.txt"), "utf8")).toBe("ok");
  }
});

test("an image before the word does not swallow it", async () => {
  const png = Buffer.from(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
    "base64",
  );
  await using model = await fakeModel([say("1"), say("2"), say("3"), say("4")]);
  using codex = sessionPlace({ model, files: { "a.png": png } });
  await codex.run(["exec", "one"]);
  const id = sessionIdOf(codex.rollout());
  expect(await codex.run(["exec", "-i", "a.png", "resume", id, "go"])).toMatchObject({ exitCode: 0, stdout: "2\n" });
  expect(await codex.run(["exec", "-i", "a.png", "resume", "--last", "go"])).toMatchObject({
    exitCode: 0,
    stdout: "3\n",
  });
  expect(await codex.run(["exec", "-i", "a.png", "fork", id], { stdin: "go" })).toMatchObject({
    exitCode: 0,
    stdout: "4\n",
  });
  expect(JSON.stringify(inputOfRequest(model, 4))).toContain("data:image/png");
});

describe("the session's own sandbox and approval policy", () => {
  const write = callShell(["bash", "-c", "echo x > made.txt"]);

  test("a read-only session stays it, although the configuration allows more now", async () => {
    await using model = await fakeModel([say("ok"), write, say("ok"), write, say("ok")]);
    using codex = sessionPlace({ model });
    await codex.run(["exec", "one"]);
    const config = path.join(codex.place.home, "config.toml");
    writeFileSync(config, `sandbox_mode = "danger-full-access"\n${readFileSync(config, "utf8")}`);
    const made = path.join(codex.place.work, "made.txt");
    expect(await codex.run(["exec", "resume", "--last", "two"])).toMatchObject({ exitCode: 0 });
    expect(existsSync(made)).toBe(false);
    expect(await codex.run(["exec", "resume", "--last", "-s", "workspace-write", "three"])).toMatchObject({
      exitCode: 0,
    });
    expect(existsSync(made)).toBe(true);
    expect(policies(codex.rollout())).toEqual([
      ["never", "read-only"],
      ["never", "read-only"],
      ["never", "workspace-write"],
    ]);
    expect(shape(inputOfRequest(model, 4)).slice(-2)).toEqual(["user: <environment>", "user: three"]);
    expect(JSON.stringify(inputOfRequest(model, 4))).toContain("<sandbox_mode>workspace-write</sandbox_mode>");
  });

  test("a session that may write still may, and a flag can forbid it", async () => {
    await using model = await fakeModel([say("ok"), write, say("ok"), write, say("ok")]);
    using codex = sessionPlace({ model });
    await codex.run(["exec", "--full-auto", "one"]);
    const made = path.join(codex.place.work, "made.txt");
    await codex.run(["exec", "resume", "--last", "two"]);
    expect(existsSync(made)).toBe(true);
    rmSync(made);
    await codex.run(["exec", "resume", "--last", "-c", "sandbox_mode=read-only", "three"]);
    expect(existsSync(made)).toBe(false);
  });

  test("an untrusted session of proto: exec has nobody to ask, so the command is not run; proto asks again", async () => {
    await using model = await fakeModel([say("ok"), write, say("ok"), write, say("ok")]);
    using codex = sessionPlace({ model });
    const task = '{"id":"1","op":{"type":"user_input","items":[{"type":"text","text":"go"}]}}\n';
    await codex.run(["proto", "-s", "workspace-write", "-a", "untrusted"], { stdin: task });
    const resumed = await codex.run(["exec", "--json", "resume", "--last", "go on"]);
    expect(jsonLines(resumed.stdout)[0]).toMatchObject({
      approval: "untrusted",
      sandbox: expect.stringContaining("workspace-write"),
    });
    expect(JSON.stringify(inputOfRequest(model, 3))).toContain("exec command rejected by user");
    const asked = await codex.run(["proto", "--last"], { stdin: task });
    expect(asked.stdout).toContain('"type":"exec_approval_request"');
    expect(existsSync(path.join(codex.place.work, "made.txt"))).toBe(false);
  });

  test("where nobody can be asked the model is told never, and the session keeps its policy", async () => {
    await using model = await fakeModel([say("ok"), say("ok"), say("ok")]);
    using codex = sessionPlace({ model });
    const task = '{"id":"1","op":{"type":"user_input","items":[{"type":"text","text":"go"}]}}\n';
    await codex.run(["proto", "-a", "on-failure"], { stdin: task });
    const resumed = await codex.run(["exec", "--json", "resume", "--last", "go on"]);
    expect(jsonLines(resumed.stdout)[0]).toMatchObject({ approval: "never" });
    await codex.run(["proto", "--last"], { stdin: task });
    expect(policies(codex.rollout())).toEqual([
      ["on-failure", "read-only"],
      ["never", "read-only"],
      ["on-failure", "read-only"],
    ]);
  });

  test("a task's own settings are not the session's, a changed policy is, also when no task followed", async () => {
    await using model = await fakeModel([say("ok"), say("ok"), say("ok")]);
    using codex = sessionPlace({ model });
    const text = { type: "text", text: "go" };
    const op = (value: object) => `${JSON.stringify({ id: "1", op: value })}\n`;
    const turn = {
      type: "user_turn",
      items: [text],
      cwd: codex.place.work,
      approval_policy: "never",
      sandbox_policy: { mode: "danger-full-access" },
      model: "o3",
      effort: "low",
      summary: "auto",
    };
    await codex.run(["proto"], { stdin: op(turn) });
    const first = await codex.run(["exec", "--json", "resume", "--last", "go"]);
    expect(jsonLines(first.stdout)[0]).toMatchObject({ sandbox: "read-only" });
    const sandbox_policy = { mode: "workspace-write" };
    await codex.run(["proto", "--last"], { stdin: op({ type: "override_turn_context", sandbox_policy }) });
    const second = await codex.run(["exec", "--json", "resume", "--last", "go"]);
    expect(jsonLines(second.stdout)[0]).toMatchObject({ sandbox: expect.stringContaining("workspace-write") });
  });

  test("a file from elsewhere can forbid, and allow nothing", async () => {
    await using model = await fakeModel([say("ok"), say("ok"), say("ok")]);
    using codex = sessionPlace({ model });
    await codex.run(["exec", "--yolo", "one"]);
    const foreign = path.join(codex.place.work, "rollout.jsonl");
    renameSync(codex.rollout(), foreign);
    const run = await codex.run(["exec", "--json", "-c", `experimental_resume=${foreign}`, "two"]);
    expect(jsonLines(run.stdout)[0]).toMatchObject({ sandbox: "read-only" });
    const looser = await codex.run(["exec", "--json", "--yolo", "-c", `experimental_resume=${foreign}`, "three"]);
    expect(jsonLines(looser.stdout)[0]).toMatchObject({ sandbox: "danger-full-access" });
  });
});

describe("the folder", () => {
  test("is the session's own, unless -C names another one", async () => {
    await using model = await fakeModel([say("ok"), say("ok"), say("ok")]);
    using codex = sessionPlace({ model, files: { "sub/x": "" } });
    await codex.run(["exec", "one"]);
    const id = sessionIdOf(codex.rollout());
    const outside = path.join(codex.place.root, "user");
    const resumed = await codex.run(["exec", "--json", "resume", id, "two"], { cwd: outside });
    expect(jsonLines(resumed.stdout)[0]).toMatchObject({ workdir: codex.place.work });
    expect(shape(inputOfRequest(model, 2)).filter((item) => item === "user: <environment>")).toHaveLength(1);
    const moved = await codex.run(["exec", "--json", "resume", id, "-C", "sub", "three"]);
    expect(jsonLines(moved.stdout)[0]).toMatchObject({ workdir: path.join(codex.place.work, "sub") });
    expect(JSON.stringify(inputOfRequest(model, 3))).toContain(`<cwd>${path.join(codex.place.work, "sub")}</cwd>`);
  });

  test("that is gone is told, and the run goes on where it was started", async () => {
    await using model = await fakeModel([say("ok"), say("ok")]);
    using codex = sessionPlace({ model, files: { "sub/x": "" } });
    await codex.run(["exec", "-C", "sub", "one"]);
    const sub = path.join(codex.place.work, "sub");
    rmSync(sub, { recursive: true });
    const run = await codex.run(["exec", "--json", "resume", sessionIdOf(codex.rollout()), "two"]);
    expect(run.stderr).toBe(`Warning: The session's folder "${sub}" is gone: it goes on in "${codex.place.work}".\n`);
    expect(jsonLines(run.stdout)[0]).toMatchObject({ workdir: codex.place.work });
  });
});

test("a fork has a new id and file, and the first session does not see it", async () => {
  await using model = await fakeModel([
    callTool("update_plan", { plan: [] }),
    say("First."),
    say("Forked."),
    say("Second."),
  ]);
  using codex = sessionPlace({ model });
  await codex.run(["exec", "one"]);
  const original = codex.rollout();
  const before = readFileSync(original, "utf8");
  const fork = await codex.run(["exec", "--experimental-json", "fork", sessionIdOf(original), "two"]);
  const id = String(jsonLines(fork.stdout)[0]?.["thread_id"]);
  expect(id).not.toBe(sessionIdOf(original));
  expect(readFileSync(original, "utf8")).toBe(before);
  expect(shape(inputOfRequest(model, 3)).slice(1)).toEqual([
    "user: one",
    "function_call call_1",
    "function_call_output call_1: …",
    "assistant: First.",
    "user: two",
  ]);
  const [meta, ...rest] = linesOf(codex.rollout(id));
  expect(meta).toMatchObject({ type: "session_meta", payload: { id, forked_from_id: sessionIdOf(original) } });
  expect(rest.slice(0, linesOf(original).length - 1)).toEqual(linesOf(original).slice(1));
  const again = await codex.run(["exec", "resume", sessionIdOf(original), "three"]);
  expect(again.stdout).toBe("Second.\n");
  expect(shape(inputOfRequest(model, 4))).not.toContain("user: two");
});

test("--ephemeral goes on without a trace", async () => {
  await using model = await fakeModel([say("First."), say("Second."), say("Third.")]);
  using codex = sessionPlace({ model });
  await codex.run(["exec", "one"]);
  const file = codex.rollout();
  const before = { text: readFileSync(file, "utf8"), mtime: statSync(file).mtimeMs };
  expect(await codex.run(["exec", "--ephemeral", "resume", "--last", "two"])).toMatchObject({
    exitCode: 0,
    stdout: "Second.\n",
  });
  expect(await codex.run(["exec", "--ephemeral", "fork", sessionIdOf(file), "x"])).toMatchObject({ exitCode: 0 });
  expect({ text: readFileSync(file, "utf8"), mtime: statSync(file).mtimeMs }).toEqual(before);
  expect(codex.rollouts()).toEqual([file]);
});

describe("damage", () => {
  const torn = '{"timestamp":"2025-09-10T08:48:51.355Z","type":"response_item","payl';

  test("a torn last line is cut off, the call before it answered behind it and on disk", async () => {
    await using model = await fakeModel([
      callShell(["bash", "-c", "echo hello"]),
      say("ok"),
      say("Second."),
      say("Third."),
    ]);
    using codex = sessionPlace({ model });
    await codex.run(["exec", "one"]);
    const file = codex.rollout();
    const lines = readFileSync(file, "utf8").split("\n");
    const call = lines.findIndex((line) => line.includes('"type":"function_call"'));
    writeFileSync(file, `${lines.slice(0, call + 1).join("\n")}\n${torn}`);
    const run = await codex.run(["exec", "resume", "--last", "two"]);
    expect(run).toMatchObject({ exitCode: 0, stdout: "Second.\n" });
    expect(run.stderr).not.toContain("Warning");
    expect(shape(inputOfRequest(model, 3)).slice(1)).toEqual([
      "user: one",
      "function_call call_1",
      "function_call_output call_1: aborted",
      "user: two",
    ]);
    expect(linesOf(file)[call + 1]?.payload).toEqual({
      type: "function_call_output",
      call_id: "call_1",
      output: "aborted",
    });
    await codex.run(["exec", "resume", "--last", "three"]);
    expect(shape(inputOfRequest(model, 4)).filter((item) => item.includes("call_1"))).toHaveLength(2);
  });

  test("damaged lines in the middle are passed over with one warning that counts them", async () => {
    await using model = await fakeModel([say("First."), say("Second."), say("Third.")]);
    using codex = sessionPlace({ model });
    await codex.run(["exec", "one"]);
    const file = codex.rollout();
    appendFileSync(file, `${torn}\n\0\0\0\0\n`);
    const run = await codex.run(["exec", "resume", "--last", "two"]);
    expect(run).toMatchObject({ exitCode: 0, stdout: "Second.\n" });
    expect(run.stderr.match(/^Warning: .*$/gm)).toEqual([`Warning: 2 damaged lines of "${file}" passed over.`]);
    expect(shape(inputOfRequest(model, 2)).slice(1)).toEqual(["user: one", "assistant: First.", "user: two"]);
  });

  test("a line that is nested too deep to be written again counts as damaged, for every command", async () => {
    await using model = await fakeModel([say("First."), say("Second."), say("Third.")]);
    using codex = sessionPlace({ model });
    await codex.run(["exec", "one"]);
    const file = codex.rollout();
    const output = `${'{"a":'.repeat(100_000)}1${"}".repeat(100_000)}`;
    const item = `{"type":"function_call_output","call_id":"c","output":${output}}`;
    appendFileSync(file, `{"timestamp":"x","type":"response_item","payload":${item}}\n`);
    const [id = ""] = /[0-9a-f]{8}-[-0-9a-f]{27}/.exec(file) ?? [];
    const shown = await codex.run(["sessions", "show", id]);
    expect(shown).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("damaged lines: 1") });
    const exported = await codex.run(["sessions", "export", id, "--json"]);
    expect(JSON.parse(exported.stdout)).toMatchObject({ damagedLines: 1 });
    expect(await codex.run(["exec", "fork", id, "two"])).toMatchObject({ exitCode: 0, stdout: "Second.\n" });
    expect(await codex.run(["exec", "resume", id, "three"])).toMatchObject({ exitCode: 0, stdout: "Third.\n" });
  });

  test("an answer that was shown, and whose item a crash kept from the file, is not forgotten", async () => {
    await using model = await fakeModel([say("First."), say("Second."), say("Third.")]);
    using codex = sessionPlace({ model });
    await codex.run(["exec", "one"]);
    const file = codex.rollout();
    const text = readFileSync(file, "utf8");
    truncateSync(file, text.indexOf("\n", text.indexOf('"agent_message"')) + 1);
    for (const prompt of ["two", "three"]) await codex.run(["exec", "resume", "--last", prompt]);
    expect(shape(inputOfRequest(model, 3)).slice(1)).toEqual([
      "user: one",
      "assistant: First.",
      "user: two",
      "assistant: Second.",
      "user: three",
    ]);
  });

  test.each([
    ["missing", undefined, "No such file or directory (os error 2)"],
    ["empty", "", "empty session file"],
    ["not JSON", "hello\nworld", "failed to parse conversation ID from rollout file"],
    ["a folder", null, "Is a directory (os error 21)"],
  ])("a file that is %s is an error, and stays as it is", async (_, content, message) => {
    await using model = await fakeModel([]);
    using codex = sessionPlace({ model });
    const file = path.join(codex.place.work, "r.jsonl");
    if (content === null) mkdirSync(file);
    else if (content !== undefined) writeFileSync(file, content);
    const stderr = `Error: Cannot go on with experimental_resume = "${file}": ${message}\n`;
    for (const args of [["exec", "go"], ["proto"]]) {
      const run = await codex.run([...args, "-c", `experimental_resume=${file}`]);
      expect(run).toMatchObject({ exitCode: 1, stdout: "", stderr });
    }
    if (typeof content === "string") expect(readFileSync(file, "utf8")).toBe(content);
    expect(codex.rollouts()).toEqual([]);
  });
});

test("a link leads to the session it names; a pipe and a device are refused and not waited for", async () => {
  await using model = await fakeModel([say("First."), say("Second.")]);
  using codex = sessionPlace({ model });
  await codex.run(["exec", "one"]);
  const file = codex.rollout();
  const given = path.join(codex.place.work, "given");
  const resume = () => codex.run(["exec", "-c", `experimental_resume=${given}`, "two"]);
  const stderr = `Error: Cannot go on with experimental_resume = "${given}": not a regular file\n`;
  symlinkSync(file, given);
  expect(await resume()).toMatchObject({ exitCode: 0, stdout: "Second.\n" });
  expect(lstatSync(given).isSymbolicLink()).toBe(true);
  expect(JSON.stringify(linesOf(file))).toContain("Second.");
  rmSync(given);
  makePipe(given);
  expect(await resume()).toMatchObject({ exitCode: 1, stderr });
  rmSync(given);
  symlinkSync("/dev/zero", given);
  expect(await resume()).toMatchObject({ exitCode: 1, stderr });
});

test.runIf(process.platform === "linux")("a session that another process has is refused, its copy is not", async () => {
  await using model = await fakeModel([say("ok"), say("Forked."), say("Later.")]);
  using codex = sessionPlace({ model });
  const proto = codex.start(["proto"]);
  const answered = new Promise((resolve) => {
    proto.stdout.on("data", (text) => String(text).includes("task_complete") && resolve(undefined));
  });
  proto.stdin.write('{"id":"1","op":{"type":"user_input","items":[{"type":"text","text":"go"}]}}\n');
  await answered;
  const file = codex.rollout();
  const id = sessionIdOf(file);
  const before = readFileSync(file, "utf8");
  for (const args of [
    ["exec", "resume", id, "x"],
    ["proto", "--resume", id],
    ["sessions", "delete", "--yes", id],
  ]) {
    const run = await codex.run(args);
    expect(run.exitCode).toBe(1);
    expect(run.stderr).toMatch(/^Error: The session .*is in use by another process/m);
    if (args[0] !== "sessions") expect(run.stderr).toContain(`A copy can go on: codex exec fork ${id}\n`);
  }
  expect(readFileSync(file, "utf8")).toBe(before);
  expect(await codex.run(["exec", "fork", id, "x"])).toMatchObject({ exitCode: 0, stdout: "Forked.\n" });
  proto.kill("SIGKILL"); // the lock ends with whoever has it
  await new Promise((resolve) => proto.on("close", resolve));
  expect(await codex.run(["exec", "resume", id, "x"])).toMatchObject({ exitCode: 0, stdout: "Later.\n" });
});

test.each(["0.20.0", "0.29.0", "0.34.0"])("a session of the reference %s goes on", async (version) => {
  await using model = await fakeModel([say("Second.")]);
  const name = {
    "0.20.0": "177268c9-f5f0-4e48-aba3-a065f38448f5",
    "0.29.0": "058b15fd-18c7-4c85-86ef-54fa8e56e20a",
    "0.34.0": "a9c3c604-4f28-4a34-acf6-df7bf08709f8",
  }[version];
  const fixture = readFileSync(
    path.resolve(import.meta.dirname, `../fixtures/rollouts/codex-${version}.jsonl`),
    "utf8",
  );
  const file = `sessions/2025/09/12/rollout-2025-09-12T08-20-44-${name}.jsonl`;
  using codex = sessionPlace({ model, homeFiles: { [file]: fixture } });
  const listed = await codex.run(["sessions", "list", "--json"]);
  expect(jsonLines(listed.stdout)[0]?.["items"]).toMatchObject([{ conversationId: name, preview: "first task" }]);
  const task = '{"id":"1","op":{"type":"user_input","items":[{"type":"text","text":"second task"}]}}\n';
  const run = await codex.run(["proto", "--resume", String(name)], { stdin: task });
  expect(jsonLines(run.stdout)[0]).toMatchObject({
    msg: {
      session_id: name,
      initial_messages: expect.arrayContaining([
        { type: "user_message", message: "first task", kind: "plain" },
        { type: "agent_reasoning", text: "**Look**" },
        { type: "agent_message", message: "First answer." },
      ]),
    },
  });
  const environment = version === "0.20.0" ? [] : ["user: <environment>"];
  // What was never told, or is another folder now, the model has to know.
  expect(shape(inputOfRequest(model, 1))).toEqual([
    ...environment,
    "user: first task",
    "reasoning",
    "function_call call_1",
    "function_call_output call_1: …",
    "assistant: First answer.",
    "user: <environment>",
    "user: second task",
  ]);
});
