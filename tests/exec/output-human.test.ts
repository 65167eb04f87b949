import { describe, expect, test } from "vitest";
import { callShell, callTool, fakeModel, type ModelStep, say } from "../support/fake-model.ts";
import { masked } from "../support/mask.ts";
import { type RunOptions, runCodex } from "../support/run-codex.ts";

interface Shown {
  readonly stdout: string;
  /** Masked. */
  readonly log: string;
  /** The log between the prompt and the last line. */
  readonly middle: string;
}

async function show(
  steps: readonly ModelStep[],
  options: RunOptions & { readonly args?: readonly string[] } = {},
): Promise<Shown> {
  await using model = await fakeModel(steps);
  const run = await runCodex(["exec", ...(options.args ?? []), "do it"], { model, ...options });
  expect(run.exitCode).toBe(0);
  const log = masked(run.stderr, run);
  const lines = log.split("\n");
  const middle = lines.slice(lines.indexOf("do it") + 1, -2);
  return { stdout: run.stdout, log, middle: middle.map((line) => `${line}\n`).join("") };
}

const stamp = "[<TIME>] ";
const patch = (...lines: readonly string[]) => ["*** Begin Patch", ...lines, "*** End Patch", ""].join("\n");

test("the log on stderr, the answer alone on stdout", async () => {
  const { stdout, log } = await show(
    [
      { reasoning: "**T** x", ...callShell(["bash", "-lc", "echo hello; exit 0"]) },
      callShell(["true"]),
      say("All done.", { deltas: ["All ", "done."] }),
    ],
    { args: ["--full-auto", "-c", "model_supports_reasoning_summaries=true"] },
  );
  expect(stdout).toBe("All done.\n");
  expect(log.replace(/v\d+\.\d+\.\d+/, "v0.0.0")).toMatchInlineSnapshot(`
    "[<TIME>] OpenAI Codex v0.0.0 (research preview)
    --------
    workdir: <WS>
    model: mock-model
    provider: mock
    approval: never
    sandbox: workspace-write [workdir, /tmp, $TMPDIR]
    reasoning effort: medium
    reasoning summaries: auto
    session id: <ID>
    --------
    [<TIME>] User instructions:
    do it
    [<TIME>] thinking

    **T** x
    [<TIME>] exec bash -lc 'echo hello; exit 0' in <WS>
    [<TIME>] bash -lc 'echo hello; exit 0' succeeded in <DURATION>:
    hello
    [<TIME>] tokens used: 110
    [<TIME>] exec true in <WS>
    [<TIME>] true succeeded in <DURATION>:
    [<TIME>] tokens used: 220
    [<TIME>] codex

    All done.
    [<TIME>] tokens used: 330
    [<TIME>] completed in <DURATION>: 330 tokens, 2 commands
    "
  `);
});

describe("colours", () => {
  const steps = [{ ...callShell(["false"]), text: "Let me see." }, say("ok")];
  const escapeCode = "\u001b";

  test("--color always colours the log and never the answer", async () => {
    const { stdout, middle } = await show(steps, { args: ["--color", "always"], env: { NO_COLOR: "1" } });
    expect(stdout).toBe("ok\n");
    expect(middle.replaceAll(escapeCode, "^")).toMatchInlineSnapshot(`
      "^[2m[<TIME>]^[22m ^[35mexec^[39m ^[1mfalse^[22m in <WS>
      ^[2m[<TIME>]^[22m ^[31m^[1mfalse^[22m^[39m exited 1 in <DURATION>:
      ^[2m[<TIME>]^[22m ^[35m^[3mcodex^[23m^[39m

      Let me see.
      ^[2m[<TIME>]^[22m tokens used: 110
      ^[2m[<TIME>]^[22m ^[35m^[3mcodex^[23m^[39m

      ok
      ^[2m[<TIME>]^[22m tokens used: 220
      "
    `);
  });

  test.each<[name: string, args: readonly string[], env: Readonly<Record<string, string>>, isColoured: boolean]>([
    ["auto has none in a pipe", [], { TERM: "xterm-256color" }, false],
    ["FORCE_COLOR gives auto some", ["--color", "auto"], { FORCE_COLOR: "1", NO_COLOR: "1" }, true],
    ["NO_COLOR leaves auto none", [], { NO_COLOR: "1", TERM: "xterm-256color" }, false],
    ["never has none, whatever the environment says", ["--color", "never"], { FORCE_COLOR: "1" }, false],
  ])("%s", async (_, args, env, isColoured) => {
    const { stdout, log } = await show([say("ok")], { args, env });
    expect([stdout, log.includes(escapeCode)]).toEqual(["ok\n", isColoured]);
  });
});

