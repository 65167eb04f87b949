import { type ApprovalPolicy, hasNetworkAccess, type SandboxPolicy } from "../protocol/policy.ts";
import type { ShellName } from "./shell-name.ts";

/** What the model is told about where it works: everything at the start, later only what changed. */
export interface EnvironmentFacts {
  readonly cwd?: string | undefined;
  readonly approvalPolicy?: ApprovalPolicy | undefined;
  readonly sandboxPolicy?: SandboxPolicy | undefined;
  readonly shell?: ShellName | undefined;
}

export function userInstructionsText(text: string): string {
  return `<user_instructions>\n\n${text}\n\n</user_instructions>`;
}

/** Values are not escaped, as in the reference. */
export function environmentContextText({ cwd, approvalPolicy, sandboxPolicy, shell }: EnvironmentFacts): string {
  const network = sandboxPolicy && (hasNetworkAccess(sandboxPolicy) ? "enabled" : "restricted");
  const facts: readonly (readonly [tag: string, value: string | undefined])[] = [
    ["cwd", cwd],
    ["approval_policy", approvalPolicy],
    ["sandbox_mode", sandboxPolicy?.mode],
    ["network_access", network],
    ["shell", shell],
  ];
  const lines = facts.flatMap(([tag, value]) => (value === undefined ? [] : [`  <${tag}>${value}</${tag}>`]));
  return ["<environment_context>", ...lines, "</environment_context>"].join("\n");
}
