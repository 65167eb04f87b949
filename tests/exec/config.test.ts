import { mkdirSync, rmSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { callShell, fakeModel, say } from "../support/fake-model.ts";
import { masked } from "../support/mask.ts";
import { inputOf } from "../support/requests.ts";
import { type RunOptions, runCodex } from "../support/run-codex.ts";

const go = ["exec", "--json", "go"];

/** What the model server learned: the name of the model and the base instructions. */
async function asked(args: readonly string[], options: RunOptions) {
  await using model = await fakeModel([say("ok")]);
  const run = await runCodex(args, { model, ...options });
  expect(run.exitCode).toBe(0);
  return { run, model, body: model.requests[0]?.body as Readonly<Record<string, unknown>> };
}

describe("a configuration that cannot be used ends the run with status 1, before anything is asked or printed", () => {
  test.each<[name: string, args: readonly string[], options: RunOptions, stderr: string]>([
    [
      "a wrong type in config.toml",
      [],
      { config: ['model_context_window = "abc"'] },
      'Error: invalid type: string "abc", expected u64\nin `model_context_window`\nfile: <HOME>/config.toml\n',
    ],
    [
      "a syntax error",
      [],
      { config: ['model = "m"', "approval_policy = never"] },
      [
        "Error: TOML parse error at line 2, column 19",
        "  |",
        "2 | approval_policy = never",
        "  |                   ^",
        "invalid value",
        "file: <HOME>/config.toml\n",
      ].join("\n"),
    ],
    [
      "a config.toml that cannot be read",
      [],
      {
        setup: ({ home }) => {
          rmSync(path.join(home, "config.toml"));
          mkdirSync(path.join(home, "config.toml"));
        },
      },
      'Error: Cannot read "<HOME>/config.toml": Is a directory (os error 21)\n',
    ],
    ["an unknown profile from -c", ["-c", "profile=zz"], {}, "Error: config profile `zz` not found\n"],
    ["an unknown profile from -p", ["-p", "zz"], {}, "Error: config profile `zz` not found\n"],
    ["an unknown provider", ["-c", "model_provider=zz"], {}, "Error: Model provider `zz` not found\n"],
    [
      "-c without an equals sign",
      ["-c", "foo"],
      {},
      "Error parsing -c overrides: Invalid override (missing '='): foo\n",
    ],
    ["-c without a key", ["-c", "=x"], {}, "Error parsing -c overrides: Empty key in override: =x\n"],
    [
      "a wrong type from -c, which is in no file",
      ["-c", "model=true"],
      {},
      "Error: invalid type: boolean `true`, expected a string\nin `model`\n",
    ],
    [
      "[history] without persistence",
      [],
      { configTables: ["[history]"] },
      "Error: missing field `persistence`\nin `history`\nfile: <HOME>/config.toml\n",
    ],
    [
      "a CODEX_HOME that is not there",
      [],
      { env: { CODEX_HOME: "/nonexistent/home" } },
      'Error: No such file or directory (os error 2): CODEX_HOME is "/nonexistent/home"\n',
    ],
    [
      "an instructions file that is empty",
      ["-c", "experimental_instructions_file=empty.md"],
      { files: { "empty.md": " \n" } },
      "Error: experimental instructions file is empty: <WS>/empty.md\n",
    ],
    [
      "an instructions file that is not there",
      ["-c", "experimental_instructions_file=none.md"],
      {},
      "Error: failed to read experimental instructions file <WS>/none.md: No such file or directory (os error 2)\n",
    ],
  ])("%s", async (_, args, options, stderr) => {
    const run = await runCodex(["exec", "--json", ...args, "go"], options);
    expect({ exitCode: run.exitCode, stdout: run.stdout, stderr: masked(run.stderr, run) }).toEqual({
      exitCode: 1,
      stdout: "",
      stderr,
    });
  });
});

test("unknown keys at the top, in a profile and in a provider are passed over without a word", async () => {
  const { run } = await asked(["exec", "--json", "-p", "fast", "go"], {
    config: ["frobnicate = 1", "disable_response_storage = true"],
    provider: { colour: "blue" },
    configTables: ["[profiles.fast]", 'shape = "round"', "[unheard_of]", "x = 1"],
  });
  expect(run.stderr).toBe("");
});

describe("which of several values counts", () => {
  const configTables = ["[profiles.fast]", 'model = "of-profile"', "[profiles.plain]"];

  test.each<[name: string, args: readonly string[], model: string]>([
    ["config.toml alone", ["exec", "--json", "go"], "mock-model"],
    ["-c over config.toml", ["exec", "--json", "-c", "model=o3", "go"], "o3"],
    ["-c before the command", ["-c", 'model="early"', "exec", "--json", "go"], "early"],
    ["the -c behind the command over the one before it", ["-c", "model=a", ...go, "-c", "model=b"], "b"],
    ["a profile over config.toml", ["exec", "--json", "-p", "fast", "go"], "of-profile"],
    ["a profile that says nothing of it", ["exec", "--json", "-p", "plain", "-c", "model=x", "go"], "x"],
    ["-c profile=NAME", ["exec", "--json", "-c", "profile=fast", "go"], "of-profile"],
    ["-p over -c profile=NAME", ["exec", "--json", "-c", "profile=zz", "-p", "fast", "go"], "of-profile"],
    ["-c into the profile", ["exec", "--json", "-p", "fast", "-c", "profiles.fast.model=x", "go"], "x"],
    ["-m over all", ["exec", "--json", "-p", "fast", "-c", "model=x", "-m", "flag", "go"], "flag"],
  ])("%s", async (_, args, name) => {
    const { run, body } = await asked(args, { configTables });
    expect(body["model"]).toBe(name);
    expect(run.lines[0]).toMatchObject({ model: name });
    expect(run.stderr).toBe("");
  });

  test("the profile beats -c, and says so on stderr", async () => {
    const { run, body } = await asked(["exec", "--json", "-p", "fast", "-c", "model=x", "go"], { configTables });
    expect(body["model"]).toBe("of-profile");
    expect(run.stderr).toBe(
      'Warning: "-c model" has no effect: the profile "fast" sets it too. Use "-c profiles.fast.model=...".\n',
    );
  });

  test("core 2.8: a profile cannot change the sandbox, and says so on stderr", async () => {
    const strict = ['[profiles.strict]\nsandbox_mode = "read-only"'];
    const { run } = await asked(["exec", "--json", "--full-auto", "-p", "strict", "go"], { configTables: strict });
    expect(run.lines[0]).toMatchObject({ sandbox: expect.stringContaining("workspace-write") });
    expect(run.stderr).toBe(
      'Warning: "profiles.strict.sandbox_mode" has no effect: no profile changes the sandbox. Use -s, or -c sandbox_mode=...\n',
    );
  });
});

describe("settings reach the model", () => {
  const contextOf = (model: Parameters<typeof inputOf>[0]) => inputOf(model, 1)[0]?.content?.[0]?.text;

  test.each<[name: string, args: readonly string[], facts: readonly [mode: string, network: string]]>([
    ["network access is no matter of read-only", [], ["read-only", "restricted"]],
    ["but of workspace-write", ["--full-auto"], ["workspace-write", "enabled"]],
    ["danger-full-access has it anyway", ["--yolo"], ["danger-full-access", "enabled"]],
  ])("%s", async (_, args, [mode, network]) => {
    const configTables = ["[sandbox_workspace_write]", "network_access = true"];
    const { run, model } = await asked(["exec", ...args, "go"], { configTables });
    expect(contextOf(model)?.replace(/\n {2}<shell>\w+<\/shell>/, "")).toBe(
      [
        "<environment_context>",
        `  <cwd>${run.work}</cwd>`,
        "  <approval_policy>never</approval_policy>",
        `  <sandbox_mode>${mode}</sandbox_mode>`,
        `  <network_access>${network}</network_access>`,
        "</environment_context>",
      ].join("\n"),
    );
  });

  test("an instructions file replaces ours whole, also what we say about patches", async () => {
    const { body } = await asked(go, {
      files: { "prompts/own.md": "\n  Be terse.\n\n" },
      config: ['experimental_instructions_file = "prompts/own.md"'],
    });
    expect(body["instructions"]).toBe("Be terse.");
  });

  test("model_context_window is what clients are told", async () => {
    const { run } = await asked(go, { config: ["model_context_window = 12345"] });
    const told = run.messages.flatMap((msg) => {
      if (msg.type === "task_started") return [msg["model_context_window"]];
      return msg.type === "token_count" ? [(msg["info"] as Record<string, unknown>)["model_context_window"]] : [];
    });
    expect(told).toEqual([12345, 12345]);
  });
});

describe(".env", () => {
  test("that of CODEX_HOME beats the environment, but not our own settings; that of the project is nothing", async () => {
    await using model = await fakeModel([
      callShell(["printenv", "FROM_HOME", "FROM_PROJECT", "CODEX_HOME"]),
      say("ok"),
    ]);
    const run = await runCodex(["exec", "--yolo", "go"], {
      homeFiles: { ".env": 'OPENAI_API_KEY=of-home\nCODEX_HOME=/nonexistent\nexport FROM_HOME="a b"\n' },
      files: { ".env": "OPENAI_API_KEY=of-project\nFROM_PROJECT=1\n" },
      env: { OPENAI_BASE_URL: model.url, OPENAI_API_KEY: "of-environment" },
    });
    expect(run).toMatchObject({ exitCode: 0, stdout: "ok\n" });
    expect(model.requests[0]?.headers.authorization).toBe("Bearer of-home");
    expect(JSON.parse(inputOf(model, 2).at(-1)?.output ?? "")).toMatchObject({ output: `a b\n${run.home}\n` });
    expect(run.rollout).not.toEqual([]);
  });
});

describe("AGENTS.md", () => {
  const instructionsOf = (model: Parameters<typeof inputOf>[0]) =>
    inputOf(model, 1)
      .map((item) => item.content?.[0]?.text ?? "")
      .filter((text) => text.startsWith("<user_instructions>"));
  const files = {
    "AGENTS.md": "Root rules\n",
    "sub/AGENTS.md": "Sub rules\n",
    "sub/deep/AGENTS.md": "Deep rules\n",
    "sub/other/AGENTS.md": "Not on the way\n",
  };
  const text = "Home rules\n\n--- project-doc ---\n\nRoot rules\n\n\nSub rules\n\n\nDeep rules\n";

  test("the home's, then the project's from its root down to the directory; the rollout keeps them too", async () => {
    const { run, model } = await asked(["exec", "-C", "sub/deep", "go"], {
      files,
      homeFiles: { "AGENTS.md": "\nHome rules\n\n" },
    });
    expect(instructionsOf(model)).toEqual([`<user_instructions>\n\n${text}\n\n</user_instructions>`]);
    expect(inputOf(model, 1)[0]?.content?.[0]?.text).toMatch(/^<user_instructions>/);
    expect(run.rollout[0]?.payload["instructions"]).toBe(text);
  });

  test("project_doc_max_bytes counts over all files, and what is cut is told", async () => {
    const { run, model } = await asked(["exec", "--json", "-C", "sub", "go"], {
      files: { "AGENTS.md": "12345678\n", "sub/AGENTS.md": "abcdef\n" },
      config: ["project_doc_max_bytes = 12"],
    });
    expect(instructionsOf(model)).toEqual(["<user_instructions>\n\n12345678\n\n\nabc\n\n</user_instructions>"]);
    expect(masked(run.stderr, run)).toBe(
      'Warning: Read only the first 3 bytes of "<WS>/sub/AGENTS.md": project_doc_max_bytes is 12.\n',
    );
  });

  test("project_doc_max_bytes = 0 switches the project's documents off", async () => {
    const { model } = await asked(go, { files, config: ["project_doc_max_bytes = 0"] });
    expect(instructionsOf(model)).toEqual([]);
  });

  test("without a repository only the directory's own counts", async () => {
    const { model } = await asked(["exec", "--skip-git-repo-check", "go"], { files, git: false, cwd: "sub/deep" });
    expect(instructionsOf(model)).toEqual(["<user_instructions>\n\nDeep rules\n\n\n</user_instructions>"]);
  });
});
