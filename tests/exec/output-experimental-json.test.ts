import { describe, expect, test } from "vitest";
import { callShell, callTool, fakeModel, type ModelStep, say } from "../support/fake-model.ts";
import { type CodexRun, type RunOptions, runCodex } from "../support/run-codex.ts";

async function play(steps: readonly ModelStep[], options: RunOptions & { readonly args?: readonly string[] } = {}) {
  await using model = await fakeModel(steps);
  const args = ["exec", "--experimental-json", ...(options.args ?? []), "do it"];
  return { run: await runCodex(args, { model, ...options }), model };
}

const usage = (responses: number) => ({
  input_tokens: 100 * responses,
  cached_input_tokens: 10 * responses,
  cache_write_input_tokens: 0,
  output_tokens: 20 * responses,
  reasoning_output_tokens: 5 * responses,
});
const turnCompleted = (responses: number) => ({
  type: "turn.completed",
  usage: usage(responses),
  last_usage: usage(1),
});
const message = (id: number, text: string) => ({
  type: "item.completed",
  item: { id: `item_${id}`, type: "agent_message", text },
});
const patch = (...lines: readonly string[]) => ["*** Begin Patch", ...lines, "*** End Patch", ""].join("\n");
const callPatch = (...lines: readonly string[]) => callTool("apply_patch", { input: patch(...lines) });

/** Between the first two lines, which are always the same, and the end of stdout. */
function expectLines(run: CodexRun, lines: readonly object[]): void {
  expect(run.lines).toEqual([
    { type: "thread.started", thread_id: run.rollout[0]?.payload["id"] },
    { type: "turn.started" },
    ...lines,
  ]);
}

describe("good runs", () => {
  test("a text answer is four lines, the thread is the session", async () => {
    const { run, model } = await play([say("All done.", { deltas: ["All ", "done."] })]);
    expect(run).toMatchObject({ exitCode: 0, stderr: "" });
    expect(run.stdout.endsWith("\n")).toBe(true);
    expectLines(run, [message(0, "All done."), turnCompleted(1)]);
    expect(run.lines[0]).toMatchObject({ thread_id: model.requests[0]?.headers["session_id"] });
  });

  test("commands start and complete, and a failing one has failed", async () => {
    const { run } = await play([
      callShell(["bash", "-lc", "echo x; exit 3"]),
      { ...callShell(["echo", "it's"]), text: "Once more." },
      say("ok"),
    ]);
    const failing = { id: "item_0", type: "command_execution", command: "bash -lc 'echo x; exit 3'" };
    const good = { id: "item_1", type: "command_execution", command: `echo "it's"` };
    const begun = { aggregated_output: "", exit_code: null, status: "in_progress" };
    expect(run).toMatchObject({ exitCode: 0, stderr: "" });
    expectLines(run, [
      { type: "item.started", item: { ...failing, ...begun } },
      { type: "item.completed", item: { ...failing, aggregated_output: "x\n", exit_code: 3, status: "failed" } },
      { type: "item.started", item: { ...good, ...begun } },
      { type: "item.completed", item: { ...good, aggregated_output: "it's\n", exit_code: 0, status: "completed" } },
      message(2, "Once more."),
      message(3, "ok"),
      turnCompleted(3),
    ]);
  });

  test("a patch is one item, sorted by path", async () => {
    const steps = [
      callPatch(
        "*** Update File: r.txt",
        "*** Move to: a/moved.txt",
        "@@",
        "-x",
        "+X",
        "*** Delete File: d.txt",
        "*** Add File: n.txt",
        "+new",
      ),
      say("ok"),
    ];
    const { run } = await play(steps, { args: ["--full-auto"], files: { "r.txt": "x\n", "d.txt": "bye\n" } });
    const changes = [
      { path: `${run.work}/d.txt`, kind: "delete" },
      { path: `${run.work}/n.txt`, kind: "add" },
      { path: `${run.work}/r.txt`, kind: "update" },
    ];
    const item = { id: "item_0", type: "file_change", changes };
    expect(run).toMatchObject({ exitCode: 0, files: { "a/moved.txt": "X\n", "n.txt": "new\n" } });
    expectLines(run, [
      { type: "item.started", item: { ...item, status: "in_progress" } },
      { type: "item.completed", item: { ...item, status: "completed" } },
      message(1, "ok"),
      turnCompleted(2),
    ]);
  });

  test("a patch that fails while it is written has failed", async () => {
    const { run } = await play([callPatch("*** Add File: file/x.txt", "+x"), say("ok")], {
      args: ["--full-auto"],
      files: { file: "" },
    });
    const item = { id: "item_0", type: "file_change", changes: [{ path: `${run.work}/file/x.txt`, kind: "add" }] };
    expect(run).toMatchObject({ exitCode: 0, files: { file: "" } });
    expectLines(run, [
      { type: "item.started", item: { ...item, status: "in_progress" } },
      { type: "item.completed", item: { ...item, status: "failed" } },
      message(1, "ok"),
      turnCompleted(2),
    ]);
  });

  test.each<[name: string, lines: readonly string[]]>([
    ["rejected", ["*** Add File: n.txt", "+x"]],
    ["that does not fit", ["*** Update File: file", "@@", "-nothing like it", "+x"]],
  ])("a patch %s is no item", async (_, lines) => {
    const { run } = await play([callPatch(...lines), say("ok")], { files: { file: "content\n" } });
    expect(run).toMatchObject({ exitCode: 0, files: { file: "content\n" } });
    expectLines(run, [message(0, "ok"), turnCompleted(2)]);
  });

  test("a plan is started, updated, and completed just before the turn", async () => {
    const plan = (status: string) => [
      { step: "look", status },
      { step: "write", status: "pending" },
    ];
    const { run } = await play([
      callTool("update_plan", { plan: plan("in_progress") }),
      callTool("update_plan", { plan: plan("completed") }),
      say("ok"),
    ]);
    const item = (isDone: boolean) => ({
      id: "item_0",
      type: "todo_list",
      items: [
        { text: "look", completed: isDone },
        { text: "write", completed: false },
      ],
    });
    expectLines(run, [
      { type: "item.started", item: item(false) },
      { type: "item.updated", item: item(true) },
      message(1, "ok"),
      { type: "item.completed", item: item(true) },
      turnCompleted(3),
    ]);
  });

  test("a search has one id", async () => {
    const event = (data: object) => `data: ${JSON.stringify(data)}\n\n`;
    const item = { type: "web_search_call", id: "ws_1" };
    const action = { type: "search", query: "weather" };
    const raw = [
      event({ type: "response.output_item.added", item }),
      event({ type: "response.output_item.done", item: { ...item, action } }),
      event({ type: "response.completed", response: { id: "resp_1" } }),
    ];
    const { run } = await play([{ raw }]);
    expectLines(run, [
      {
        type: "item.started",
        item: { id: "item_0", type: "web_search", query: "", action: { type: "other" } },
      },
      { type: "item.completed", item: { id: "item_0", type: "web_search", query: "weather", action } },
      { type: "turn.completed", usage: usage(0) },
    ]);
    expect(run.stdout).not.toContain("ws_1"); // a second key of the same name would be lost in parsing
  });

  test.each<[name: string, reasoning: readonly string[], items: readonly object[]]>([
    [
      "parts are joined",
      ["**One**", "**Two**"],
      [{ type: "item.completed", item: { id: "item_0", type: "reasoning", text: "**One**\n**Two**" } }],
    ],
    ["a blank one is no item", [" "], []],
  ])("of the reasoning, %s", async (_, reasoning, items) => {
    const { run } = await play([{ reasoning, text: "ok" }]);
    expectLines(run, [...items, message(items.length, "ok"), turnCompleted(1)]);
  });

  test("a retry that helps is an error line", async () => {
    const { run } = await play([{ text: "lost", cut: 1 }, say("ok")], { provider: { stream_max_retries: 2 } });
    expect(run.exitCode).toBe(0);
    expectLines(run, [
      { type: "error", message: expect.stringMatching(/stream disconnected before completion: .+ 1\/2/) },
      message(0, "ok"),
      turnCompleted(1),
    ]);
  });
});

