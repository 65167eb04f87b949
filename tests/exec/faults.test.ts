import { describe, expect, test } from "vitest";
import { callShell, fakeModel, type ModelStep, say } from "../support/fake-model.ts";
import { longBefore } from "../support/long-before.ts";
import { inputOf } from "../support/requests.ts";
import { type RunningCodex, type RunOptions, runCodex, startCodex } from "../support/run-codex.ts";

const errorsOf = (run: { readonly messages: readonly { readonly type: string }[] }) =>
  run.messages.filter((message) => message.type === "error" || message.type === "stream_error");

describe("a model that fails", () => {
  test.each<[string, ModelStep, string]>([
    ["401", { status: 401 }, "exceeded retry limit, last status: 401 Unauthorized"],
    ["429", { status: 429 }, "exceeded retry limit, last status: 429 Too Many Requests"],
    ["500", { status: 500 }, "We're currently experiencing high demand, which may cause temporary errors."],
    ["400", { status: 400, body: { error: "bad" } }, 'unexpected status 400 Bad Request: {"error":"bad"}'],
    [
      "an answer without an end",
      { text: "part", cut: 1 },
      "stream disconnected before completion: Transport error: error decoding response body",
    ],
    [
      "an answer that is no event stream",
      { raw: ["<html>hello</html>\n"] },
      "stream disconnected before completion: stream closed before response.completed",
    ],
    [
      "response.failed",
      { failed: { code: "server_error", message: "boom" } },
      "stream disconnected before completion: boom",
    ],
    [
      "response.incomplete",
      { incomplete: "max_output_tokens" },
      "stream disconnected before completion: stream closed before response.completed",
    ],
  ])("%s: one error event, status 1, the answer file empty", async (_, step, message) => {
    await using model = await fakeModel([step]);
    const run = await runCodex(["exec", "--json", "-o", "last.txt", "go"], { model });
    expect(run.exitCode).toBe(1);
    expect(run.messages).toMatchObject([
      { type: "task_started", model_context_window: null },
      { type: "error", message },
    ]);
    expect(run.files["last.txt"]).toBe("");
    expect(run.stderr).toContain("Warning: no last agent message");
  });

  test("a provider that cannot be reached is named", async () => {
    const run = await runCodex(["exec", "--json", "go"], { model: { url: "http://127.0.0.1:9/v1" } });
    expect(run.exitCode).toBe(1);
    expect(errorsOf(run)).toEqual([
      {
        type: "error",
        message: "error sending request for url (http://127.0.0.1:9/v1/responses)",
        detail: expect.stringMatching(/refused/i),
      },
    ]);
  });

  test("a provider that hangs runs into the idle limit", async () => {
    await using model = await fakeModel([{ hang: true }, { hang: "headers" }]);
    const provider = { stream_idle_timeout_ms: 200, stream_max_retries: 1 };
    const run = await runCodex(["exec", "--json", "go"], { model, provider });
    expect(run.exitCode).toBe(1);
    expect(errorsOf(run)).toEqual([
      {
        type: "stream_error",
        message: expect.stringMatching(
          /^stream error: stream disconnected before completion: idle timeout waiting for SSE; retrying 1\/1 in \d+ms…$/,
        ),
      },
      { type: "error", message: "stream disconnected before completion: idle timeout waiting for SSE" },
    ]);
  });

  // A whole answer is created, two for the message, the call's four, completed.
  test.each([0, 1, 2, 3, 4, 5, 6, 7])("a stream cut after %i events is asked again and ends well", async (cut) => {
    await using model = await fakeModel([
      { ...callShell(["bash", "-c", "echo x >> log"]), text: "looking", cut },
      say("done"),
      say("done"),
    ]);
    const run = await runCodex(["exec", "--json", "--full-auto", "go"], { model, provider: { stream_max_retries: 1 } });
    expect(run.exitCode).toBe(0);
    expect(run.messages.at(-1)).toMatchObject({ type: "token_count" });
    const calls = run.messages.filter((message) => message.type === "exec_command_begin").length;
    expect(run.files["log"] ?? "").toBe("x\n".repeat(calls));
  });

  test("a call that ran before the stream broke is in the next request, and does not run again", async () => {
    await using model = await fakeModel([
      // The call's item is whole, then the connection breaks.
      { ...callShell(["bash", "-c", "echo x >> log"]), text: "and then", cut: 6 },
      say("done"),
    ]);
    const run = await runCodex(["exec", "--json", "--full-auto", "go"], { model, provider: { stream_max_retries: 1 } });
    expect(run).toMatchObject({ exitCode: 0, files: { log: "x\n" } });
    expect(
      inputOf(model, 2)
        .slice(-2)
        .map((item) => item.type),
    ).toEqual(["function_call", "function_call_output"]);
  });

  test("a message of a broken attempt is not in the next request", async () => {
    await using model = await fakeModel([say("first", { cut: 4 }), say("second")]);
    const run = await runCodex(["exec", "--json", "go"], { model, provider: { stream_max_retries: 1 } });
    expect(run.exitCode).toBe(0);
    expect(run.messages.filter((message) => message.type === "agent_message")).toEqual([
      { type: "agent_message", message: "first" },
      { type: "agent_message", message: "second" },
    ]);
    expect(inputOf(model, 2)).toEqual(inputOf(model, 1));
  });

  test("the wait that a rate limit asks for is kept and told", async () => {
    const message = "Rate limit reached. Please try again in 0.3s.";
    await using model = await fakeModel([{ failed: { code: "rate_limit_exceeded", message } }, say("ok")]);
    const run = await runCodex(["exec", "--json", "go"], { model, provider: { stream_max_retries: 2 } });
    expect(run.exitCode).toBe(0);
    expect(errorsOf(run)).toEqual([
      {
        type: "stream_error",
        message: `stream error: stream disconnected before completion: ${message}; retrying 1/2 in 300ms…`,
      },
    ]);
  });

  test("a missing key is named, and nothing is asked", async () => {
    await using model = await fakeModel([]);
    const provider = { env_key: "ZZ_KEY", env_key_instructions: "Get one at example.org." };
    const run = await runCodex(["exec", "--json", "go"], { model, provider });
    expect(run.exitCode).toBe(1);
    expect(errorsOf(run)).toEqual([
      { type: "error", message: "Missing environment variable: `ZZ_KEY`. Get one at example.org." },
    ]);
  });
});

