import type { ApprovalPolicy, SandboxPolicy } from "./policy.ts";
import type { ResponseItem } from "./response-item.ts";

/** What the core tells a client. `id` is that of the submission which caused it, "" when none did. */
export interface Event {
  readonly id: string;
  readonly msg: EventMsg;
}

export type EventMsg =
  | SessionConfigured
  | { readonly type: "task_started"; readonly model_context_window: number | null }
  | { readonly type: "task_complete"; readonly last_agent_message: string | null }
  | { readonly type: "turn_aborted"; readonly reason: "interrupted" | "replaced" }
  | ErrorMessage
  | { readonly type: "stream_error"; readonly message: string }
  | { readonly type: "background_event"; readonly message: string }
  | { readonly type: "token_count"; readonly info: TokenUsageInfo | null }
  | AgentMessage
  | { readonly type: "agent_message_delta"; readonly delta: string }
  | AgentReasoning
  | AgentReasoningRawContent
  | { readonly type: "agent_reasoning_delta"; readonly delta: string }
  | { readonly type: "agent_reasoning_raw_content_delta"; readonly delta: string }
  | { readonly type: "agent_reasoning_section_break" }
  | UserMessage
  | ExecCommandBegin
  | ExecCommandOutputDelta
  | ExecCommandEnd
  | ExecApprovalRequest
  | ApplyPatchApprovalRequest
  | PatchApplyBegin
  | PatchApplyEnd
  | { readonly type: "turn_diff"; readonly unified_diff: string }
  | PlanUpdate
  | McpToolCallBegin
  | McpToolCallEnd
  | { readonly type: "web_search_begin"; readonly call_id: string }
  | { readonly type: "web_search_end"; readonly call_id: string; readonly query: string }
  | {
      readonly type: "conversation_history";
      readonly conversation_id: string;
      readonly entries: readonly ResponseItem[];
    }
  | GetHistoryEntryResponse
  /** By qualified name, as the model sees it. */
  | { readonly type: "mcp_list_tools_response"; readonly tools: Readonly<Record<string, McpTool>> }
  | { readonly type: "list_custom_prompts_response"; readonly custom_prompts: readonly CustomPrompt[] }
  | { readonly type: "shutdown_complete" };

/** Without an entry when there is none at that place of that file. */
export interface GetHistoryEntryResponse {
  readonly type: "get_history_entry_response";
  readonly offset: number;
  readonly log_id: number;
  readonly entry?: HistoryEntry;
}

export interface HistoryEntry {
  readonly conversation_id: string;
  /** Seconds since 1970. */
  readonly ts: number;
  readonly text: string;
}

export interface CustomPrompt {
  readonly name: string;
  readonly path: string;
  readonly content: string;
}

/** A tool as its server describes it, with whatever fields that server gives. */
export interface McpTool {
  readonly name: string;
  readonly description?: string;
  readonly inputSchema: Readonly<Record<string, unknown>>;
}

export interface ErrorMessage {
  readonly type: "error";
  readonly message: string;
  readonly code?: ErrorCode;
  /** What is behind it, as the server or the system said it; ours, the reference has no such field. */
  readonly detail?: string;
}

/** Set when the error is a limit that the user set; ours, the reference has no such field. */
export type ErrorCode = "turn_limit" | "time_limit";

export interface SessionConfigured {
  readonly type: "session_configured";
  readonly session_id: string;
  readonly model: string;
  /** Inode number of history.jsonl, 0 without one. */
  readonly history_log_id: number;
  readonly history_entry_count: number;
  readonly initial_messages?: readonly EventMsg[];
  readonly rollout_path: string;
}

export interface AgentMessage {
  readonly type: "agent_message";
  readonly message: string;
}

export interface AgentReasoning {
  readonly type: "agent_reasoning";
  readonly text: string;
}

export interface AgentReasoningRawContent {
  readonly type: "agent_reasoning_raw_content";
  readonly text: string;
}

/** Only in rollouts and `initial_messages`. */
export interface UserMessage {
  readonly type: "user_message";
  readonly message: string;
  readonly kind: "plain" | "user_instructions" | "environment_context";
  readonly images?: readonly string[];
}

