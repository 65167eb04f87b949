import { existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { callShell, callTool, type FakeModel, fakeModel, type ModelStep, say } from "../support/fake-model.ts";
import { type CodexRun, type RunOptions, runCodex, startCodex } from "../support/run-codex.ts";
import { workspace } from "../support/workspace.ts";

type Request = FakeModel["requests"][number];

/** A place for recordings, away from what the runs write to. */
const shelf = () => {
  const place = workspace({ git: false });
  return { file: path.join(place.work, "run.jsonl"), [Symbol.dispose]: () => place[Symbol.dispose]() };
};

/** What two runs of the same answers have in common: everything but where they were and how long it took. */
const comparable = ({ exitCode, stdout, messages, files, rollout, work }: CodexRun) => {
  const items = rollout.flatMap((line) => (line.type === "response_item" ? [line.payload] : []));
  const text = JSON.stringify({ exitCode, stdout: messages.length > 0 ? "" : stdout, messages, files, items });
  return JSON.parse(
    text
      .replaceAll(work, "<WS>")
      .replace(/"duration":\{[^}]*\}/g, '"duration":"<DURATION>"')
      .replace(/\\"duration_seconds\\":[\d.]+/g, '\\"duration_seconds\\":0')
      .replace(/ in \d+ms…/g, " in <DURATION>…"),
  );
};

/** The provider of a replay's configuration is never asked. */
const nobody = { url: "http://127.0.0.1:9/v1" };

const replay = (file: string, options: RunOptions = {}, args: readonly string[] = ["--json"]) =>
  runCodex(["exec", ...args, "--full-auto", "--replay", file, "go"], { model: nobody, ...options });

const patch = "*** Begin Patch\n*** Update File: a.txt\n@@\n-old\n+new\n*** End Patch";

describe("a recorded run", () => {
  const steps: readonly ModelStep[] = [
    {
      ...callShell(["bash", "-c", "echo made > made.txt; echo failed >&2; exit 3"]),
      reasoning: "First I look.",
      text: "Looking at it.",
      deltas: ["Looking ", "at it."],
    },
    callTool("apply_patch", { input: patch }),
    { failed: { code: "server_error", message: "boom" } },
    say("All done.", { usage: { input: 300, cached: 200, output: 10, reasoning: 4 } }),
  ];
  const files = { "a.txt": "old\n" };

  test.each(["responses", "chat"] as const)("gives the same events and files again, on the %s wire", async (wire) => {
    using kept = shelf();
    await using model = await fakeModel(steps);
    const args = ["exec", "--json", "--full-auto", "--record", kept.file, "go"];
    const recorded = await runCodex(args, { model, wire, files, provider: { stream_max_retries: 1 } });
    await model.close(); // nobody to ask any more
    const replayed = await replay(kept.file, { wire, files, provider: { stream_max_retries: 1 } });
    expect(comparable(replayed)).toEqual(comparable(recorded));
    expect(replayed).toMatchObject({ exitCode: 0, files: { "a.txt": "new\n", "made.txt": "made\n" } });
    expect(replayed.messages.map(({ type }) => type)).toEqual(
      expect.arrayContaining(["agent_message", "exec_command_end", "turn_diff", "stream_error", "token_count"]),
    );
  });

  test("is replayed for people, too, without any provider, key or configuration", async () => {
    using kept = shelf();
    await using model = await fakeModel(steps);
    const args = ["exec", "--full-auto", "--record", kept.file, "go"];
    await runCodex(args, { model, files, provider: { stream_max_retries: 1 } });
    const replayed = await runCodex(["exec", "--full-auto", "--replay", kept.file, "go"], { files });
    expect(replayed).toMatchObject({
      exitCode: 0,
      stdout: "All done.\n",
      files: { "a.txt": "new\n", "made.txt": "made\n" },
    });
    expect(replayed.stderr).toContain("Looking at it.");
  });

  test("that ended in an error ends in it again", async () => {
    using kept = shelf();
    await using model = await fakeModel([
      callShell(["true"]),
      { text: "half", failed: { code: "server_error", message: "boom" } },
    ]);
    const recorded = await runCodex(["exec", "--json", "--full-auto", "--record", kept.file, "go"], { model });
    const replayed = await replay(kept.file);
    expect(comparable(replayed)).toEqual(comparable(recorded));
    expect(replayed.exitCode).toBe(1);
    expect(replayed.messages.at(-1)).toEqual({
      type: "error",
      message: "stream disconnected before completion: boom",
    });
  });

  test("that was killed is replayed as far as it came", async () => {
    using kept = shelf();
    await using model = await fakeModel([callShell(["touch", "made"]), { text: "half an answer", cut: 3, hang: true }]);
    const running = startCodex(["exec", "--json", "--full-auto", "--record", kept.file, "go"], { model });
    await model.received(2);
    running.child.kill("SIGKILL");
    expect((await running.finished()).exitCode).toBe(137);
    const replayed = await replay(kept.file);
    expect(replayed).toMatchObject({ exitCode: 1, files: { made: "" } });
    expect(replayed.messages.at(-1)).toEqual({
      type: "error",
      message: `The recording "${kept.file}" breaks off in its answer to request 2.`,
    });
  });
});

