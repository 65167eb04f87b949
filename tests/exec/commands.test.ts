import { once } from "node:events";
import { existsSync, writeFileSync } from "node:fs";
import net from "node:net";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { startConversation } from "../support/conversation.ts";
import { callShell, callTool, fakeModel, type ModelCall, say } from "../support/fake-model.ts";
import { longBefore } from "../support/long-before.ts";
import { inputOf, messagesOf } from "../support/requests.ts";
import { runCodex, startCodex } from "../support/run-codex.ts";
import { answerWith, bytesOf, commandEvents, endWith, parsedAnswer, runShell } from "../support/shell-run.ts";
import { workspace } from "../support/workspace.ts";

const modes = ["danger-full-access", "workspace-write"] as const;

/** The JSON of each call's answer that the last request holds. */
const answersOf = (model: Parameters<typeof inputOf>[0], request: number) =>
  inputOf(model, request)
    .filter((item) => item.type === "function_call_output")
    .map((item) => parsedAnswer(item.output));

describe.each(modes)("a command in %s", (mode) => {
  test("has a begin, its output in pieces, and an end with all of it", async () => {
    await using model = await fakeModel([
      callShell(["bash", "-lc", "echo out; until [ -e go ]; do sleep 0.01; done; echo err >&2"]),
      say("done"),
    ]);
    const running = startCodex(["exec", "--json", "-s", mode, "go"], { model });
    await running.sees("exec_command_output_delta");
    writeFileSync(path.join(running.place.work, "go"), "");
    const run = await running.finished();
    expect(run.exitCode).toBe(0);
    expect(run.messages.filter((message) => message["call_id"] === "call_1")).toEqual([
      {
        type: "exec_command_begin",
        call_id: "call_1",
        command: ["bash", "-lc", "echo out; until [ -e go ]; do sleep 0.01; done; echo err >&2"],
        cwd: run.work,
        parsed_cmd: [{ type: "unknown", cmd: "echo out; until [ -e go ]; do sleep 0.01; done; echo err >&2" }],
      },
      { type: "exec_command_output_delta", call_id: "call_1", stream: "stdout", chunk: "b3V0Cg==" },
      { type: "exec_command_output_delta", call_id: "call_1", stream: "stderr", chunk: "ZXJyCg==" },
      endWith({ stdout: "out\n", stderr: "err\n" }),
    ]);
    expect(answersOf(model, 2)).toEqual([answerWith("out\nerr\n", 0)]);
  });

  test.each([
    ["3", "exit 3", 3],
    ["127", "no-such-program 2>/dev/null", 127],
    ["of a signal", "kill -9 $$", 137],
  ])("exit code %s reaches the client and the model, and the output with it", async (_, script, exit_code) => {
    const { run, end, answer } = await runShell(["bash", "-c", `echo kept; ${script}`], { mode });
    expect(run).toMatchObject({ exitCode: 0, stderr: "" });
    expect(end).toEqual(endWith({ stdout: "kept\n", exit_code }));
    expect(answer).toEqual(answerWith("kept\n", exit_code));
  });

  test.each([{ timeout_ms: 400 }, { timeout: 400 }])(
    "%j ends it with 124, and what it printed is kept",
    async (args) => {
      const command = ["bash", "-c", "echo early; sleep 900"];
      const { end, answer } = await longBefore(900_000, () => runShell(command, { mode, args }));
      expect(end).toEqual(endWith({ stdout: "early\n", exit_code: 124 }));
      expect(answer).toEqual(answerWith("command timed out after 400 milliseconds\nearly\n", 124));
    },
  );

  test.each<[string, readonly string[], object, string]>([
    ["a program that does not exist", ["no-such-program"], {}, "No such file or directory (os error 2)"],
    ["a directory that does not exist", ["true"], { workdir: "nope" }, "No such file or directory (os error 2)"],
    ["an empty command", [], {}, "command args are empty"],
  ])("%s has an end event, too", async (_, command, args, stderr) => {
    const { begin, end, answer } = await runShell(command, { mode, args });
    expect(begin).toMatchObject({ command });
    expect(end).toEqual({ ...endWith({ stderr, exit_code: -1 }), duration: { secs: 0, nanos: 0 } });
    expect(answer).toBe(`execution error: ${stderr}`);
  });

  test("bytes that are no text arrive as they are, and as replacement characters", async () => {
    const { pieces, end } = await runShell(["printf", "\\x61\\xff\\xfe\\x62"], { mode });
    expect(pieces).toEqual([{ stream: "stdout", bytes: Buffer.from("Yf/+Yg==", "base64") }]);
    expect(end).toEqual(endWith({ stdout: "a\ufffd\ufffdb" }));
  });

  test("three megabytes come in small pieces, and complete at the end", async () => {
    const { pieces, end } = await runShell(["seq", "-w", "428572"], { mode });
    const expected = Array.from({ length: 428_572 }, (_, index) => `${String(index + 1).padStart(6, "0")}\n`).join("");
    expect(Math.max(...pieces.map((piece) => piece.bytes.length))).toBeLessThanOrEqual(8192);
    expect(bytesOf(pieces, "stdout").toString() === expected).toBe(true);
    expect(end?.["stdout"] === expected && end["aggregated_output"] === expected).toBe(true);
  });
});