describe("calls that cannot be run", () => {
  test.each([
    [
      "arguments that are no JSON",
      { name: "shell", rawArgs: '{"command": [' },
      /^failed to parse function arguments: /,
    ],
    ["arguments without a command", { name: "shell", args: {} }, /missing field `command`/],
    [
      "a command that is a string",
      { name: "shell", args: { command: "ls" } },
      /failed to parse function arguments: .*`command`/,
    ],
    [
      "both spellings of the limit",
      { name: "shell", args: { command: ["true"], timeout: 1, timeout_ms: 1 } },
      /duplicate field/,
    ],
    ["a negative limit", { name: "shell", args: { command: ["true"], timeout_ms: -1 } }, /timeout_ms/],
    ["a fractional limit", { name: "shell", args: { command: ["true"], timeout_ms: 1.5 } }, /timeout_ms/],
    ["an unknown function", { name: "frob", args: {} }, /^unsupported call: frob$/],
    ["an unknown custom tool", { name: "frob", custom: "x" }, /^unsupported custom tool call: frob$/],
    ["a plan with an extra property", { name: "update_plan", args: { plan: [], extra: 1 } }, /unknown field `extra`/],
    [
      "an image that is not there",
      { name: "view_image", args: { path: "no.png" } },
      /^unable to locate image at .*no\.png: No such file/,
    ],
    [
      "a program that does not exist",
      { name: "shell", args: { command: ["no-such-program"] } },
      /^execution error: No such file or directory/,
    ],
    [
      "a directory that does not exist",
      { name: "shell", args: { command: ["true"], workdir: "nope" } },
      /^execution error: No such file or directory/,
    ],
    ["an empty command", { name: "shell", args: { command: [] } }, /^execution error: command args are empty$/],
  ])("%s: the model is told, and the run goes on", async (_, call, output) => {
    await using model = await fakeModel([{ calls: [call] }, say("ok")]);
    const run = await runCodex(["exec", "--full-auto", "go"], { model });
    expect(run).toMatchObject({ exitCode: 0, stdout: "ok\n" });
    expect(inputOf(model, 2).at(-1)?.output).toMatch(output);
  });
});

