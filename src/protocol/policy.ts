/** When a person is asked before a command or patch runs. */
export const approvalPolicies = ["untrusted", "on-failure", "on-request", "never"] as const;
export type ApprovalPolicy = (typeof approvalPolicies)[number];

export const sandboxModes = ["read-only", "workspace-write", "danger-full-access"] as const;
export type SandboxMode = (typeof sandboxModes)[number];

export function isLooserSandbox(mode: SandboxMode, than: SandboxMode): boolean {
  return sandboxModes.indexOf(mode) > sandboxModes.indexOf(than);
}

/** What holds commands to the mode on Linux; `auto` is bubblewrap where it works and Landlock elsewhere. */
export const linuxSandboxes = ["auto", "landlock", "bwrap"] as const;
export type LinuxSandboxChoice = (typeof linuxSandboxes)[number];

/** What a command may write and reach, in its wire spelling. Paths are absolute. */
export type SandboxPolicy =
  | { readonly mode: "danger-full-access" }
  | { readonly mode: "read-only" }
  | WorkspaceWritePolicy;

export interface WorkspaceWritePolicy {
  readonly mode: "workspace-write";
  readonly writable_roots: readonly string[];
  readonly network_access: boolean;
  readonly exclude_tmpdir_env_var: boolean;
  readonly exclude_slash_tmp: boolean;
}

export const reasoningEfforts = ["minimal", "low", "medium", "high"] as const;
export type ReasoningEffort = (typeof reasoningEfforts)[number];

export const reasoningSummaries = ["auto", "concise", "detailed", "none"] as const;
export type ReasoningSummary = (typeof reasoningSummaries)[number];

export const verbosities = ["low", "medium", "high"] as const;
export type Verbosity = (typeof verbosities)[number];

export type ReviewDecision = "approved" | "approved_for_session" | "denied" | "abort";

/** True when commands may reach the network. */
export function hasNetworkAccess(policy: SandboxPolicy): boolean {
  return policy.mode === "danger-full-access" || (policy.mode === "workspace-write" && policy.network_access);
}