describe("what the model is shown of a long output", () => {
  const lines = (from: number, to: number, line = (n: number) => `${n}`) =>
    Array.from({ length: to - from + 1 }, (_, index) => line(from + index)).join("\n");

  const shown = async (script: string): Promise<string> => {
    const { end, answer } = await runShell(["bash", "-c", script], { mode: "danger-full-access" });
    expect(answer).toEqual(answerWith(String(end?.["formatted_output"]), 0));
    return String(end?.["formatted_output"]);
  };

  test("of 400 lines the first and the last 128", async () => {
    expect(await shown("seq 400")).toBe(`${lines(1, 128)}\n[... omitted 144 of 400 lines ...]\n\n${lines(273, 400)}`);
  });

  test("of a thousand long lines exactly 10240 bytes", async () => {
    const text = await shown("for i in $(seq 1000); do printf '%0100d\\n' $i; done");
    expect(text).toHaveLength(10_240);
    const [head = "", tail = ""] = text.split("\n[... omitted 744 of 1000 lines ...]\n\n");
    const padded = (n: number) => String(n).padStart(100, "0");
    expect(lines(1, 128, padded).startsWith(head)).toBe(true);
    expect(head).toHaveLength(5120);
    expect(lines(873, 1000, padded).endsWith(tail)).toBe(true);
  });

  test("of one line of 50 KB both ends", async () => {
    const text = await shown("printf start; head -c 50000 /dev/zero | tr '\\0' x; printf end");
    expect(text).toMatch(/^startx+\n\[\.\.\. omitted 0 of 1 lines \.\.\.\]\n\nx+end$/);
    expect(text).toHaveLength(10_240);
  });

  test("no character is cut", async () => {
    const text = await shown("printf x; for i in $(seq 5000); do printf '😀✓'; done");
    expect(text).toMatch(/^x(?:😀|✓)+\n\[\.\.\. omitted 0 of 1 lines \.\.\.\]\n\n(?:😀|✓)+$/u);
    expect(Buffer.byteLength(text)).toBeGreaterThan(10_230);
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(10_240);
  });
});

