import { existsSync, symlinkSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { callShell, callTool, fakeModel, type ModelStep, say } from "../support/fake-model.ts";
import { inputOf, messagesOf } from "../support/requests.ts";
import { type CodexRun, type RunOptions, runCodex } from "../support/run-codex.ts";
import { answerWith, endWith, parsedAnswer } from "../support/shell-run.ts";
import { workspace } from "../support/workspace.ts";

interface PatchRun {
  readonly run: CodexRun;
  /** The events of the patch, without the rest. */
  readonly events: readonly object[];
  readonly diffs: readonly unknown[];
  /** What the model was told in the end. */
  readonly answer: unknown;
}

const patch = (...lines: readonly string[]) => ["*** Begin Patch", ...lines, "*** End Patch"].join("\n");

/** One run in which the model patches in one or several steps, and then says "done". */
async function runPatches(
  steps: readonly ModelStep[],
  { args = ["--full-auto"], ...options }: { readonly args?: readonly string[] } & Omit<RunOptions, "model"> = {},
): Promise<PatchRun> {
  await using model = await fakeModel([...steps, say("done")]);
  const run = await runCodex(["exec", "--json", ...args, "go"], { ...options, model });
  expect(run.exitCode).toBe(0);
  return {
    run,
    events: run.messages.filter(({ type }) => type.startsWith("patch_apply") || type.startsWith("exec_command")),
    diffs: run.messages.flatMap((message) => (message.type === "turn_diff" ? [message["unified_diff"]] : [])),
    answer: parsedAnswer(inputOf(model, steps.length + 1).at(-1)?.output),
  };
}

const apply = (...lines: readonly string[]) => callShell(["apply_patch", patch(...lines)]);

describe("a patch can be asked for", () => {
  const files = { "a.txt": "one\ntwo\n" };
  const change = patch("*** Update File: a.txt", "@@", "-two", "+TWO", "*** Add File: b.txt", "+new");
  const heredoc = `apply_patch <<'EOF'\n${change}\nEOF\n`;
  const events = (work: string) => [
    {
      type: "patch_apply_begin",
      call_id: "call_1",
      auto_approved: true,
      changes: {
        [`${work}/a.txt`]: { update: { unified_diff: "@@ -1,2 +1,2 @@\n one\n-two\n+TWO\n", move_path: null } },
        [`${work}/b.txt`]: { add: { content: "new\n" } },
      },
    },
    {
      type: "patch_apply_end",
      call_id: "call_1",
      stdout: "Success. Updated the following files:\nA b.txt\nM a.txt\n",
      stderr: "",
      success: true,
    },
  ];
  const after = { "a.txt": "one\nTWO\n", "b.txt": "new\n" };

  test.each<[string, ModelStep]>([
    ["as a function", callTool("apply_patch", { input: change })],
    ["as a custom tool", { calls: [{ name: "apply_patch", custom: change }] }],
    ["as a command", callShell(["apply_patch", change])],
    ["as a command under its other name", callShell(["applypatch", change])],
    ["as a command with here-document marks", callShell(["apply_patch", `<<'EOF'\n${change}\nEOF`])],
    ["in a login shell", callShell(["bash", "-lc", heredoc])],
    ["in a plain shell", callShell(["bash", "-c", heredoc])],
    ["in another shell", callShell(["/bin/sh", "-c", heredoc])],
    ["behind a change to the same directory", callShell(["bash", "-lc", `cd . && ${heredoc}`])],
    ["from a pipe", callShell(["bash", "-lc", `cat <<'EOF' | apply_patch\n${change}\nEOF\n`])],
  ])("%s", async (_, step) => {
    const result = await runPatches([step], { files });
    expect(result.events).toEqual(events(result.run.work));
    expect(result.run.files).toEqual(after);
    expect(result.answer).toEqual(answerWith("Success. Updated the following files:\nA b.txt\nM a.txt\n", 0));
  });

  test("as the function that gpt-oss is offered, on the chat wire", async () => {
    await using model = await fakeModel([callTool("apply_patch", { input: change }), say("done")]);
    const args = ["exec", "--json", "--full-auto", "-m", "gpt-oss-20b", "go"];
    const run = await runCodex(args, { model, files, wire: "chat" });
    expect(model.requests[0]?.body).toMatchObject({
      tools: expect.arrayContaining([
        { type: "function", function: expect.objectContaining({ name: "apply_patch", strict: false }) },
      ]),
    });
    expect(run.messages.filter(({ type }) => type.startsWith("patch_apply"))).toEqual(events(run.work));
    expect(run.files).toEqual(after);
    expect(messagesOf(model, 2).at(-1)).toEqual({
      role: "tool",
      tool_call_id: "call_1",
      content: expect.stringContaining("Success. Updated the following files"),
    });
  });

  test.each([
    ["below workdir and cd", "cd 'a b' && ", { workdir: "base" }, "base/a b"],
    ["below a workdir", "", { workdir: "base" }, "base"],
  ])("%s, and moves are relative to the same place", async (_, cd, args, folder) => {
    const move = patch("*** Update File: old.txt", "*** Move to: sub/new.txt", "@@", "-x", "+y");
    const step = callShell(["bash", "-lc", `${cd}apply_patch <<EOF\n${move}\nEOF`], { args });
    const { run, events: found } = await runPatches([step], { files: { [`${folder}/old.txt`]: "x\n" } });
    expect(run.files).toEqual({ [`${folder}/sub/new.txt`]: "y\n" });
    expect(found).toMatchObject([
      {
        changes: {
          [`${run.work}/${folder}/old.txt`]: {
            update: { unified_diff: "@@ -1 +1 @@\n-x\n+y\n", move_path: `${run.work}/${folder}/sub/new.txt` },
          },
        },
      },
      { stdout: "Success. Updated the following files:\nM sub/new.txt\n" },
    ]);
  });

  const among = async (command: readonly string[]) => {
    const { run, events: found } = await runPatches([callShell(command)], { files: { ...files, change } });
    return {
      files: run.files,
      events: found.filter((event) => "type" in event && !String(event.type).endsWith("delta")),
    };
  };
  const applied = (command: readonly string[]) => ({
    files: { ...after, change },
    events: [
      expect.objectContaining({ type: "exec_command_begin", command }),
      endWith({ stdout: "Success. Updated the following files:\nA b.txt\nM a.txt\ndone\n" }),
    ],
  });

  test.each([
    [["bash", "-lc", `apply_patch <<'EOF' && echo done\n${change}\nEOF\n`]],
    [["bash", "-c", `true; ${heredoc}echo done`]],
    [["bash", "-lc", 'apply_patch "$(cat change)" && echo done']],
    [["bash", "-c", "bash -c 'applypatch < change'; echo done"]],
    [["env", "-C", ".", "bash", "-c", "cat change | apply_patch && echo done"]],
  ])("among other commands: %j", async (command) => {
    expect(await among(command)).toEqual(applied(command));
  });

  // Only bash knows the functions that a script's environment brings along.
  test.each([
    [["sh", "-c", "apply_patch < change && echo done"]],
    [["bash", "-c", "xargs -0 apply_patch < change; echo done"]],
  ])("among other commands: %j", async (command) => {
    expect(await among(command)).toEqual(applied(command));
  });
});

describe("a patch", () => {
  test("adds, updates, moves and deletes in one go", async () => {
    const { run, events, diffs, answer } = await runPatches(
      [
        apply(
          "*** Delete File: del.txt",
          "*** Update File: a.txt",
          "*** Move to: moved/b.txt",
          "@@",
          "-one",
          "+ONE",
          " two",
          "*** Add File: d/e/new.txt",
          "+x",
          "+",
          "+y",
        ),
      ],
      { files: { "a.txt": "one\ntwo\n", "del.txt": "bye\n" } },
    );
    const stdout = "Success. Updated the following files:\nA d/e/new.txt\nM moved/b.txt\nD del.txt\n";
    expect(run.files).toEqual({ "d/e/new.txt": "x\n\ny\n", "moved/b.txt": "ONE\ntwo\n" });
    expect(events).toEqual([
      {
        type: "patch_apply_begin",
        call_id: "call_1",
        auto_approved: true,
        changes: {
          [`${run.work}/a.txt`]: {
            update: { unified_diff: "@@ -1,2 +1,2 @@\n-one\n+ONE\n two\n", move_path: `${run.work}/moved/b.txt` },
          },
          [`${run.work}/d/e/new.txt`]: { add: { content: "x\n\ny\n" } },
          [`${run.work}/del.txt`]: { delete: { content: "bye\n" } },
        },
      },
      { type: "patch_apply_end", call_id: "call_1", stdout, stderr: "", success: true },
    ]);
    expect(answer).toEqual(answerWith(stdout, 0));
    expect(diffs).toEqual([
      [
        "diff --git a/d/e/new.txt b/d/e/new.txt",
        "new file mode 100644",
        "index 0000000000000000000000000000000000000000..f7d4fc49aaa69369b88ac2740f25d39a074aa7dc",
        "--- /dev/null",
        "+++ b/d/e/new.txt",
        "@@ -0,0 +1,3 @@",
        "+x",
        "+",
        "+y",
        "diff --git a/del.txt b/del.txt",
        "deleted file mode 100644",
        "index b023018cabc396e7692c70bbf5784a93d3f738ab..0000000000000000000000000000000000000000",
        "--- a/del.txt",
        "+++ /dev/null",
        "@@ -1 +0,0 @@",
        "-bye",
        "diff --git a/a.txt b/moved/b.txt",
        "index 814f4a422927b82f5f8a43f8fab6d3839e3983f2..4c1ee586b89c236961f884e55c2745659e6e45f6",
        "--- a/a.txt",
        "+++ b/moved/b.txt",
        "@@ -1,2 +1,2 @@",
        "-one",
        "+ONE",
        " two",
        "",
      ].join("\n"),
    ]);
  });

  test.each<[string, Readonly<Record<string, string>>, readonly string[], Readonly<Record<string, string>>]>([
    [
      "finds a block at the end of the file",
      { a: "x\ny\nx\n" },
      ["*** Update File: a", "@@", "-x", "+z", "*** End of File"],
      { a: "x\ny\nz\n" },
    ],
    [
      "adds at the end, whatever its context",
      { a: "x\ny\n" },
      ["*** Update File: a", "@@ x", "+z"],
      { a: "x\ny\nz\n" },
    ],
    ["gives a file its final newline", { a: "x\ny" }, ["*** Update File: a", "@@", "-x", "+z"], { a: "z\ny\n" }],
    ["adds an empty file", {}, ["*** Add File: a"], { a: "" }],
    ["adds over an existing file", { a: "x\n" }, ["*** Add File: a", "+z"], { a: "z\n" }],
    [
      "sees its own first change in the second",
      { a: "x\ny\n" },
      ["*** Update File: a", "@@", "-x", "+1", "*** Update File: a", "@@", " 1", "-y", "+2"],
      { a: "1\n2\n" },
    ],
    [
      "keeps the line ends of a CRLF file",
      { a: "x\r\ny\r\nz\r\n" },
      ["*** Update File: a", "@@", " x", "-y", "+1", "+2"],
      { a: "x\r\n1\r\n2\r\nz\r\n" },
    ],
  ])("%s", async (_, files, lines, expected) => {
    const { run, events } = await runPatches([apply(...lines)], { files });
    expect(events.at(-1)).toMatchObject({ type: "patch_apply_end", stderr: "", success: true });
    expect(run.files).toEqual(expected);
  });

  test.each([
    [
      "no patch",
      ["apply_patch", "no patch"],
      "error: invalid patch: The first line of the patch must be '*** Begin Patch'",
    ],
    [
      "a missing file",
      ["apply_patch", patch("*** Update File: no", "@@", "-x")],
      "error: Failed to read file to update <WS>/no: No such file or directory (os error 2)",
    ],
    [
      "the end in the middle",
      ["apply_patch", patch("*** Update File: a", "@@", "-x", "*** End of File")],
      "error: Failed to find expected lines in <WS>/a:\nx\nFound at line 1, not at the end of the file: leave out '*** End of File'.",
    ],
    ["nothing to change", ["apply_patch", patch()], "patch rejected: empty patch"],
  ])("%s: nothing changes, and no event comes", async (_, command, message) => {
    const { run, events, answer } = await runPatches([callShell(command)], { files: { a: "x\ny\n" } });
    expect(events).toEqual([]);
    expect(String(answer).replaceAll(run.work, "<WS>")).toBe(message);
    expect(run.files).toEqual({ a: "x\ny\n" });
  });

  test("whose second file cannot be written has written the first, and says so", async () => {
    const steps = [apply("*** Add File: first", "+1", "*** Add File: folder", "+2", "*** Add File: third", "+3")];
    const { run, events, diffs, answer } = await runPatches(steps, { files: { "folder/file": "" } });
    const stderr = `Failed to write file ${run.work}/folder: Is a directory (os error 21)\n`;
    expect(run.files).toEqual({ first: "1\n", "folder/file": "" });
    expect(events.at(-1)).toEqual({ type: "patch_apply_end", call_id: "call_1", stdout: "", stderr, success: false });
    expect(answer).toEqual(answerWith(stderr, 1));
    expect(diffs).toEqual([expect.stringMatching(/^diff --git a\/first b\/first\n/)]);
  });

  test.each(["workspace-write", "danger-full-access"])("of 200 KB is applied in %s", async (mode) => {
    const lines = Array.from({ length: 4_000 }, (_, index) => `line ${index} of a long file, ${"x".repeat(30)}`);
    const old = lines.map((line) => `${line}\n`).join("");
    const steps = [
      callTool("apply_patch", { input: patch("*** Add File: added", ...lines.map((line) => `+${line}`)) }),
      apply("*** Update File: old", "@@", ...lines.flatMap((line) => [`-${line}`, `+${line.toUpperCase()}`])),
    ];
    const { run, events } = await runPatches(steps, { args: ["-s", mode], files: { old } });
    expect(events.map((event) => "success" in event && event.success)).toEqual([false, true, false, true]);
    expect(run.files["added"] === old && run.files["old"] === old.toUpperCase()).toBe(true);
  });
});

describe("where a patch may write", () => {
  const rejected = "patch rejected: writing outside of the project; rejected by user approval settings";

  test.each([
    ["a hook", "workspace-write", ".git/hooks/pre-commit"],
    ["a hook of a repository below", "workspace-write", "sub/.git/hooks/pre-commit"],
    ["a hook, by a name that some file systems take for the same", "workspace-write", ".GIT/hooks/pre-commit"],
    ["a hook, by a detour", "workspace-write", "sub/../.git/./hooks/pre-commit"],
    ["a worktree's pointer", "workspace-write", "sub/.git"],
    ["above", "workspace-write", "../out"],
    ["above, by a detour", "workspace-write", "sub/../../out"],
    ["an absolute path", "workspace-write", "/var/tmp/codex-test-out"],
    ["the workspace, when that is read-only", "read-only", "in"],
  ])("not to %s", async (_, mode, file) => {
    const { run, events, answer } = await runPatches([apply(`*** Add File: ${file}`, "+x")], {
      args: ["-s", mode],
      files: { "sub/file": "" },
    });
    expect({ events, answer, files: run.files }).toEqual({ events: [], answer: rejected, files: { "sub/file": "" } });
    expect(existsSync(path.resolve(run.work, file))).toBe(false);
  });

  test("not to .git below another root, as /tmp is for a project in it", async () => {
    using extra = workspace();
    const configTables = ["[sandbox_workspace_write]", `writable_roots = [${JSON.stringify(extra.root)}]`];
    const hook = `${extra.work}/.git/hooks/pre-commit`;
    const options = { args: ["-s", "workspace-write"], configTables };
    const { answer } = await runPatches([apply(`*** Add File: ${hook}`, "+x")], options);
    expect([answer, existsSync(hook)]).toEqual([rejected, false]);
    const allowed = await runPatches([apply(`*** Add File: ${extra.work}/made`, "+x")], options);
    expect([allowed.events.at(-1), extra.files()]).toEqual([
      expect.objectContaining({ success: true }),
      { made: "x\n" },
    ]);
  });

  test("anywhere without a sandbox", async () => {
    using outside = workspace({ git: false });
    const { events } = await runPatches([apply(`*** Add File: ${outside.work}/made`, "+x")], {
      args: ["-s", "danger-full-access"],
    });
    expect(events.at(-1)).toMatchObject({ success: true });
    expect(outside.files()).toEqual({ made: "x\n" });
  });

  test.each([
    ["adds a file behind it", ["*** Add File: link/new", "+x"]],
    ["changes a file behind it", ["*** Update File: link/old", "@@", "-original", "+changed"]],
    ["deletes a file behind it", ["*** Delete File: link/old"]],
    ["moves a file behind it", ["*** Update File: mine", "*** Move to: link/mine", "@@", "-mine", "+yours"]],
    ["changes the file it is", ["*** Update File: file-link", "@@", "-original", "+changed"]],
    ["writes over the file it is", ["*** Add File: file-link", "+x"]],
    ["makes the file it names", ["*** Add File: dangling", "+x"]],
  ])("not through a link that leads out: a patch that %s", async (_, lines) => {
    using outside = workspace({ git: false, files: { old: "original\n" } });
    const { run, events } = await runPatches([apply(...lines)], {
      files: { mine: "mine\n" },
      setup: ({ work }) => {
        symlinkSync(outside.work, path.join(work, "link"));
        symlinkSync(path.join(outside.work, "old"), path.join(work, "file-link"));
        symlinkSync(path.join(outside.work, "made"), path.join(work, "dangling"));
      },
    });
    expect(events.at(-1)).toMatchObject({ success: false, stderr: expect.stringContaining("Permission denied") });
    expect([run.files, outside.files()]).toEqual([{ mine: "mine\n" }, { old: "original\n" }]);
  });
});

describe("turn_diff", () => {
  const added = (name: string) =>
    [
      `diff --git a/${name} b/${name}`,
      "new file mode 100644",
      "index 0000000000000000000000000000000000000000..45b983be36b73c0788dc9cbcb76cbb80fc7bb057",
      "--- /dev/null",
      `+++ b/${name}`,
      "@@ -0,0 +1 @@",
      "+hi",
      "",
    ].join("\n");

  test("comes after each patch, and not again when nothing changed", async () => {
    const steps = [
      apply("*** Add File: a", "+hi"),
      callShell(["true"]),
      apply("*** Add File: b", "+hi"),
      callShell(["true"]),
    ];
    const { diffs } = await runPatches(steps);
    expect(diffs).toEqual([added("a"), added("a") + added("b")]);
  });

  test("comes at the end when a command changed a patched file since", async () => {
    const steps = [apply("*** Add File: a", "+hi"), callShell(["chmod", "+x", "a"]), callShell(["touch", "unpatched"])];
    const { diffs } = await runPatches(steps);
    expect(diffs).toEqual([added("a"), added("a").replace("100644", "100755")]);
  });

  test("knows modes, binary and empty files, below the root of the repository", async () => {
    const steps = [
      callShell(["bash", "-c", "printf '\\xff' > binary"]),
      apply("*** Add File: binary", "+hi", "*** Add File: empty", "*** Update File: script", "@@", "-hi", "+ho"),
      callShell(["chmod", "+x", "script"]),
    ];
    const { diffs } = await runPatches(steps, { cwd: "sub", files: { "sub/script": "hi\n" } });
    expect(diffs.at(-1)).toBe(
      [
        "diff --git a/sub/binary b/sub/binary",
        "index ce542efaa5124a0437f0c4db329d7ec4b7ba70a7..45b983be36b73c0788dc9cbcb76cbb80fc7bb057",
        "--- a/sub/binary",
        "+++ b/sub/binary",
        "Binary files differ",
        "diff --git a/sub/empty b/sub/empty",
        "new file mode 100644",
        "index 0000000000000000000000000000000000000000..e69de29bb2d1d6434b8b29ae775ad8c2e48c5391",
        "diff --git a/sub/script b/sub/script",
        "old mode 100644",
        "new mode 100755",
        "index 45b983be36b73c0788dc9cbcb76cbb80fc7bb057..ab4a98190cf776b43cb0fe57cef231fb93fd07e6",
        "--- a/sub/script",
        "+++ b/sub/script",
        "@@ -1 +1 @@",
        "-hi",
        "+ho",
        "",
      ].join("\n"),
    );
  });

  test("is not there for a patch that came to nothing", async () => {
    const { diffs } = await runPatches([apply("*** Update File: a", "@@", "-no", "+yes")], { files: { a: "x\n" } });
    expect(diffs).toEqual([]);
  });
});