describe("a replay that cannot be", () => {
  const oneCall = [
    '{"type":"recording","version":1}',
    '{"type":"request"}',
    '{"type":"item","item":{"type":"function_call","name":"shell","arguments":"{\\"command\\":[\\"true\\"]}","call_id":"c"}}',
    '{"type":"completed"}',
  ].join("\n");

  test("because more is asked than was recorded fails with one sentence, and is not tried again", async () => {
    using kept = shelf();
    writeFileSync(kept.file, oneCall);
    const message = `The recording "${kept.file}" has 1 answers for this conversation, but request 2 came.`;
    const json = await replay(kept.file, { provider: { stream_max_retries: 3 } });
    expect(json.exitCode).toBe(1);
    expect(json.messages.filter(({ type }) => type.includes("error"))).toEqual([{ type: "error", message }]);
    const human = await replay(kept.file, {}, []);
    expect(human).toMatchObject({ exitCode: 1, stdout: "" });
    expect(human.stderr.split(message)).toHaveLength(2);
  });

  test.each([
    [
      "an answer to nothing",
      '{"type":"recording","version":1}\n{"type":"completed"}\n',
      ": line 2 belongs to no request",
    ],
    ["a line that is no JSON", `${oneCall}\nnonsense\n{"type":"request"}\n`, ": line 5 is not a JSON object"],
    ["something else", "# Notes\n", ": line 1 is not a JSON object"],
  ])("because the file holds %s ends before it begins, and names file and line", async (_, content, problem) => {
    using kept = shelf();
    writeFileSync(kept.file, content);
    const run = await replay(kept.file);
    expect({ exitCode: run.exitCode, stdout: run.stdout, stderr: run.stderr, rollout: run.rollout }).toEqual({
      exitCode: 1,
      stdout: "",
      stderr: `Error: Cannot replay "${kept.file}"${problem}\n`,
      rollout: [],
    });
  });

  test("because there is no such file names it", async () => {
    const run = await replay("missing.jsonl");
    expect({ exitCode: run.exitCode, stdout: run.stdout, stderr: run.stderr }).toEqual({
      exitCode: 1,
      stdout: "",
      stderr: 'Error: Cannot read the recording "missing.jsonl": No such file or directory (os error 2)\n',
    });
  });
});

test.each([
  ["in a folder that does not exist", "no/run.jsonl", "No such file or directory (os error 2)"],
  ["that is a folder", "folder", "Is a directory (os error 21)"],
])("a recording %s ends the run before anything is asked", async (_, file, cause) => {
  await using model = await fakeModel([]);
  const run = await runCodex(["exec", "--json", "--record", file, "go"], { model, files: { "folder/file": "" } });
  expect({ exitCode: run.exitCode, stdout: run.stdout, stderr: run.stderr, asked: model.requests.length }).toEqual({
    exitCode: 1,
    stdout: "",
    stderr: `Error: Cannot write the recording "${file}": ${cause}\n`,
    asked: 0,
  });
});

describe("no credential is kept or shown", () => {
  const secrets = ["marked-key", "marked-header", "marked-variable"];
  const options: RunOptions = {
    provider: {
      env_key: "MOCK_KEY",
      http_headers: { "x-secret": "marked-header" },
      env_http_headers: { "x-tenant": "TENANT_KEY" },
    },
    env: { MOCK_KEY: "marked-key", TENANT_KEY: "marked-variable" },
  };
  const sentBack = ({ headers }: Request) =>
    JSON.stringify([headers.authorization, headers["x-secret"], headers["x-tenant"]]);

  /** Everything that is left of a run or was seen of it. */
  const traces = ({ stdout, stderr, homeFiles }: CodexRun, file: string) => {
    const { "config.toml": _, ...written } = homeFiles; // the user wrote that one
    return [stdout, stderr, JSON.stringify(written), existsSync(file) ? readFileSync(file, "utf8") : ""].join("\n");
  };

  const leaked = async (step: (request: Request) => ModelStep) => {
    const found: string[] = [];
    for (const format of [["--json"], []]) {
      using kept = shelf();
      await using model = await fakeModel([callShell(["bash", "-c", "env; set"]), step]);
      const run = await runCodex(["exec", ...format, "--record", kept.file, "go"], { ...options, model });
      const sent = String(model.requests.map(sentBack));
      expect(secrets.filter((secret) => !sent.includes(secret))).toEqual([]);
      found.push(...secrets.filter((secret) => traces(run, kept.file).includes(secret)));
    }
    return found;
  };

  test("when all goes well", async () => {
    expect(await leaked(() => say("fine"))).toEqual([]);
  });

  test("when the provider sends them back with an error", async () => {
    expect(await leaked((request) => ({ status: 400, body: sentBack(request) }))).toEqual([]);
  });

  test("when the provider sends them back in its stream", async () => {
    expect(await leaked((request) => ({ failed: { code: "server_error", message: sentBack(request) } }))).toEqual([]);
  });

  test("when the provider sends them elsewhere", async () => {
    const location = (request: Request) => `http://127.0.0.1:9/${encodeURIComponent(sentBack(request))}`;
    expect(await leaked((request) => ({ status: 307, headers: { location: location(request) } }))).toEqual([]);
  });

  test("when the provider cannot be reached, and its address holds some", async () => {
    using kept = shelf();
    const model = { url: "http://user:marked-password@127.0.0.1:9/v1" };
    const provider = { query_params: { key: "marked-query" } };
    const run = await runCodex(["exec", "--record", kept.file, "go"], { model, provider });
    expect(run.exitCode).toBe(1);
    const seen = traces(run, kept.file);
    expect(["marked-password", "marked-query"].filter((secret) => seen.includes(secret))).toEqual([]);
  });
});