describe("other ways to ask for a command", () => {
  test("container.exec is shell; null counts as absent, unknown names are ignored", async () => {
    const args = { command: ["pwd"], workdir: null, timeout_ms: null, timeout: null, other: 1 };
    await using model = await fakeModel([callTool("container.exec", args), say("done")]);
    const run = await runCodex(["exec", "--json", "go"], { model });
    expect(commandEvents(run).begin).toEqual({
      type: "exec_command_begin",
      call_id: "call_1",
      command: ["pwd"],
      cwd: run.work,
      parsed_cmd: [{ type: "unknown", cmd: "pwd" }],
    });
    expect(answersOf(model, 2)).toEqual([answerWith(`${run.work}\n`, 0)]);
  });

  test("a workdir is below the session's directory, or absolute", async () => {
    await using model = await fakeModel([
      callShell(["pwd"], { args: { workdir: "sub/deep" } }),
      callShell(["pwd"], { args: { workdir: "/usr" } }),
      say("done"),
    ]);
    const run = await runCodex(["exec", "--json", "go"], { model, files: { "sub/deep/file": "" } });
    expect([1, 2].map((call) => commandEvents(run, call).begin?.["cwd"])).toEqual([`${run.work}/sub/deep`, "/usr"]);
    expect(answersOf(model, 3)).toEqual([answerWith(`${run.work}/sub/deep\n`, 0), answerWith("/usr\n", 0)]);
  });

  test.each(modes)("local_shell calls of codex-mini run in %s like the others", async (mode) => {
    const call = (call_id: string, action: object) => ({
      items: [
        {
          type: "local_shell_call",
          id: `lsh_${call_id}`,
          call_id,
          status: "completed",
          action: { type: "exec", ...action },
        },
      ],
    });
    await using model = await fakeModel([
      call("call_1", { command: ["bash", "-c", "pwd; exit 3"], working_directory: "sub", env: {} }),
      call("call_2", { command: ["bash", "-c", "echo early; sleep 20"], timeout_ms: 300, env: {} }),
      say("done"),
    ]);
    const run = await runCodex(["exec", "--json", "-m", "codex-mini-latest", "-s", mode, "go"], {
      model,
      files: { "sub/file": "" },
    });
    expect(model.requests[0]?.body).toMatchObject({ tools: expect.arrayContaining([{ type: "local_shell" }]) });
    expect(commandEvents(run).end).toEqual(endWith({ stdout: `${run.work}/sub\n`, exit_code: 3 }));
    expect(answersOf(model, 3)).toEqual([
      answerWith(`${run.work}/sub\n`, 3),
      answerWith("command timed out after 300 milliseconds\nearly\n", 124),
    ]);
  });

  test("each begin says what the command does", async () => {
    const calls: ModelCall[] = [
      ["cat", "src/main.ts"],
      ["bash", "-lc", "cd src && rg -n TODO lib | head -n 5"],
      ["bash", "-lc", "ls src; git status"],
      ["bash", "-lc", "for i in a; do echo $i; done"],
    ].map((command) => ({ name: "shell", args: { command } }));
    await using model = await fakeModel([{ calls }, say("done")]);
    const run = await runCodex(["exec", "--json", "go"], { model });
    const begins = run.messages.filter((message) => message.type === "exec_command_begin");
    expect(begins.map((begin) => begin["parsed_cmd"])).toEqual([
      [{ type: "read", cmd: "cat src/main.ts", name: "main.ts" }],
      [
        { type: "search", cmd: "rg -n TODO lib", query: "TODO", path: "lib" },
        { type: "unknown", cmd: "head -n 5" },
      ],
      [
        { type: "list_files", cmd: "ls src", path: "src" },
        { type: "unknown", cmd: "git status" },
      ],
      [{ type: "unknown", cmd: "for i in a; do echo $i; done" }],
    ]);
  });
});

describe("update_plan", () => {
  const step = (name: string, status: string) => ({ step: name, status });

  test.each([
    ["with an explanation", { explanation: "why", plan: [step("a", "completed"), step("b", "pending")] }],
    ["with two steps in progress", { plan: [step("a", "in_progress"), step("b", "in_progress")] }],
    ["that is empty", { explanation: null, plan: [] }],
  ])("a plan %s is shown and confirmed", async (_, args) => {
    await using model = await fakeModel([callTool("update_plan", args), say("done")]);
    const run = await runCodex(["exec", "--json", "go"], { model });
    expect(run.messages.filter((message) => message.type === "plan_update")).toEqual([
      { type: "plan_update", explanation: null, ...args },
    ]);
    expect(inputOf(model, 2).at(-1)).toEqual({
      type: "function_call_output",
      call_id: "call_1",
      output: "Plan updated",
    });
  });
});

describe("view_image", () => {
  const files = { "pictures/a.png": Buffer.from("iVBORw0KGgo=", "base64") };
  const url = "data:image/png;base64,iVBORw0KGgo=";
  const steps = [callTool("view_image", { path: "pictures/a.png" }), callShell(["true"]), say("done")];

  test("the image follows the answer, once, and stays where it is (responses)", async () => {
    await using model = await fakeModel(steps);
    const run = await runCodex(["exec", "go"], { model, files });
    expect(run).toMatchObject({ exitCode: 0, stdout: "done\n" });
    expect(inputOf(model, 2).slice(-2)).toEqual([
      { type: "function_call_output", call_id: "call_1", output: "attached local image path" },
      { type: "message", role: "user", content: [{ type: "input_image", image_url: url }] },
    ]);
    expect(inputOf(model, 3).slice(0, -2)).toEqual(inputOf(model, 2));
  });

  test("so it is on the chat wire", async () => {
    await using model = await fakeModel(steps);
    const run = await runCodex(["exec", "go"], { model, files, wire: "chat" });
    expect(run).toMatchObject({ exitCode: 0, stdout: "done\n" });
    expect(messagesOf(model, 2).slice(-2)).toEqual([
      { role: "tool", tool_call_id: "call_1", content: "attached local image path" },
      { role: "user", content: [{ type: "image_url", image_url: { url } }] },
    ]);
    expect(messagesOf(model, 3).slice(0, -2)).toEqual(messagesOf(model, 2));
  });
});