describe("blocks of the log", () => {
  test("of a command with 25 lines the first 20", async () => {
    const { middle } = await show([callShell(["seq", "25"]), say("ok")]);
    const lines = Array.from({ length: 20 }, (_, index) => `${index + 1}\n`).join("");
    expect(middle).toBe(
      [
        `${stamp}exec seq 25 in <WS>\n${stamp}seq 25 succeeded in <DURATION>:\n${lines}… 5 more lines\n`,
        `${stamp}tokens used: 110\n${stamp}codex\n\nok\n${stamp}tokens used: 220\n`,
      ].join(""),
    );
  });

  test("a failing command, with its status and both streams", async () => {
    const { middle } = await show([callShell(["bash", "-c", "echo out; echo err >&2; exit 3"]), say("ok")]);
    const [begin, end, ...output] = middle.split("\n");
    const command = "bash -c 'echo out; echo err >&2; exit 3'";
    expect([begin, end]).toEqual([`${stamp}exec ${command} in <WS>`, `${stamp}${command} exited 3 in <DURATION>:`]);
    expect(output.slice(0, 2).sort()).toEqual(["err", "out"]); // two pipes: either may be read first
  });

  test("a patch of all four kinds, and what it changed", async () => {
    const input = patch(
      "*** Update File: m.txt",
      "@@",
      "-one",
      "+ONE",
      " two",
      "*** Delete File: d.txt",
      "*** Add File: a.txt",
      "+new",
      "*** Update File: r.txt",
      "*** Move to: sub/r.txt",
      "@@",
      "-x",
      "+X",
    );
    const { middle } = await show([callTool("apply_patch", { input }), say("ok")], {
      args: ["--full-auto"],
      files: { "m.txt": "one\ntwo\n", "d.txt": "bye\n", "r.txt": "x\n" },
    });
    const [log, diff] = middle.split(`${stamp}turn diff:\n`);
    expect(diff?.match(/^diff --git .*$/gm)).toHaveLength(4); // its text is a matter of --json, too
    expect(log).toMatchInlineSnapshot(`
      "[<TIME>] apply_patch auto_approved=true:
      A <WS>/a.txt
      new
      D <WS>/d.txt
      bye
      M <WS>/m.txt
      @@ -1,2 +1,2 @@
      -one
      +ONE
       two
      R <WS>/r.txt -> <WS>/sub/r.txt
      @@ -1 +1 @@
      -x
      +X
      [<TIME>] apply_patch(auto_approved=true) exited 0 in <DURATION>:
      Success. Updated the following files:
      A a.txt
      M m.txt
      M sub/r.txt
      D d.txt
      "
    `);
  });

  test("a patch that fails while it is written", async () => {
    const input = patch("*** Add File: file/x.txt", "+x");
    const { middle } = await show([callTool("apply_patch", { input }), say("ok")], {
      args: ["--full-auto"],
      files: { file: "" },
    });
    expect(middle).toMatchInlineSnapshot(`
      "[<TIME>] apply_patch auto_approved=true:
      A <WS>/file/x.txt
      x
      [<TIME>] apply_patch(auto_approved=true) exited 1 in <DURATION>:
      Failed to create parent directories for <WS>/file/x.txt: File exists (os error 17)
      [<TIME>] tokens used: 110
      [<TIME>] codex

      ok
      [<TIME>] tokens used: 220
      "
    `);
  });

  test("a plan that can be read", async () => {
    const plan = [
      { step: "look", status: "completed" },
      { step: "write", status: "in_progress" },
      { step: "check", status: "pending" },
    ];
    const { middle } = await show([callTool("update_plan", { explanation: "so far", plan }), say("ok")]);
    expect(middle).toMatchInlineSnapshot(`
      "[<TIME>] plan: so far
      ✔ look
      → write
      • check
      [<TIME>] tokens used: 110
      [<TIME>] codex

      ok
      [<TIME>] tokens used: 220
      "
    `);
  });

  const event = (data: object) => `data: ${JSON.stringify(data)}\n\n`;
  const message = (...texts: readonly string[]) => {
    const content = texts.map((text) => ({ type: "output_text", text }));
    return event({ type: "response.output_item.done", item: { type: "message", role: "assistant", content } });
  };
  const completed = event({ type: "response.completed", response: { id: "resp_1" } });
  const delta = (text: string) => event({ type: "response.output_text.delta", delta: text });

  test.each<[name: string, raw: readonly string[], shown: string]>([
    ["streamed", [delta("One. "), delta("Two."), message("One. ", "Two.")], "codex\n\nOne. Two.\n"],
    ["not streamed", [message("One.", "Two.")], `codex\nOne.\n${stamp}codex\nTwo.\n`],
  ])("each part of a message once, %s", async (_, raw, shown) => {
    const { stdout, middle } = await show([{ raw: [...raw, completed] }]);
    expect([stdout, middle]).toEqual(["Two.\n", `${stamp}${shown}`]);
  });

  test.each<[name: string, args: readonly string[], shown: string]>([
    ["the summary", [], `${stamp}thinking\n\nsum\n`],
    ["nothing of it when hidden", ["-c", "hide_agent_reasoning=true"], ""],
    [
      "also what is raw, when asked for",
      ["-c", "show_raw_agent_reasoning=true"],
      `${stamp}thinking\n\nsum\n${stamp}thinking\n\nraw\n`,
    ],
  ])("of the reasoning %s", async (_, args, shown) => {
    const { middle } = await show([{ reasoning: "sum", rawReasoning: "raw", text: "ok", usage: null }], { args });
    expect(middle).toBe(`${shown}${stamp}codex\n\nok\n`);
  });

  test("a search, and a stream that broke", async () => {
    const item = { type: "web_search_call", id: "ws_1", action: { type: "search", query: "weather" } };
    const search = event({ type: "response.output_item.done", item });
    const { stdout, middle } = await show([{ raw: [search] }, { raw: [delta("ok"), message("ok"), completed] }], {
      provider: { stream_max_retries: 1 },
    });
    expect([stdout, middle]).toEqual([
      "ok\n",
      [
        `${stamp}🌐 Searched: weather\n`,
        `${stamp}stream error: stream disconnected before completion: stream closed before response.completed; retrying 1/1 in <DURATION>…\n`,
        `${stamp}codex\n\nok\n`,
      ].join(""),
    ]);
  });
});

test("a failed run: the error in the log, nothing on stdout", async () => {
  await using model = await fakeModel([
    { ...callShell(["true"]), text: "Let me look." },
    { status: 400, body: "bad" },
  ]);
  const run = await runCodex(["exec", "go"], { model });
  expect([run.exitCode, run.stdout]).toEqual([1, ""]);
  expect(masked(run.stderr, run).split("\n").slice(-3)).toEqual([
    `${stamp}ERROR: unexpected status 400 Bad Request: bad`,
    `${stamp}failed after <DURATION>: 110 tokens, 1 command`,
    "",
  ]);
});

test("§17.1: a notify program that cannot be started is named in the log", async () => {
  const { log } = await show([say("ok")], { config: ['notify = ["no-such-program"]'] });
  expect(log).toContain("no-such-program");
});

test("on the chat wire the answer comes whole", async () => {
  const { stdout, middle } = await show([say("All done.", { deltas: ["All ", "done."] })], { wire: "chat" });
  expect([stdout, middle]).toEqual(["All done.\n", `${stamp}codex\nAll done.\n`]);
});
