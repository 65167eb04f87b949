import type { ApprovalPolicy, SandboxPolicy } from "../protocol/policy.ts";

export type CommandVerdict =
  | { readonly verdict: "run"; readonly sandboxed: boolean }
  /** Run without sandbox once approved. */
  | { readonly verdict: "ask"; readonly reason?: string }
  /** `reason` is what the model is told. */
  | { readonly verdict: "reject"; readonly reason: string };

export interface CommandQuestion {
  readonly approvalPolicy: ApprovalPolicy;
  readonly sandboxPolicy: SandboxPolicy;
  readonly isTrusted: boolean;
  readonly isApprovedForSession: boolean;
  readonly withEscalatedPermissions: boolean;
  /** Why the model wants to leave the sandbox; shown with the question. */
  readonly justification?: string | undefined;
  readonly isSandboxAvailable: boolean;
}

export function assessCommand(question: CommandQuestion): CommandVerdict {
  const { approvalPolicy, isSandboxAvailable } = question;
  const isUnrestricted = question.sandboxPolicy.mode === "danger-full-access";
  if (question.isApprovedForSession) return { verdict: "run", sandboxed: false };
  if (question.isTrusted) return { verdict: "run", sandboxed: isSandboxAvailable && !isUnrestricted };
  if (approvalPolicy === "untrusted") return { verdict: "ask" };
  if (isUnrestricted) return { verdict: "run", sandboxed: false };
  if (approvalPolicy === "on-request" && question.withEscalatedPermissions) {
    return question.justification === undefined
      ? { verdict: "ask" }
      : { verdict: "ask", reason: question.justification };
  }
  if (isSandboxAvailable) return { verdict: "run", sandboxed: true };
  if (approvalPolicy !== "never") return { verdict: "ask" };
  return {
    verdict: "reject",
    reason: "exec command rejected: auto-rejected because command is not on trusted list",
  };
}
