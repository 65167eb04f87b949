import { mkdirSync, symlinkSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { callShell, fakeModel, say } from "../support/fake-model.ts";
import { masked } from "../support/mask.ts";
import { type RunOptions, runCodex } from "../support/run-codex.ts";

describe("where a run may start", () => {
  const refused =
    "Error: Not inside a trusted directory and --skip-git-repo-check was not specified. Run it in a git repository, or with that flag.\n";

  test.each<[name: string, args: readonly string[], options: RunOptions, stderr: string]>([
    ["not outside a repository", [], { git: false }, refused],
    ["not where -C leads outside", ["-C", ".."], {}, refused],
    ["not in a directory that is not there", ["-C", "nosuch"], {}, 'Error: No such directory: "nosuch"\n'],
    ["not in a file", ["-C", "file"], { files: { file: "" } }, 'Error: Not a directory: "file"\n'],
  ])("%s", async (_, args, options, stderr) => {
    await using model = await fakeModel([]);
    for (const format of ["--color=never", "--json"]) {
      const run = await runCodex(["exec", format, ...args, "go"], { model, ...options });
      expect([run.exitCode, run.stdout, run.stderr, Object.keys(run.homeFiles)]).toEqual([
        1,
        "",
        stderr,
        ["config.toml"],
      ]);
    }
  });

  test.each<[name: string, args: readonly string[], options: RunOptions, workdir: string]>([
    ["anywhere with --skip-git-repo-check", ["--skip-git-repo-check"], { git: false }, "."],
    [
      "below a .git that is a file",
      [],
      { git: false, files: { ".git": "gitdir: ../elsewhere\n", "a/b/x": "" }, cwd: "a/b" },
      "a/b",
    ],
    ["in what -C names, from outside", ["-C", "work"], { cwd: ".." }, "."],
    [
      "in what a link of -C leads to",
      ["-C", "link"],
      {
        setup: ({ work }) => {
          mkdirSync(path.join(work, "real"));
          symlinkSync("real", path.join(work, "link"));
        },
      },
      "real",
    ],
  ])("%s", async (_, args, options, workdir) => {
    await using model = await fakeModel([callShell(["pwd"]), say("ok")]);
    const run = await runCodex(["exec", "--json", ...args, "go"], { model, ...options });
    const place = path.join(run.work, workdir);
    expect(run.exitCode).toBe(0);
    expect(run.lines[0]).toMatchObject({ workdir: place });
    expect(run.messages.find((msg) => msg.type === "exec_command_end")).toMatchObject({ stdout: `${place}\n` });
    expect(run.rollout[0]?.payload["cwd"]).toBe(place);
  });
});

describe("what the first line says of the policies", () => {
  test.each<[name: string, args: readonly string[], options: RunOptions, sandbox: string]>([
    ["the default", [], {}, "read-only"],
    ["config.toml", [], { config: ['sandbox_mode = "danger-full-access"'] }, "danger-full-access"],
    ["-s over config.toml", ["-s", "read-only"], { config: ['sandbox_mode = "danger-full-access"'] }, "read-only"],
    ["--full-auto", ["--full-auto"], {}, "workspace-write [workdir, /tmp, $TMPDIR]"],
    ["--yolo", ["--yolo"], {}, "danger-full-access"],
    [
      "every setting of workspace-write",
      ["-s", "workspace-write"],
      {
        configTables: [
          "[sandbox_workspace_write]",
          'writable_roots = ["/opt/shared", "out"]',
          "network_access = true",
          "exclude_slash_tmp = true",
          "exclude_tmpdir_env_var = true",
        ],
      },
      "workspace-write [workdir, /opt/shared, <WS>/out] (network access enabled)",
    ],
  ])("%s", async (_, args, options, sandbox) => {
    await using model = await fakeModel([say("ok")]);
    const run = await runCodex(["exec", "--json", ...args, "go"], { model, ...options });
    expect(run.exitCode).toBe(0);
    expect(masked(String(run.lines[0]?.["sandbox"]), run)).toBe(sandbox);
  });

  test("approval is never, whatever is configured, and nobody is asked", async () => {
    await using model = await fakeModel([callShell(["touch", "made.txt"]), say("ok")]);
    const run = await runCodex(["exec", "--json", "--full-auto", "-p", "careful", "go"], {
      model,
      config: ['approval_policy = "untrusted"'],
      configTables: ["[profiles.careful]", 'approval_policy = "on-request"'],
    });
    expect(run).toMatchObject({ exitCode: 0, files: { "made.txt": "" } });
    expect(run.lines[0]).toMatchObject({ approval: "never" });
    expect(run.messages.map((msg) => msg.type)).not.toContain("exec_approval_request");
  });
});

describe("--output-last-message", () => {
  test.each(["--output-last-message", "-o"])(
    "%s gets the answer as it is, and replaces what was there",
    async (flag) => {
      await using model = await fakeModel([say("The answer.")]);
      const files = { "last.txt": "an older and much longer answer\n" };
      const run = await runCodex(["exec", flag, "last.txt", "go"], { model, files });
      expect(run).toMatchObject({ exitCode: 0, stdout: "The answer.\n", files: { "last.txt": "The answer." } });
    },
  );

  test("its place is relative to the process's directory, not to -C", async () => {
    await using model = await fakeModel([say("ok")]);
    const run = await runCodex(["exec", "-C", "sub", "-o", "last.txt", "go"], { model, files: { "sub/x": "" } });
    expect(run).toMatchObject({ exitCode: 0, files: { "last.txt": "ok", "sub/x": "" } });
  });

  test("a last response without text leaves the last message the answer", async () => {
    await using model = await fakeModel([{ ...callShell(["true"]), text: "The answer." }, {}]);
    const run = await runCodex(["exec", "-o", "last.txt", "go"], { model });
    expect(run).toMatchObject({ exitCode: 0, stdout: "The answer.\n", files: { "last.txt": "The answer." } });
  });

  test("a good run without any message: empty, with a warning", async () => {
    await using model = await fakeModel([{}]);
    const run = await runCodex(["exec", "-o", "last.txt", "go"], { model, files: { "last.txt": "old" } });
    expect(run).toMatchObject({ exitCode: 0, stdout: "", files: { "last.txt": "" } });
    expect(run.stderr).toContain("Warning: no last agent message; wrote empty content to last.txt\n");
  });

  const failing = [{ ...callShell(["true"]), text: "Let me look." }, { status: 400 }];

  test("what a failed run said on its way is no answer", async () => {
    await using model = await fakeModel(failing);
    const run = await runCodex(["exec", "-o", "last.txt", "go"], { model });
    expect([run.exitCode, run.stdout, run.files["last.txt"]]).toEqual([1, "", ""]);
  });

  test("a failed run empties the file, so that nobody takes an old answer for a new one", async () => {
    await using model = await fakeModel([{ status: 400 }]);
    const run = await runCodex(["exec", "-o", "last.txt", "go"], { model, files: { "last.txt": "old" } });
    expect([run.exitCode, run.files["last.txt"]]).toEqual([1, ""]);
  });

  test.each([
    ["a directory that is not there", "nosuch/last.txt"],
    ["a directory", "sub"],
  ])("%s ends the run before anything is asked", async (_, file) => {
    await using model = await fakeModel([]);
    const run = await runCodex(["exec", "--json", "-o", file, "go"], { model, files: { "sub/x": "" } });
    expect(run).toMatchObject({ exitCode: 1, stdout: "", files: { "sub/x": "" } });
    expect(run.stderr).toMatch(new RegExp(`^Error: Failed to write last message file "${file}": .+\n$`));
  });

  test("a place that is gone at the end fails the run, but the answer is out", async () => {
    await using model = await fakeModel([callShell(["rm", "-r", "sub"]), say("ok")]);
    const run = await runCodex(["exec", "--yolo", "-o", "sub/last.txt", "go"], { model, files: { "sub/x": "" } });
    expect(run).toMatchObject({ exitCode: 1, stdout: "ok\n", files: {} });
    expect(run.stderr).toContain('\nFailed to write last message file "sub/last.txt": ');
  });
});
