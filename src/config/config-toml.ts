import path from "node:path";
import { explainSystemError, UserError } from "../lib/errors.ts";
import {
  type ApprovalPolicy,
  approvalPolicies,
  type LinuxSandboxChoice,
  linuxSandboxes,
  type ReasoningEffort,
  type ReasoningSummary,
  reasoningEfforts,
  reasoningSummaries,
  type SandboxMode,
  sandboxModes,
  type Verbosity,
  verbosities,
} from "../protocol/policy.ts";
import type { McpServerConfig, ShellEnvironmentPolicy } from "./config.ts";
import { type McpSettings, readMcpSettings } from "./mcp-settings.ts";
import { type ModelProvider, readProvider } from "./model-providers.ts";
import { parseTomlFile, type TomlValues } from "./parse-toml.ts";
import { readTextFile } from "./read-file.ts";
import {
  readBoolean,
  readOneOf,
  readSecondsAsMs,
  readString,
  readStringMap,
  readStrings,
  readTable,
  readTables,
  readUnsigned,
  required,
  type TomlTable,
  unseenKeys,
  WrongValue,
} from "./toml-table.ts";

/** config.toml as written, checked but without defaults. Keys we do not know are passed over. */
export interface ConfigToml extends Profile {
  readonly modelContextWindow: number | undefined;
  readonly modelAutoCompactTokenLimit: number | undefined;
  readonly modelSupportsReasoning: boolean | undefined;
  readonly sandboxMode: SandboxMode | undefined;
  readonly linuxSandbox: LinuxSandboxChoice | undefined;
  readonly sandboxWorkspaceWrite: WorkspaceWriteToml | undefined;
  readonly shellEnvironmentPolicy: ShellEnvironmentPolicy;
  readonly notify: readonly string[] | undefined;
  readonly mcpServers: Readonly<Record<string, McpServerConfig>>;
  readonly mcp: McpSettings;
  readonly modelProviders: ReadonlyMap<string, ModelProvider>;
  readonly projectDocMaxBytes: number | undefined;
  readonly profile: string | undefined;
  readonly profiles: ReadonlyMap<string, Profile>;
  readonly historyPersistence: "save-all" | "none" | undefined;
  readonly hideAgentReasoning: boolean | undefined;
  readonly showRawAgentReasoning: boolean | undefined;
  readonly preferredAuthMethod: "chatgpt" | "apikey" | undefined;
  readonly chatgptIssuer: string | undefined;
  readonly chatgptClientId: string | undefined;
  readonly chatgptLoginPort: number | undefined;
  readonly experimentalResume: string | undefined;
  readonly baseInstructions: string | undefined;
  readonly developerInstructions: string | undefined;
  readonly tools: { readonly webSearch: boolean | undefined; readonly viewImage: boolean | undefined };
}

/** What a profile may set; its values stand above those of the file's top level. */
export interface Profile {
  readonly model: string | undefined;
  readonly modelProvider: string | undefined;
  readonly approvalPolicy: ApprovalPolicy | undefined;
  readonly modelReasoningEffort: ReasoningEffort | undefined;
  readonly modelReasoningSummary: ReasoningSummary | undefined;
  readonly modelVerbosity: Verbosity | undefined;
  readonly chatgptBaseUrl: string | undefined;
  readonly experimentalInstructionsFile: string | undefined;
  /** Which has no effect in a profile, and may have been meant to. */
  readonly hasSandboxMode?: true;
}

interface WorkspaceWriteToml {
  readonly writableRoots: readonly string[];
  readonly networkAccess: boolean;
  readonly excludeTmpdirEnvVar: boolean;
  readonly excludeSlashTmp: boolean;
}

export function configTomlPath(codexHome: string): string {
  return path.join(codexHome, "config.toml");
}

/** The file's values, unchecked; empty without a file. */
export function readConfigFile(codexHome: string): TomlValues {
  const file = configTomlPath(codexHome);
  let text: string | undefined;
  try {
    text = readTextFile(file);
  } catch (cause) {
    throw new UserError(`Cannot read "${file}": ${explainSystemError(cause)}`, { cause });
  }
  return text === undefined ? parseTomlFile("", file) : parseTomlFile(text, file);
}

/** Checks the values; `sourceOf` names the file a key was set in, undefined when it was set elsewhere. */
export function checkConfig(values: TomlValues, sourceOf: (key: string) => string | undefined): ConfigToml {
  try {
    return readConfig({ key: "", values });
  } catch (cause) {
    if (!(cause instanceof WrongValue)) throw cause;
    const place = cause.key === "" ? "" : `in \`${cause.key}\`\n`;
    const file = sourceOf(cause.key);
    throw new UserError(`${cause.message}\n${place}${file === undefined ? "" : `file: ${file}`}`, { cause });
  }
}

/**
 * Keys of the reference that mean nothing here, mostly those of its interactive interface: whoever uses both programs has
 * them in the one file.
 */
const othersKeys: ReadonlySet<string> = new Set([
  "disable_paste_burst",
  "experimental_use_exec_command_tool",
  "file_opener",
  "history.max_bytes",
  "instructions",
  "model_max_output_tokens",
  "model_reasoning_summary_format",
  "notice",
  "projects",
  "tui",
]);

/** Keys that nothing reads: most are misspelt, or stand in the wrong table. The values have been checked. */
export function unknownKeys(values: TomlValues): readonly string[] {
  const table: TomlTable = { key: "", values, seen: new Set() };
  readConfig(table);
  return unseenKeys(table).filter((key) => !othersKeys.has(key));
}

