import { mkdirSync, symlinkSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import type { Config, ConfigFlags } from "../../src/config/config.ts";
import { loadConfig } from "../../src/config/load-config.ts";
import type { Environment } from "../../src/lib/environment.ts";
import { UserError } from "../../src/lib/errors.ts";
import { hasNetworkAccess } from "../../src/protocol/policy.ts";
import { tempFolder } from "./temp-folder.ts";

const mcpDefaults = {
  allowCallPrograms: false,
  approvalSchema: "choices",
  approvalTimeoutMs: undefined,
  busy: "queue",
  echoProtocolVersion: false,
  events: "codex",
  exitGraceMs: 5000,
  locked: [],
  maxOutputBytes: undefined,
  maxSandbox: "danger-full-access",
  strictArguments: false,
  structuredTools: false,
};

interface Setup {
  readonly toml?: string;
  readonly files?: Readonly<Record<string, string>>;
  readonly flags?: ConfigFlags;
  readonly env?: Environment;
}

/** Loads from a fresh folder with `home` as CODEX_HOME and `place` as the process's directory. */
function load({ toml, files, flags = {}, env = {} }: Setup = {}): { config: Config; folder: string } {
  const folder = tempFolder({ ...(toml === undefined ? {} : { "home/config.toml": toml }), ...files });
  mkdirSync(path.join(folder, "home"), { recursive: true });
  mkdirSync(path.join(folder, "place"), { recursive: true });
  const config = loadConfig({
    flags,
    env: { HOME: folder, CODEX_HOME: path.join(folder, "home"), ...env },
    processCwd: path.join(folder, "place"),
  });
  return { config, folder };
}

test("without a file everything has its default", () => {
  const { config, folder } = load();
  expect(config).toEqual({
    codexHome: `${folder}/home`,
    cwd: `${folder}/place`,
    env: { HOME: folder, CODEX_HOME: `${folder}/home` },
    profile: undefined,
    model: "gpt-5",
    modelFamily: { supportsReasoning: true, shellTool: "function", applyPatchTool: "none", supportsVerbosity: true },
    modelContextWindow: 272_000,
    modelProviderId: "openai",
    modelProvider: expect.objectContaining({ name: "OpenAI" }),
    modelProviders: new Map([
      ["openai", expect.objectContaining({ name: "OpenAI" })],
      ["oss", expect.objectContaining({ name: "gpt-oss" })],
    ]),
    credentialVariables: ["OPENAI_ORGANIZATION", "OPENAI_PROJECT"],
    modelReasoningEffort: "medium",
    modelReasoningSummary: "auto",
    modelVerbosity: undefined,
    approvalPolicy: "on-request",
    sandboxPolicy: { mode: "read-only" },
    workspaceWrite: {
      mode: "workspace-write",
      writable_roots: [],
      network_access: false,
      exclude_tmpdir_env_var: false,
      exclude_slash_tmp: false,
    },
    shellEnvironmentPolicy: {
      inherit: "all",
      ignoreDefaultExcludes: false,
      exclude: [],
      set: {},
      includeOnly: [],
      useProfile: false,
    },
    baseInstructions: undefined,
    dotEnvNames: [],
    developerInstructions: undefined,
    userInstructions: undefined,
    notify: [],
    hideAgentReasoning: false,
    showRawAgentReasoning: false,
    chatgptBaseUrl: "https://chatgpt.com/backend-api/",
    preferredAuthMethod: undefined,
    chatgptLogin: { issuer: "https://auth.openai.com", clientId: undefined, port: 1455 },
    persistHistory: true,
    ephemeral: false,
    linuxSandbox: "landlock",
    mcp: mcpDefaults,
    mcpServers: {},
    tools: { webSearch: false, viewImage: true, plan: false, applyPatch: false },
    resumePath: undefined,
    isUnattended: false,
    chosen: { cwd: false, approvalPolicy: false, sandboxPolicy: false },
    warnings: [],
  });
});

const profiles = `
model = "top"
approval_policy = "untrusted"
model_reasoning_effort = "high"
chatgpt_base_url = "top"
[profiles.fast]
model = "fast"
approval_policy = "never"
sandbox_mode = "danger-full-access"
[profiles.slow]
model = "slow"
`;

test.each<[name: string, flags: ConfigFlags, expected: Partial<Config>]>([
  ["the top level", {}, { model: "top", approvalPolicy: "untrusted" }],
  ["-c over the top level", { overrides: ["model=c"] }, { model: "c" }],
  ["the later -c", { overrides: ["model=c", "model=d"] }, { model: "d" }],
  ["the profile over the top level", { profile: "fast" }, { model: "fast", modelReasoningEffort: "high" }],
  ["a profile from -c", { overrides: ["profile=fast"] }, { model: "fast", approvalPolicy: "never" }],
  ["-p over -c profile", { profile: "slow", overrides: ["profile=fast"] }, { model: "slow" }],
  ["the profile over -c", { profile: "fast", overrides: ["model=x"] }, { model: "fast" }],
  ["-m over the profile", { profile: "fast", overrides: ["model=x"], model: "m" }, { model: "m" }],
  ["-c into the profile", { profile: "fast", overrides: ["profiles.fast.model=x"] }, { model: "x" }],
  ["a profile's sandbox mode does nothing", { profile: "fast" }, { sandboxPolicy: { mode: "read-only" } }],
  ["a client's settings over -c", { overrides: ["model=c"], settings: { model: "s" } }, { model: "s" }],
  ["a client's settings under the profile", { profile: "fast", settings: { model: "s" } }, { model: "fast" }],
  ["a client's null is the default", { settings: { model: null } }, { model: "gpt-5" }],
  ["no file", { ignoreUserConfig: true }, { model: "gpt-5", approvalPolicy: "on-request" }],
  ["no file, but -c", { ignoreUserConfig: true, overrides: ["model=c"] }, { model: "c" }],
  [
    "flags over all",
    {
      profile: "fast",
      approvalPolicy: "on-failure",
      sandboxMode: "danger-full-access",
      modelProvider: "oss",
      ephemeral: true,
      includePlanTool: true,
      includeApplyPatchTool: true,
    },
    {
      approvalPolicy: "on-failure",
      sandboxPolicy: { mode: "danger-full-access" },
      modelProviderId: "oss",
      ephemeral: true,
      tools: { webSearch: false, viewImage: true, plan: true, applyPatch: true },
    },
  ],
])("precedence: %s", (_, flags, expected) => {
  expect(load({ toml: profiles, flags }).config).toMatchObject(expected);
});

test.each<[name: string, flags: ConfigFlags, warnings: readonly string[]]>([
  [
    "is told",
    { profile: "fast", overrides: ["model=x", "approval_policy=never", "model=y", "model_verbosity=low"] },
    ['"-c model" has no effect: the profile "fast" sets it too. Use "-c profiles.fast.model=...".'],
  ],
  ["is not told when the flag beats both", { profile: "fast", overrides: ["model=x"], model: "m" }, []],
  ["is not told when the profile says the same", { profile: "fast", overrides: ["model=fast"] }, []],
  ["is not told without a profile", { overrides: ["model=x", "constructor=1"] }, []],
])("a -c key that the profile shadows %s", (_, flags, warnings) => {
  expect(load({ toml: profiles.replace("sandbox_mode", "# sandbox_mode"), flags }).config.warnings).toEqual(warnings);
});

test.each<[name: string, setup: Setup, message: string]>([
  ["an unknown profile", { flags: { overrides: ["profile=zz"] } }, "config profile `zz` not found"],
  ["a profile of no own name", { flags: { profile: "__proto__" } }, "config profile `__proto__` not found"],
  ["an unknown provider", { flags: { overrides: ["model_provider=zz"] } }, "Model provider `zz` not found"],
  [
    "a wrong type from -c, which is not in the file",
    { toml: 'model = "m"', flags: { overrides: ["model=true"] } },
    "invalid type: boolean `true`, expected a string\nin `model`\n",
  ],
  [
    "a wrong type inside a table from -c",
    { flags: { overrides: ["model_providers.x={base_url='u'}"] } },
    "missing field `name`\nin `model_providers.x`\n",
  ],
  [
    "a wrong type from a client",
    { flags: { settings: { model_reasoning_effort: "bogus" } } },
    "unknown variant `bogus`, expected one of `minimal`, `low`, `medium`, `high`\nin `model_reasoning_effort`\n",
  ],
  ["a missing directory", { flags: { cwd: "nosuch" } }, 'No such directory: "nosuch"'],
  ["a file as directory", { files: { "place/file": "" }, flags: { cwd: "file" } }, 'Not a directory: "file"'],
])("%s is refused", (_, setup, message) => {
  expect(() => load(setup)).toThrow(new UserError(message));
});

test("a wrong type in the file names the file", () => {
  const folder = tempFolder({ "home/config.toml": 'model_context_window = "abc"' });
  expect(() => loadConfig({ flags: {}, env: { CODEX_HOME: `${folder}/home` }, processCwd: folder })).toThrow(
    new UserError(
      `invalid type: string "abc", expected u64\nin \`model_context_window\`\nfile: ${folder}/home/config.toml`,
    ),
  );
});

test("-C is relative to the process's directory and made canonical", () => {
  const folder = tempFolder({ "place/real/x": "" });
  symlinkSync("real", path.join(folder, "place/link"));
  const cwdOf = (cwd: string) =>
    loadConfig({ flags: { cwd }, env: { HOME: folder }, processCwd: path.join(folder, "place") }).cwd;
  expect([cwdOf("link"), cwdOf(path.join(folder, "place/link/..")), cwdOf("")]).toEqual([
    `${folder}/place/real`,
    `${folder}/place`,
    `${folder}/place`,
  ]);
});

test(".env of the home counts, that of the project does not", () => {
  const { config } = load({
    files: {
      "home/.env": "OPENAI_API_KEY=a\nCODEX_HOME=/x\nOPENAI_BASE_URL=http://127.0.0.1:1/v1",
      "place/.env": "OPENAI_API_KEY=c\nOTHER=1",
    },
    env: { OPENAI_API_KEY: "b" },
  });
  expect(config.env).toMatchObject({ OPENAI_API_KEY: "a", CODEX_HOME: config.codexHome });
  expect(config.env).not.toHaveProperty("OTHER");
  expect(config.modelProvider.baseUrl).toBe("http://127.0.0.1:1/v1");
});

test("a .env that cannot be read is told", () => {
  const { config, folder } = load({ files: { "home/.env/x": "" } });
  expect(config.warnings).toEqual([`Ignored "${folder}/home/.env": Is a directory (os error 21)`]);
});

const workspaceWrite = `
sandbox_mode = "workspace-write"
[sandbox_workspace_write]
writable_roots = ["/abs", "rel/x", "~/cache", "~", "~other"]
network_access = true
exclude_slash_tmp = true
`;

test("the workspace-write policy has absolute roots", () => {
  const { config, folder } = load({ toml: workspaceWrite });
  expect(config.sandboxPolicy).toEqual({
    mode: "workspace-write",
    writable_roots: ["/abs", `${folder}/place/rel/x`, `${folder}/cache`, folder, `${folder}/place/~other`],
    network_access: true,
    exclude_tmpdir_env_var: false,
    exclude_slash_tmp: true,
  });
});

test("network access is a matter of workspace-write alone", () => {
  const policy = load({ toml: workspaceWrite, flags: { sandboxMode: "read-only" } }).config.sandboxPolicy;
  expect(policy).toEqual({ mode: "read-only" });
  expect(hasNetworkAccess(policy)).toBe(false);
});

test.each<[name: string, setup: Setup, supportsReasoning: boolean, contextWindow: number | null]>([
  ["an unknown model", { flags: { model: "x" } }, false, null],
  ["forced", { toml: "model_supports_reasoning_summaries = true", flags: { model: "x" } }, true, null],
  ["switched off", { toml: "model_supports_reasoning_summaries = false" }, false, 272_000],
  ["a window of its own", { toml: "model_context_window = 9", flags: { model: "x" } }, false, 9],
])("the model's facts: %s", (_, setup, supportsReasoning, contextWindow) => {
  const { config } = load(setup);
  expect([config.modelFamily.supportsReasoning, config.modelContextWindow]).toEqual([supportsReasoning, contextWindow]);
});

test.each<[name: string, setup: Setup, expected: string | undefined]>([
  [
    "a file, relative to the directory",
    {
      files: { "place/sub/i.md": "\n be good \n" },
      flags: { cwd: "sub", overrides: ["experimental_instructions_file=i.md"] },
    },
    "be good",
  ],
  [
    "the profile's file over the top level's",
    {
      files: { "place/a.md": "a", "place/b.md": "b" },
      toml: 'experimental_instructions_file = "a.md"\nprofile = "p"\n[profiles.p]\nexperimental_instructions_file = "b.md"',
    },
    "b",
  ],
  [
    "a client's text over the file",
    {
      files: { "place/a.md": "a" },
      flags: { baseInstructions: "client", overrides: ["experimental_instructions_file=a.md"] },
    },
    "client",
  ],
  ["a text in the file", { toml: 'base_instructions = "text"' }, "text"],
])("base instructions: %s", (_, setup, expected) => {
  expect(load(setup).config.baseInstructions).toBe(expected);
});

test("an instructions file that is empty or missing is refused", () => {
  const folder = tempFolder({ "empty.md": " \n" });
  const use = (file: string) => () =>
    loadConfig({
      flags: { overrides: [`experimental_instructions_file=${file}`] },
      env: { HOME: folder },
      processCwd: folder,
    });
  expect(use("empty.md")).toThrow(new UserError(`experimental instructions file is empty: ${folder}/empty.md`));
  expect(use("none.md")).toThrow(
    new UserError(
      `failed to read experimental instructions file ${folder}/none.md: No such file or directory (os error 2)`,
    ),
  );
});

test.each<[toml: string | undefined, flag: boolean | undefined, shown: boolean]>([
  [undefined, undefined, false],
  [undefined, true, true],
  ["show_raw_agent_reasoning = false", true, false],
  ["show_raw_agent_reasoning = true", undefined, true],
])("raw reasoning: the file says %j, --oss says %j", (toml, flag, shown) => {
  const flags = flag === undefined ? {} : { showRawAgentReasoning: flag };
  expect(load({ ...(toml === undefined ? {} : { toml }), flags }).config.showRawAgentReasoning).toBe(shown);
});

test("project_doc_max_bytes reaches the documents, and what is cut is told", () => {
  const { config, folder } = load({
    toml: "project_doc_max_bytes = 4",
    files: { "home/AGENTS.md": "home\n", "place/AGENTS.md": "project" },
  });
  expect(config.userInstructions).toBe("home\n\n--- project-doc ---\n\nproj");
  expect(config.warnings).toEqual([
    `Read only the first 4 bytes of "${folder}/place/AGENTS.md": project_doc_max_bytes is 4.`,
  ]);
});

test("remaining settings reach the config", () => {
  const { config, folder } = load({
    toml: 'experimental_resume = "r.jsonl"\nmodel_auto_compact_token_limit = 9\nnotify = ["n"]\n[history]\npersistence = "none"\n[tools]\nweb_search = true\nview_image = false',
    flags: { developerInstructions: "dev" },
  });
  expect(config).toMatchObject({
    resumePath: `${folder}/place/r.jsonl`,
    modelAutoCompactTokenLimit: 9,
    notify: ["n"],
    persistHistory: false,
    developerInstructions: "dev",
    tools: { webSearch: true, viewImage: false },
  });
});

const chosen = (flags: ConfigFlags) =>
  Object.entries(load({ flags }).config.chosen).flatMap(([name, is]) => (is ? [name] : []));

test.each<[name: string, flags: ConfigFlags, expected: readonly string[]]>([
  ["nothing", {}, []],
  [
    "flags",
    { cwd: "/", sandboxMode: "read-only", approvalPolicy: "never" },
    ["cwd", "approvalPolicy", "sandboxPolicy"],
  ],
  ["-c", { overrides: ["sandbox_mode=read-only", "approval_policy=never"] }, ["approvalPolicy", "sandboxPolicy"]],
  ["a client's settings", { settings: { sandbox_mode: "read-only" } }, ["sandboxPolicy"]],
  ["a part of a mode that does not hold", { overrides: ["sandbox_workspace_write.network_access=true"] }, []],
  ["a part of the mode", { sandboxMode: "workspace-write" }, ["sandboxPolicy"]],
  ["an approval policy that exec cannot have", { isUnattended: true, overrides: ["approval_policy=untrusted"] }, []],
  ["the one it has", { isUnattended: true, overrides: ["approval_policy=never"] }, ["approvalPolicy"]],
])("said for this very run: %s", (_, flags, expected) => {
  expect(chosen(flags)).toEqual(expected);
});
