import type { ApprovalPolicy, ReasoningEffort, ReasoningSummary, ReviewDecision, SandboxPolicy } from "./policy.ts";

/** What a client may ask of a conversation; `id` is the client's own and comes back on the events. */
export interface Submission {
  readonly id: string;
  readonly op: Op;
}

export type InputItem =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "image"; readonly image_url: string }
  | { readonly type: "local_image"; readonly path: string };

export type Op =
  | { readonly type: "interrupt" }
  | { readonly type: "user_input"; readonly items: readonly InputItem[] }
  | UserTurnOp
  | OverrideTurnContextOp
  | ApprovalOp<"exec_approval">
  | ApprovalOp<"patch_approval">
  | { readonly type: "add_to_history"; readonly text: string }
  | { readonly type: "get_history_entry_request"; readonly offset: number; readonly log_id: number }
  | { readonly type: "get_history" }
  | { readonly type: "list_mcp_tools" }
  | { readonly type: "list_custom_prompts" }
  | { readonly type: "compact" }
  | { readonly type: "shutdown" };

interface ApprovalOp<Type extends string> {
  readonly type: Type;
  readonly id: string;
  readonly decision: ReviewDecision;
  /** Why it was denied, for the model; ours, the reference has no such field. */
  readonly reason?: string;
}

export interface UserTurnOp {
  readonly type: "user_turn";
  readonly items: readonly InputItem[];
  readonly cwd: string;
  readonly approval_policy: ApprovalPolicy;
  readonly sandbox_policy: SandboxPolicy;
  readonly model: string;
  readonly effort: ReasoningEffort | null;
  readonly summary: ReasoningSummary;
}

export interface OverrideTurnContextOp {
  readonly type: "override_turn_context";
  readonly cwd?: string;
  readonly approval_policy?: ApprovalPolicy;
  readonly sandbox_policy?: SandboxPolicy;
  readonly model?: string;
  readonly effort?: ReasoningEffort;
  readonly summary?: ReasoningSummary;
}
