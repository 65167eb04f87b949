import type { Environment } from "../lib/environment.ts";
import type {
  ApprovalPolicy,
  LinuxSandboxChoice,
  ReasoningEffort,
  ReasoningSummary,
  SandboxPolicy,
  Verbosity,
  WorkspaceWritePolicy,
} from "../protocol/policy.ts";
import type { McpSettings } from "./mcp-settings.ts";
import type { ModelFamily } from "./model-families.ts";
import type { ModelProvider } from "./model-providers.ts";

/** Everything a run was told, resolved once at the start and read-only from then on. */
export interface Config {
  /** Canonical when CODEX_HOME is set; `~/.codex` otherwise, and then it need not exist. */
  readonly codexHome: string;
  /** Absolute and canonical. */
  readonly cwd: string;
  /** The process's environment with `<home>/.env` laid over it; `process.env` itself is never read later. */
  readonly env: Environment;
  /** Variables that \`<home>/.env\` sets. */
  readonly dotEnvNames: readonly string[];
  /** Name of the profile that was chosen. */
  readonly profile: string | undefined;
  readonly model: string;
  readonly modelFamily: ModelFamily;
  readonly modelContextWindow: number | null;
  /** From how many tokens on a conversation is compacted unasked; 0: never, undefined: by the context window. */
  readonly modelAutoCompactTokenLimit: number | undefined;
  readonly modelProviderId: string;
  readonly modelProvider: ModelProvider;
  /** Those that could be chosen, by id. */
  readonly modelProviders: ReadonlyMap<string, ModelProvider>;
  /** Variables whose values go to a configured provider, the chosen one or not: commands do not inherit them. */
  readonly credentialVariables: readonly string[];
  readonly modelReasoningEffort: ReasoningEffort;
  readonly modelReasoningSummary: ReasoningSummary;
  readonly modelVerbosity: Verbosity | undefined;
  readonly approvalPolicy: ApprovalPolicy;
  readonly sandboxPolicy: SandboxPolicy;
  /** What `workspace-write` means with these settings, whatever the policy is. */
  readonly workspaceWrite: WorkspaceWritePolicy;
  readonly linuxSandbox: LinuxSandboxChoice;
  readonly shellEnvironmentPolicy: ShellEnvironmentPolicy;
  /** Text that replaces the built-in base instructions. */
  readonly baseInstructions: string | undefined;
  /** Text for a message of role `developer` ahead of all others. */
  readonly developerInstructions: string | undefined;
  /** AGENTS.md of the home folder and of the project, already joined. */
  readonly userInstructions: string | undefined;
  readonly notify: readonly string[];
  readonly hideAgentReasoning: boolean;
  readonly showRawAgentReasoning: boolean;
  readonly chatgptBaseUrl: string;
  readonly preferredAuthMethod: "chatgpt" | "apikey" | undefined;
  /** Where people sign in, as whose client, and the loopback port the browser comes back to. */
  readonly chatgptLogin: { readonly issuer: string; readonly clientId: string | undefined; readonly port: number };
  readonly persistHistory: boolean;
  /** No rollout file is written. */
  readonly ephemeral: boolean;
  readonly mcpServers: Readonly<Record<string, McpServerConfig>>;
  readonly mcp: McpSettings;
  readonly tools: ToolChoice;
  /** Rollout file to continue. */
  readonly resumePath: string | undefined;
  /** Nobody is there to answer a question: each is denied at once. */
  readonly isUnattended: boolean;
  /** What was said for this very run; for the rest a resumed session keeps its own. */
  readonly chosen: Readonly<Record<"cwd" | "approvalPolicy" | "sandboxPolicy", boolean>>;
  /** Sentences for stderr: shadowed overrides and the like. */
  readonly warnings: readonly string[];
}

/** Which tools are offered besides the shell. */
interface ToolChoice {
  readonly webSearch: boolean;
  readonly viewImage: boolean;
  readonly plan: boolean;
  /** Offer `apply_patch` although the model's family does not ask for it. */
  readonly applyPatch: boolean;
}

export interface ShellEnvironmentPolicy {
  readonly inherit: "all" | "core" | "none";
  readonly ignoreDefaultExcludes: boolean;
  /** Patterns: `*` any run, `?` one character, case-insensitive, whole name. */
  readonly exclude: readonly string[];
  readonly set: Readonly<Record<string, string>>;
  readonly includeOnly: readonly string[];
  readonly useProfile: boolean;
}

export interface McpServerConfig {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Where it starts; default: the session's directory, where a relative one starts too. */
  readonly cwd?: string;
  readonly startupTimeoutMs: number;
  readonly toolTimeoutMs?: number;
  /** A run without this server is not wanted. */
  readonly required?: boolean;
  /** Undefined: all of the server's tools. */
  readonly enabledTools?: readonly string[];
  readonly disabledTools?: readonly string[];
}

/** What the command line may set; strongest of all sources. */
export interface ConfigFlags {
  readonly model?: string;
  readonly modelProvider?: string;
  readonly profile?: string;
  readonly cwd?: string;
  readonly sandboxMode?: SandboxPolicy["mode"];
  readonly approvalPolicy?: ApprovalPolicy;
  /** The one flag that an explicit setting in the file beats. */
  readonly showRawAgentReasoning?: boolean;
  readonly baseInstructions?: string;
  readonly developerInstructions?: string;
  readonly includePlanTool?: boolean;
  readonly includeApplyPatchTool?: boolean;
  readonly ephemeral?: boolean;
  /** Nobody can be asked: the policy is `never`, whatever the file and `-c` say. */
  readonly isUnattended?: boolean;
  /** Leaves config.toml unread. */
  readonly ignoreUserConfig?: boolean;
  /** `-c key=value` texts in the order given. */
  readonly overrides?: readonly string[];
  /** JSON values by dotted key, applied after `overrides`; null takes the key away. */
  readonly settings?: Readonly<Record<string, unknown>>;
}