describe("the sandbox around a command", () => {
  test.each(["read-only", "workspace-write"] as const)(
    "in %s a write outside is refused, and the model sees why",
    async (mode) => {
      using outside = workspace({ git: false, files: { old: "original" } });
      const script = `echo a > ${outside.work}/new; echo b > ${outside.work}/old`;
      const { run, end } = await runShell(["bash", "-c", script], { mode });
      expect(run.exitCode).toBe(0);
      expect(end).toMatchObject({ exit_code: 1, stderr: expect.stringMatching(/(?:Permission denied\n.*){2}$/s) });
      expect(outside.files()).toEqual({ old: "original" });
    },
  );

  test("the workspace is written to in workspace-write, not in read-only", async () => {
    const write = async (mode: "read-only" | "workspace-write") => {
      const { run, answer } = await runShell(["bash", "-c", "echo a > new"], { mode });
      return { files: run.files, answer };
    };
    expect(await write("workspace-write")).toEqual({ files: { new: "a\n" }, answer: answerWith("", 0) });
    expect(await write("read-only")).toEqual({
      files: {},
      answer: answerWith(expect.stringContaining("new: Permission denied"), 1),
    });
  });

  test("an extra root is written to, the rest is not", async () => {
    using extra = workspace({ git: false });
    const configTables = ["[sandbox_workspace_write]", `writable_roots = [${JSON.stringify(extra.work)}]`];
    const script = `echo a > ${extra.work}/new; echo b > ${extra.home}/new`;
    const { end } = await runShell(["bash", "-c", script], { mode: "workspace-write", configTables });
    expect(end).toMatchObject({ exit_code: 1, stderr: expect.stringContaining("home/new: Permission denied") });
    expect([extra.files(), existsSync(path.join(extra.home, "new"))]).toEqual([{ new: "a\n" }, false]);
  });

  test.each([
    ["/tmp", "exclude_slash_tmp", "/tmp"],
    ["$TMPDIR", "exclude_tmpdir_env_var", "$TMPDIR"],
  ])("%s is writable unless %s says otherwise", async (_, setting, folder) => {
    using temporary = workspace({ git: false });
    const make = async (excluded: boolean) => {
      const configTables = ["[sandbox_workspace_write]", `${setting} = ${excluded}`];
      const script = `made=$(mktemp "${folder}/codex-test-XXXXXX") && rm "$made"`;
      const env = { TMPDIR: temporary.work };
      return (await runShell(["bash", "-c", script], { mode: "workspace-write", configTables, env })).answer;
    };
    expect(await make(false)).toEqual(answerWith("", 0));
    expect(await make(true)).toEqual(answerWith(expect.stringContaining("Permission denied"), 1));
  });

  test.each([
    ["danger-full-access", false, true],
    ["workspace-write", true, true],
    ["workspace-write", false, false],
    ["read-only", true, false],
  ] as const)("in %s with network_access = %s the network is open: %s", async (mode, access, isOpen) => {
    const server = net.createServer((socket) => socket.end("hello"));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as net.AddressInfo; // it listens on a port
    try {
      const { run, end } = await runShell(
        ["bash", "-c", `echo "<$CODEX_SANDBOX_NETWORK_DISABLED>"; exec 6<>/dev/tcp/127.0.0.1/${port} && cat <&6`],
        { mode, configTables: ["[sandbox_workspace_write]", `network_access = ${access}`] },
      );
      expect(run.exitCode).toBe(0);
      if (isOpen) expect(end).toEqual(endWith({ stdout: "<>\nhello" }));
      else {
        expect(end).toMatchObject({
          stdout: "<1>\n",
          stderr: expect.stringContaining("Operation not permitted"),
          exit_code: 1,
        });
      }
    } finally {
      server.close();
    }
  });

  const refused = answerWith(expect.stringMatching(/^cat: .*: Permission denied\n$/), 1);

  test.each([
    ["read-only", refused],
    ["danger-full-access", answerWith(expect.stringContaining("OPENAI_API_KEY=not-for-commands"), 0)],
  ] as const)("a trusted command is held as %s says: it may not read our environment, or may", async (mode, answer) => {
    await using model = await fakeModel([
      () => callShell(["cat", `/proc/${running.child.pid}/environ`]), // trusted by any policy
      say("done"),
    ]);
    const env = { OPENAI_API_KEY: "not-for-commands" };
    const running = startCodex(["exec", "--json", "-s", mode, "go"], { model, env });
    expect((await running.finished()).exitCode).toBe(0);
    expect(answersOf(model, 2)).toEqual([answer]);
  });

  test("a trusted command that runs unasked is in the sandbox all the same", async () => {
    await using model = await fakeModel([callShell(["cat", `/proc/${process.pid}/environ`]), say("done")]);
    const config = ['sandbox_mode = "read-only"', 'approval_policy = "untrusted"'];
    await using talk = await startConversation({ model, config });
    talk.input("go");
    await talk.next("task_complete");
    expect(talk.events.filter(({ msg }) => msg.type === "exec_approval_request")).toEqual([]);
    expect(answersOf(model, 2)).toEqual([refused]);
  });
});