describe("ends from outside", () => {
  /** The default of the provider's `stream_idle_timeout_ms`. */
  const streamIdleTimeoutMs = 300_000;
  const sleeper = () => callShell(["bash", "-c", "echo $$ > pid; sleep 900 & wait"], { args: { timeout_ms: 900_000 } });

  test.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGHUP", 129],
  ] as const)("%s ends the run with %i, and its command with it", async (signal, status) => {
    await using model = await fakeModel([sleeper()]);
    const running = startCodex(["exec", "--json", "--full-auto", "go"], { model });
    await running.sees("exec_command_begin");
    await expect.poll(() => running.place.files()["pid"]).toMatch(/\d+\n/);
    const pid = Number(running.place.files()["pid"]);
    running.child.kill(signal);
    const run = await running.finished();
    expect(run.exitCode).toBe(status);
    expect(run.messages.at(-1)).toEqual({ type: "turn_aborted", reason: "interrupted" });
    expect(() => process.kill(pid, 0)).toThrow();
    expect(run.rollout.at(-1)?.payload).toMatchObject({ type: "function_call_output", output: "aborted" });
  });

  test("SIGINT during the model's answer ends the run", async () => {
    await using model = await fakeModel([{ hang: true }]);
    const running = startCodex(["exec", "--json", "go"], { model });
    await model.received(1);
    await running.sees("task_started");
    running.child.kill("SIGINT");
    const run = await longBefore(streamIdleTimeoutMs, () => running.finished());
    expect(run.exitCode).toBe(130);
  });

  test("a reader that goes away ends the run quietly, and its command with it", async () => {
    await using model = await fakeModel([sleeper(), say("too late")]);
    const running = startCodex(["exec", "--json", "--full-auto", "go"], { model });
    await expect.poll(() => running.place.files()["pid"]).toMatch(/\d+\n/);
    const pid = Number(running.place.files()["pid"]);
    running.child.stdout.destroy();
    process.kill(pid, "SIGTERM");
    const run = await running.finished();
    expect(run.exitCode).toBe(141);
    expect(run.stderr).toBe("");
  });

  test("a log that nobody reads from the start on is no reason to stop", async () => {
    await using model = await fakeModel([say("done")]);
    const running = startCodex(["exec", "--json", "go"], { model, env: { CODEX_LOG: "trace" } });
    running.child.stderr.destroy();
    const run = await running.finished();
    expect(run.exitCode).toBe(0);
    expect(run.messages).toContainEqual({ type: "agent_message", message: "done" });
  });

  test("--max-turns: status 3, and what was done stays", async () => {
    await using model = await fakeModel([callShell(["touch", "a"]), callShell(["touch", "b"])]);
    const run = await runCodex(["exec", "--json", "--full-auto", "--max-turns", "2", "go"], { model });
    expect(run.exitCode).toBe(3);
    expect(run.messages.at(-1)).toEqual({ type: "error", message: "turn limit reached: 2 turns", code: "turn_limit" });
    expect(run.files).toEqual({ a: "", b: "" });
  });

  test("--timeout: status 3, the command dies, what it printed is kept in the rollout", async () => {
    await using model = await fakeModel([sleeper()]);
    const args = ["exec", "--json", "--full-auto", "--timeout", "2", "go"];
    const run = await longBefore(900_000, () => runCodex(args, { model }));
    expect(run.exitCode).toBe(3);
    expect(run.messages.at(-1)).toEqual({ type: "error", message: "time limit reached: 2 s", code: "time_limit" });
    expect(() => process.kill(Number(run.files["pid"]), 0)).toThrow();
  });

  test.each([
    ["a prompt that does not end", [], "explain "],
    ["a prompt that does not come", [], ""],
    ["context that does not end", ["explain"], "line 1\n"],
  ])("--timeout holds for %s on stdin", async (_, args, stdin) => {
    const limit = ["--timeout", "1", "-o", "answer.txt"];
    const options = { stdin, keepStdinOpen: true, files: { "answer.txt": "old" } };
    const run = await startCodex(["exec", "--json", ...limit, ...args], options).finished();
    expect(run).toMatchObject({ exitCode: 3, stdout: "", files: { "answer.txt": "old" } });
    expect(run.stderr).toContain("Error: time limit reached: 1 s, waiting for the end of stdin\n");
  });

  test("--timeout counts the time that reading took", async () => {
    await using model = await fakeModel([sleeper(), sleeper(), sleeper()]);
    const limited = (limit: string, options: RunOptions = {}) =>
      startCodex(["exec", "--json", "--full-auto", "--timeout", limit, "-"], { model, stdin: "go", ...options });
    const slowReader = limited("6", { keepStdinOpen: true });
    await limited("4").finished();
    slowReader.child.stdin.end(); // two of its six seconds are left
    const order: string[] = [];
    const finish = async (name: string, running: RunningCodex) => {
      const run = await running.finished();
      order.push(name);
      return run;
    };
    const [run] = await Promise.all([finish("with two left", slowReader), finish("with four", limited("4"))]);
    expect(run.messages.at(-1)).toEqual({ type: "error", message: "time limit reached: 6 s", code: "time_limit" });
    expect(order).toEqual(["with two left", "with four"]);
  });
});

describe("a home that cannot be written", () => {
  test("sessions that is a file costs one warning, not the run", async () => {
    await using model = await fakeModel([say("ok")]);
    const run = await runCodex(["exec", "go"], { model, homeFiles: { sessions: "" } });
    expect(run).toMatchObject({ exitCode: 0, stdout: "ok\n" });
    expect(run.stderr.match(/This session is not recorded/g)).toHaveLength(1);
  });
});
