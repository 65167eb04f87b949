import { mkdirSync, readFileSync, symlinkSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { checkConfig, readConfigFile, unknownKeys } from "../../src/config/config-toml.ts";
import { parseTomlFile } from "../../src/config/parse-toml.ts";
import { UserError } from "../../src/lib/errors.ts";
import { tempFolder } from "./temp-folder.ts";

function check(toml: string) {
  return checkConfig(parseTomlFile(toml, "/home/config.toml"), () => "/home/config.toml");
}

test.each([
  ['model_context_window = "abc"', 'invalid type: string "abc", expected u64', "model_context_window"],
  ["model_context_window = -1", "invalid value: integer `-1`, expected u64", "model_context_window"],
  ["model_context_window = 1.5", "invalid type: floating point `1.5`, expected u64", "model_context_window"],
  ["model_context_window = 1.0", "invalid type: floating point `1.0`, expected u64", "model_context_window"],
  ["project_doc_max_bytes = true", "invalid type: boolean `true`, expected u64", "project_doc_max_bytes"],
  ["model = true", "invalid type: boolean `true`, expected a string", "model"],
  ["mcp_servers.s.command = {a = 1}", "invalid type: map, expected a string", "mcp_servers.s.command"],
  ["mcp_servers.s.command = [{a = 1}]", "invalid type: sequence, expected a string", "mcp_servers.s.command"],
  ["model = 5", "invalid type: integer `5`, expected a string", "model"],
  ["model = [1]", "invalid type: sequence, expected a string", "model"],
  ["model = { a = 1 }", "invalid type: map, expected a string", "model"],
  ['hide_agent_reasoning = "yes"', 'invalid type: string "yes", expected a boolean', "hide_agent_reasoning"],
  ['notify = "x"', 'invalid type: string "x", expected a sequence', "notify"],
  ["notify = [1]", "invalid type: integer `1`, expected a string", "notify"],
  ["profiles = 1", "invalid type: integer `1`, expected a map", "profiles"],
  ["profiles.p = 2024-01-01", "invalid type: datetime `2024-01-01`, expected a map", "profiles.p"],
  [
    'model_reasoning_effort = "bogus"',
    "unknown variant `bogus`, expected one of `minimal`, `low`, `medium`, `high`",
    "model_reasoning_effort",
  ],
  [
    'sandbox_mode = "none"',
    "unknown variant `none`, expected one of `read-only`, `workspace-write`, `danger-full-access`",
    "sandbox_mode",
  ],
  ['preferred_auth_method = "x"', "unknown variant `x`, expected `chatgpt` or `apikey`", "preferred_auth_method"],
  ["[history]", "missing field `persistence`", "history"],
  ["[history]\nmax_bytes = 1", "missing field `persistence`", "history"],
  ['[history]\npersistence = "some"', "unknown variant `some`, expected `save-all` or `none`", "history.persistence"],
  ['[mcp_servers.docs]\nurl = "x"', "missing field `command`", "mcp_servers.docs"],
  [
    '[mcp_servers.docs]\ncommand = "x"\nenv = { A = 1 }',
    "invalid type: integer `1`, expected a string",
    "mcp_servers.docs.env.A",
  ],
  [
    '[mcp_servers.docs]\ncommand = "x"\ntool_timeout_sec = -1',
    "invalid value: integer `-1`, expected seconds",
    "mcp_servers.docs.tool_timeout_sec",
  ],
  ['[model_providers.x]\nbase_url = "x"', "missing field `name`", "model_providers.x"],
  [
    '[model_providers.x]\nname = "x"\nrequest_max_retries = -3',
    "invalid value: integer `-3`, expected u64",
    "model_providers.x.request_max_retries",
  ],
  ["[profiles.p]\nmodel = 1", "invalid type: integer `1`, expected a string", "profiles.p.model"],
  [
    '[sandbox_workspace_write]\nnetwork_access = "on"',
    'invalid type: string "on", expected a boolean',
    "sandbox_workspace_write.network_access",
  ],
  [
    '[shell_environment_policy]\ninherit = "some"',
    "unknown variant `some`, expected one of `all`, `core`, `none`",
    "shell_environment_policy.inherit",
  ],
  ["tools.web_search = 1", "invalid type: integer `1`, expected a boolean", "tools.web_search"],
])("%j is refused, with the reason, the key and the file", (toml, problem, key) => {
  expect(() => check(toml)).toThrow(new UserError(`${problem}\nin \`${key}\`\nfile: /home/config.toml`));
});

test("a value that is not from the file is refused in the reference's words alone", () => {
  const values = parseTomlFile('model_reasoning_effort = "bogus"', "");
  expect(() => checkConfig(values, () => undefined)).toThrow(
    new UserError(
      "unknown variant `bogus`, expected one of `minimal`, `low`, `medium`, `high`\nin `model_reasoning_effort`\n",
    ),
  );
});

test.each([
  ["model = ", "1, column 9", "1 | model = ", "  |         ^"],
  ["a = 1\na = 2", "2, column 1", "2 | a = 2", "  | ^"],
  ['\n\n\n\n\n\n\n\n\nmodel = "x', "10, column 9", '10 | model = "x', "   |         ^"],
])("the syntax error of %j has its place", (toml, place, line, mark) => {
  expect(() => check(toml)).toThrow(
    expect.objectContaining({
      name: "UserError",
      message: expect.stringMatching(/^TOML parse error at line .*\nfile: \/home\/config\.toml$/s),
    }),
  );
  expect(() => check(toml)).toThrow(`TOML parse error at line ${place}\n`);
  expect(() => check(toml)).toThrow(`\n${line}\n${mark}\n`);
});

test("unknown keys are passed over at every level", () => {
  const unknown = "x = 1\ny = { z = [1] }\n";
  const toml = `${unknown}[profiles.p]\n${unknown}sandbox_mode = "nonsense"\n[model_providers.m]\nname = "M"\n${unknown}[tools]\n${unknown}[tui]\ntheme = 1\n`;
  const config = check(toml);
  expect(config.profiles.get("p")).toEqual({ hasSandboxMode: true });
  expect(config.modelProviders.get("m")?.name).toBe("M");
});

test("every key that means something here is read", () => {
  const config = check(`
    model = "m"
    model_provider = "p"
    model_context_window = 1000
    model_supports_reasoning_summaries = true
    model_reasoning_effort = "minimal"
    model_reasoning_summary = "detailed"
    model_verbosity = "low"
    approval_policy = "on-failure"
    sandbox_mode = "workspace-write"
    notify = ["notify-send", "x"]
    project_doc_max_bytes = 0
    profile = "fast"
    hide_agent_reasoning = true
    show_raw_agent_reasoning = true
    chatgpt_base_url = "https://example.com/"
    experimental_resume = "/r.jsonl"
    experimental_instructions_file = "i.md"
    preferred_auth_method = "apikey"
    chatgpt_issuer = "https://id.example.com"
    chatgpt_client_id = "mine"
    chatgpt_login_port = 1457
    base_instructions = "base"
    developer_instructions = "dev"
    linux_sandbox = "auto"
    model_auto_compact_token_limit = 900
    [mcp]
    events = "both"
    structured_tools = true
    busy = "steer"
    approval_timeout_sec = 1.5
    approval_schema = "empty"
    exit_grace_sec = 2
    echo_protocol_version = true
    strict_arguments = true
    max_output_bytes = 100
    max_sandbox = "workspace-write"
    lock = true
    locked = ["model", "baseInstructions", "config"]
    allow_call_programs = true
    [sandbox_workspace_write]
    writable_roots = ["/a"]
    network_access = true
    exclude_tmpdir_env_var = true
    exclude_slash_tmp = true
    [shell_environment_policy]
    inherit = "core"
    ignore_default_excludes = true
    exclude = ["A*"]
    set = { B = "1" }
    include_only = ["C"]
    experimental_use_profile = true
    [history]
    persistence = "none"
    [tools]
    web_search_request = true
    view_image = false
    [mcp_servers.old]
    command = "serve"
    startup_timeout_ms = 5
    [mcp_servers.new]
    command = "serve"
    args = ["x"]
    env = { K = "v" }
    startup_timeout_sec = 2.5
    tool_timeout_sec = 60
    required = true
    enabled_tools = ["a"]
    disabled_tools = ["b"]
    [profiles.fast]
    model = "f"
    model_provider = "fp"
    approval_policy = "never"
    model_reasoning_effort = "low"
    model_reasoning_summary = "none"
    model_verbosity = "high"
    chatgpt_base_url = "c"
    experimental_instructions_file = "f.md"`);
  expect(config).toEqual({
    model: "m",
    modelProvider: "p",
    modelContextWindow: 1000,
    modelSupportsReasoning: true,
    modelReasoningEffort: "minimal",
    modelReasoningSummary: "detailed",
    modelVerbosity: "low",
    approvalPolicy: "on-failure",
    sandboxMode: "workspace-write",
    linuxSandbox: "auto",
    modelAutoCompactTokenLimit: 900,
    mcp: {
      events: "both",
      structuredTools: true,
      busy: "steer",
      approvalTimeoutMs: 1500,
      approvalSchema: "empty",
      exitGraceMs: 2000,
      echoProtocolVersion: true,
      strictArguments: true,
      maxOutputBytes: 100,
      maxSandbox: "workspace-write",
      locked: ["approval-policy", "config", "profile", "sandbox", "model", "base-instructions"],
      allowCallPrograms: true,
    },
    sandboxWorkspaceWrite: {
      writableRoots: ["/a"],
      networkAccess: true,
      excludeTmpdirEnvVar: true,
      excludeSlashTmp: true,
    },
    shellEnvironmentPolicy: {
      inherit: "core",
      ignoreDefaultExcludes: true,
      exclude: ["A*"],
      set: { B: "1" },
      includeOnly: ["C"],
      useProfile: true,
    },
    notify: ["notify-send", "x"],
    mcpServers: {
      old: { command: "serve", args: [], env: {}, startupTimeoutMs: 5, required: false, disabledTools: [] },
      new: {
        command: "serve",
        args: ["x"],
        env: { K: "v" },
        startupTimeoutMs: 2500,
        toolTimeoutMs: 60_000,
        required: true,
        enabledTools: ["a"],
        disabledTools: ["b"],
      },
    },
    modelProviders: new Map(),
    projectDocMaxBytes: 0,
    profile: "fast",
    profiles: new Map([
      [
        "fast",
        {
          model: "f",
          modelProvider: "fp",
          approvalPolicy: "never",
          modelReasoningEffort: "low",
          modelReasoningSummary: "none",
          modelVerbosity: "high",
          chatgptBaseUrl: "c",
          experimentalInstructionsFile: "f.md",
        },
      ],
    ]),
    historyPersistence: "none",
    hideAgentReasoning: true,
    showRawAgentReasoning: true,
    chatgptBaseUrl: "https://example.com/",
    preferredAuthMethod: "apikey",
    chatgptIssuer: "https://id.example.com",
    chatgptClientId: "mine",
    chatgptLoginPort: 1457,
    experimentalResume: "/r.jsonl",
    experimentalInstructionsFile: "i.md",
    baseInstructions: "base",
    developerInstructions: "dev",
    tools: { webSearch: true, viewImage: false },
  });
});

test("a missing file, an empty one and the null device are all defaults", () => {
  const folder = tempFolder({ "empty/config.toml": "", "null/x": "" });
  symlinkSync("/dev/null", path.join(folder, "null/config.toml"));
  expect(["none", "empty", "null"].map((name) => readConfigFile(path.join(folder, name)))).toEqual([{}, {}, {}]);
});

test("a byte order mark and Windows line ends are no syntax errors", () => {
  const home = tempFolder({ "config.toml": '\uFEFFmodel = "m"\r\n[tools]\r\n' });
  expect(readConfigFile(home)).toEqual({ model: "m", tools: {} });
});

test("a file that cannot be read is named", () => {
  const folder = tempFolder({ "binary/config.toml": Buffer.from([0xff, 0xfe]) });
  mkdirSync(path.join(folder, "folder/config.toml"), { recursive: true });
  const failure = (name: string) => () => readConfigFile(path.join(folder, name));
  expect(failure("folder")).toThrow(
    new UserError(`Cannot read "${folder}/folder/config.toml": Is a directory (os error 21)`),
  );
  expect(failure("binary")).toThrow(
    new UserError(`Cannot read "${folder}/binary/config.toml": stream did not contain valid UTF-8`),
  );
});

test.each(["README.md", "docs/configuration.md"])("every key in the examples of %s is read", (file) => {
  const text = readFileSync(path.resolve(import.meta.dirname, "../..", file), "utf8");
  const examples = [...text.matchAll(/^```toml\n(.*?)^```/gms)].map(([, toml = ""]) => parseTomlFile(toml, file));
  expect(examples).not.toEqual([]);
  for (const example of examples) expect(unknownKeys(example)).toEqual([]);
});

test("keys that nothing reads are named, of an unknown table only the table", () => {
  const values = parseTomlFile(
    `
modle = "m"
[tui]
theme = "dark"
[unknown.inner]
key = 1
[mcp_servers.docs]
command = "x"
comand = "y"
startup_timeout_ms = 1
startup_timeout_sec = 1
env = { ANY = "1" }
[tools]
web_search = true
web_search_request = true
[history]
persistence = "none"
max_bytes = 1`,
    "",
  );
  expect(unknownKeys(values)).toEqual(["modle", "unknown", "mcp_servers.docs.comand"]);
});