describe("the environment of a command", () => {
  const secrets = {
    OPENAI_API_KEY: "secret-1",
    CODEX_API_KEY: "secret-2",
    GITHUB_TOKEN: "secret-3",
    my_secret_thing: "secret-4",
    AWS_ACCESS_KEY_ID: "secret-5",
  };
  const environmentOf = async (options: Omit<Parameters<typeof runShell>[1], "mode">) => {
    const { run, end } = await runShell(["env", "-0"], { mode: "workspace-write", ...options });
    const entries = String(end?.["stdout"]).split("\0").slice(0, -1);
    const found = Object.fromEntries(entries.map((entry) => entry.split(/=(.*)/s).slice(0, 2)));
    return { found, home: run.home };
  };
  const ofOurs = { CODEX_COMMAND_ID: expect.any(String), CODEX_SANDBOX_NETWORK_DISABLED: "1" };

  test("is ours without what looks like a secret", async () => {
    const { found, home } = await environmentOf({ env: { ...secrets, PLAIN: "a=b\nc" } });
    expect(found).toEqual({
      PATH: expect.stringMatching(/^[^:]+\/dist\/path:/),
      HOME: path.join(home, "../user"),
      CODEX_HOME: home,
      TERM: "dumb",
      LANG: "C.UTF-8",
      TZ: "UTC",
      GIT_CONFIG_GLOBAL: "/dev/null",
      GIT_CONFIG_SYSTEM: "/dev/null",
      PLAIN: "a=b\nc",
      ...ofOurs,
    });
  });

  test("never has our own keys, also when the others are let through", async () => {
    const configTables = ["[shell_environment_policy]", "ignore_default_excludes = true", 'exclude = ["AWS_*"]'];
    const { found } = await environmentOf({ env: secrets, configTables });
    expect(Object.entries(found).filter(([, value]) => /^secret-/.test(String(value)))).toEqual([
      ["GITHUB_TOKEN", "secret-3"],
      ["my_secret_thing", "secret-4"],
    ]);
  });

  test("is what the policy makes of it", async () => {
    const configTables = [
      "[shell_environment_policy]",
      'inherit = "core"',
      'set = { EXTRA_KEY = "x", EXTRA = "y" }',
      'include_only = ["PATH", "EXTRA*"]',
    ];
    const { found } = await environmentOf({ env: { ...secrets, PLAIN: "1" }, configTables });
    expect(found).toEqual({
      PATH: expect.stringMatching(/^[^:]+\/dist\/path:/),
      EXTRA_KEY: "x",
      EXTRA: "y",
      ...ofOurs,
    });
  });

  test("never has the provider's key, whatever its name", async () => {
    const configTables = ["[model_providers.mock.env_http_headers]", 'x-tenant = "TENANT"'];
    const options = { provider: { env_key: "ACME_CREDENTIAL" }, configTables };
    const { found } = await environmentOf({ ...options, env: { ACME_CREDENTIAL: "secret-6", TENANT: "secret-7" } });
    expect(Object.entries(found).filter(([, value]) => /^secret-/.test(String(value)))).toEqual([]);
  });
});