export interface TokenUsage {
  readonly input_tokens: number;
  readonly cached_input_tokens: number;
  readonly output_tokens: number;
  readonly reasoning_output_tokens: number;
  readonly total_tokens: number;
}

export interface TokenUsageInfo {
  readonly total_token_usage: TokenUsage;
  readonly last_token_usage: TokenUsage;
  readonly model_context_window: number | null;
}

export interface Duration {
  readonly secs: number;
  readonly nanos: number;
}

export function durationFromMs(ms: number): Duration {
  const nanos = Math.max(0, Math.round(ms * 1e6));
  return { secs: Math.floor(nanos / 1e9), nanos: nanos % 1e9 };
}

/** What a command does, for display only; never the ground of a decision. */
export type ParsedCommand =
  | { readonly type: "read"; readonly cmd: string; readonly name: string }
  | { readonly type: "list_files"; readonly cmd: string; readonly path: string | null }
  | { readonly type: "search"; readonly cmd: string; readonly query: string | null; readonly path: string | null }
  | { readonly type: "unknown"; readonly cmd: string };

export interface ExecCommandBegin {
  readonly type: "exec_command_begin";
  readonly call_id: string;
  readonly command: readonly string[];
  readonly cwd: string;
  readonly parsed_cmd: readonly ParsedCommand[];
}

export interface ExecCommandOutputDelta {
  readonly type: "exec_command_output_delta";
  readonly call_id: string;
  readonly stream: "stdout" | "stderr";
  /** Base64, standard alphabet, padded; at most 8192 bytes before encoding. */
  readonly chunk: string;
}

export interface ExecCommandEnd {
  readonly type: "exec_command_end";
  readonly call_id: string;
  readonly stdout: string;
  readonly stderr: string;
  /** Both streams in the order of arrival. */
  readonly aggregated_output: string;
  readonly exit_code: number;
  readonly duration: Duration;
  /** What the model is shown: the aggregated output, cut in the middle. */
  readonly formatted_output: string;
}

export interface ExecApprovalRequest {
  readonly type: "exec_approval_request";
  readonly call_id: string;
  readonly command: readonly string[];
  readonly cwd: string;
  readonly reason?: string;
}

export interface ApplyPatchApprovalRequest {
  readonly type: "apply_patch_approval_request";
  readonly call_id: string;
  readonly changes: FileChanges;
  readonly reason?: string;
  readonly grant_root?: string;
}

/** Absolute path to what happens to that file. */
export type FileChanges = Readonly<Record<string, FileChange>>;

export type FileChange =
  | { readonly add: { readonly content: string } }
  | { readonly delete: { readonly content: string } }
  | { readonly update: { readonly unified_diff: string; readonly move_path: string | null } };

export interface PatchApplyBegin {
  readonly type: "patch_apply_begin";
  readonly call_id: string;
  readonly auto_approved: boolean;
  readonly changes: FileChanges;
}

export interface PatchApplyEnd {
  readonly type: "patch_apply_end";
  readonly call_id: string;
  readonly stdout: string;
  readonly stderr: string;
  readonly success: boolean;
}

export interface PlanItem {
  readonly step: string;
  readonly status: "pending" | "in_progress" | "completed";
}

export interface PlanUpdate {
  readonly type: "plan_update";
  readonly explanation: string | null;
  readonly plan: readonly PlanItem[];
}

export interface McpInvocation {
  readonly server: string;
  readonly tool: string;
  readonly arguments: unknown;
}

export interface McpToolCallBegin {
  readonly type: "mcp_tool_call_begin";
  readonly call_id: string;
  readonly invocation: McpInvocation;
}

export interface McpToolCallEnd {
  readonly type: "mcp_tool_call_end";
  readonly call_id: string;
  readonly invocation: McpInvocation;
  readonly duration: Duration;
  readonly result: { readonly Ok: McpToolResult } | { readonly Err: string };
}

export interface McpToolResult {
  readonly content: readonly unknown[];
  readonly isError?: boolean;
  readonly structuredContent?: unknown;
}

/** The settings of one turn, as a rollout records them. */
export interface TurnContext {
  readonly cwd: string;
  readonly approval_policy: ApprovalPolicy;
  readonly sandbox_policy: SandboxPolicy;
  readonly model: string;
  readonly effort?: string;
  readonly summary: string;
}