describe("bad runs end with turn.failed and status 1", () => {
  test("retries that do not help", async () => {
    const text = "stream disconnected before completion: stream closed before response.completed";
    const { run } = await play([{ incomplete: "x" }, { incomplete: "x" }], { provider: { stream_max_retries: 1 } });
    expect(run.exitCode).toBe(1);
    expectLines(run, [
      { type: "error", message: expect.stringMatching(new RegExp(`${text}.+ 1/1`)) },
      { type: "error", message: text, detail: "the answer is incomplete: x" },
      { type: "turn.failed", error: { message: text, detail: "the answer is incomplete: x" } },
    ]);
  });

  test("a request that was refused, with its status before the body", async () => {
    const { run } = await play([{ status: 400, body: { error: { message: "bad" } } }]);
    expect(run.exitCode).toBe(1);
    const text = expect.stringContaining('{"error":{"message":"bad"}}');
    expectLines(run, [
      { type: "error", message: text },
      { type: "turn.failed", error: { message: text } },
    ]);
  });

  test("what the server said stands beside a message that does not hold it", async () => {
    const { run } = await play([{ status: 500, body: { error: { message: "out of order" } } }]);
    const error = { message: expect.not.stringContaining("order"), detail: expect.stringContaining("out of order") };
    expectLines(run, [
      { type: "error", ...error },
      { type: "turn.failed", error },
    ]);
  });

  test("a limit that the user set", async () => {
    const { run } = await play([callShell(["true"])], { args: ["--max-turns", "1"] });
    expect(run.exitCode).toBe(3);
    expect(run.lines.slice(-2)).toEqual([
      { type: "error", message: "turn limit reached: 1 turn", code: "turn_limit" },
      { type: "turn.failed", error: { message: "turn limit reached: 1 turn", code: "turn_limit" } },
    ]);
  });

  test("§10.4: a run that cannot start has no lines at all", async () => {
    const { run } = await play([], { args: ["-C", "nosuch"] });
    expect(run).toMatchObject({ exitCode: 1, stdout: "", stderr: 'Error: No such directory: "nosuch"\n' });
  });
});