function readConfig(table: TomlTable): ConfigToml {
  const workspaceWrite = readTable(table, "sandbox_workspace_write");
  const tools = readTable(table, "tools");
  const webSearchRequest = tools && readBoolean(tools, "web_search_request");
  return {
    ...readProfile(table),
    modelContextWindow: readUnsigned(table, "model_context_window"),
    modelAutoCompactTokenLimit: readUnsigned(table, "model_auto_compact_token_limit"),
    modelSupportsReasoning: readBoolean(table, "model_supports_reasoning_summaries"),
    sandboxMode: readOneOf(table, "sandbox_mode", sandboxModes),
    linuxSandbox: readOneOf(table, "linux_sandbox", linuxSandboxes),
    sandboxWorkspaceWrite: workspaceWrite && readWorkspaceWrite(workspaceWrite),
    shellEnvironmentPolicy: readShellEnvironmentPolicy(readTable(table, "shell_environment_policy")),
    notify: readStrings(table, "notify"),
    mcpServers: Object.fromEntries(mapValues(readTables(table, "mcp_servers"), readMcpServer)),
    mcp: readMcpSettings(readTable(table, "mcp") ?? emptyTable),
    modelProviders: mapValues(readTables(table, "model_providers"), readProvider),
    projectDocMaxBytes: readUnsigned(table, "project_doc_max_bytes"),
    profile: readString(table, "profile"),
    profiles: mapValues(readTables(table, "profiles"), readNamedProfile),
    historyPersistence: readHistory(readTable(table, "history")),
    hideAgentReasoning: readBoolean(table, "hide_agent_reasoning"),
    showRawAgentReasoning: readBoolean(table, "show_raw_agent_reasoning"),
    preferredAuthMethod: readOneOf(table, "preferred_auth_method", ["chatgpt", "apikey"]),
    chatgptIssuer: readString(table, "chatgpt_issuer"),
    chatgptClientId: readString(table, "chatgpt_client_id"),
    chatgptLoginPort: readPort(table, "chatgpt_login_port"),
    experimentalResume: readString(table, "experimental_resume"),
    baseInstructions: readString(table, "base_instructions"),
    developerInstructions: readString(table, "developer_instructions"),
    tools: {
      webSearch: tools && (readBoolean(tools, "web_search") ?? webSearchRequest),
      viewImage: tools && readBoolean(tools, "view_image"),
    },
  };
}

function readProfile(table: TomlTable): Profile {
  return {
    model: readString(table, "model"),
    modelProvider: readString(table, "model_provider"),
    approvalPolicy: readOneOf(table, "approval_policy", approvalPolicies),
    modelReasoningEffort: readOneOf(table, "model_reasoning_effort", reasoningEfforts),
    modelReasoningSummary: readOneOf(table, "model_reasoning_summary", reasoningSummaries),
    modelVerbosity: readOneOf(table, "model_verbosity", verbosities),
    chatgptBaseUrl: readString(table, "chatgpt_base_url"),
    experimentalInstructionsFile: readString(table, "experimental_instructions_file"),
  };
}

function readNamedProfile(table: TomlTable): Profile {
  const hasSandboxMode = table.values["sandbox_mode"] !== undefined;
  return { ...readProfile(table), ...(hasSandboxMode ? { hasSandboxMode } : {}) };
}

function readWorkspaceWrite(table: TomlTable): WorkspaceWriteToml {
  return {
    writableRoots: readStrings(table, "writable_roots") ?? [],
    networkAccess: readBoolean(table, "network_access") ?? false,
    excludeTmpdirEnvVar: readBoolean(table, "exclude_tmpdir_env_var") ?? false,
    excludeSlashTmp: readBoolean(table, "exclude_slash_tmp") ?? false,
  };
}

const emptyTable: TomlTable = { key: "", values: {} };

function readShellEnvironmentPolicy(table: TomlTable = emptyTable): ShellEnvironmentPolicy {
  return {
    inherit: readOneOf(table, "inherit", ["all", "core", "none"]) ?? "all",
    ignoreDefaultExcludes: readBoolean(table, "ignore_default_excludes") ?? false,
    exclude: readStrings(table, "exclude") ?? [],
    set: readStringMap(table, "set") ?? {},
    includeOnly: readStrings(table, "include_only") ?? [],
    useProfile: readBoolean(table, "experimental_use_profile") ?? false,
  };
}

function readMcpServer(table: TomlTable): McpServerConfig {
  const toolTimeoutMs = readSecondsAsMs(table, "tool_timeout_sec");
  const enabledTools = readStrings(table, "enabled_tools");
  const startupTimeoutMs = readSecondsAsMs(table, "startup_timeout_sec");
  const cwd = readString(table, "cwd");
  return {
    command: required(table, "command", readString(table, "command")),
    args: readStrings(table, "args") ?? [],
    env: readStringMap(table, "env") ?? {},
    ...(cwd === undefined ? {} : { cwd }),
    startupTimeoutMs: readUnsigned(table, "startup_timeout_ms") ?? startupTimeoutMs ?? 10_000,
    ...(toolTimeoutMs === undefined ? {} : { toolTimeoutMs }),
    required: readBoolean(table, "required") ?? false,
    ...(enabledTools === undefined ? {} : { enabledTools }),
    disabledTools: readStrings(table, "disabled_tools") ?? [],
  };
}

function readPort(table: TomlTable, name: string): number | undefined {
  const port = readUnsigned(table, name);
  if (port !== undefined && port > 65_535) throw new WrongValue(name, `no port has the number ${port}`);
  return port;
}

function readHistory(table: TomlTable | undefined): "save-all" | "none" | undefined {
  return table && required(table, "persistence", readOneOf(table, "persistence", ["save-all", "none"]));
}

function mapValues<T>(
  tables: ReadonlyMap<string, TomlTable>,
  convert: (table: TomlTable) => T,
): ReadonlyMap<string, T> {
  return new Map([...tables].map(([name, table]) => [name, convert(table)]));
}
