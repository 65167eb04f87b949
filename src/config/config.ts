import type { Environment } from "../lib/environment.ts";
import type {
  ApprovalPolicy,
  ReasoningEffort,
  ReasoningSummary,
  SandboxPolicy,
  Verbosity,
} from "../protocol/policy.ts";
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
  readonly model: string;
  readonly modelFamily: ModelFamily;
  readonly modelContextWindow: number | null;
  readonly modelProviderId: string;
  readonly modelProvider: ModelProvider;
  readonly modelReasoningEffort: ReasoningEffort;
  readonly modelReasoningSummary: ReasoningSummary;
  readonly modelVerbosity: Verbosity | undefined;
  readonly approvalPolicy: ApprovalPolicy;
  readonly sandboxPolicy: SandboxPolicy;
  readonly shellEnvironmentPolicy: ShellEnvironmentPolicy;
  /** Text that replaces the built-in base instructions. */
  readonly baseInstructions: string | undefined;
  /** AGENTS.md of the home folder and of the project, already joined. */
  readonly userInstructions: string | undefined;
  readonly notify: readonly string[];
  readonly hideAgentReasoning: boolean;
  readonly showRawAgentReasoning: boolean;
  readonly chatgptBaseUrl: string;
  readonly preferredAuthMethod: "chatgpt" | "apikey" | undefined;
  readonly persistHistory: boolean;
  readonly mcpServers: Readonly<Record<string, McpServerConfig>>;
  readonly tools: { readonly webSearch: boolean; readonly viewImage: boolean };
  /** Rollout file to continue. */
  readonly resumePath: string | undefined;
  /** Sentences for stderr: shadowed overrides and the like. */
  readonly warnings: readonly string[];
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
  readonly startupTimeoutMs: number;
}

/** What the command line may set; strongest of all sources (spec core 2.2). */
export interface ConfigFlags {
  readonly model?: string;
  readonly modelProvider?: string;
  readonly profile?: string;
  readonly cwd?: string;
  readonly sandboxMode?: SandboxPolicy["mode"];
  readonly approvalPolicy?: ApprovalPolicy;
  readonly showRawAgentReasoning?: boolean;
  /** `-c key=value` texts in the order given. */
  readonly overrides?: readonly string[];
}
