// codex proto. A line of stdin is a Submission, a line of stdout is an Event. Fields are only ever added.
// Made from the same schemas as proto.schema.json; what is changed here will be lost.

export interface Submission {
  id: string;
  op: Op;
}

export type Op =
  | UserInputOp
  | UserTurnOp
  | OverrideTurnContextOp
  | InterruptOp
  | ExecApprovalOp
  | PatchApprovalOp
  | CompactOp
  | GetHistoryOp
  | ListMcpToolsOp
  | ListCustomPromptsOp
  | AddToHistoryOp
  | GetHistoryEntryRequestOp
  | ShutdownOp
  | ConfigureSessionOp;

/** Starts a task with the session's settings. While a task runs, it joins that task's next request and has no events of its own. */
export interface UserInputOp {
  type: "user_input";
  items: InputItem[];
}

export type InputItem =
  | { type: "text"; text: string }
  | { type: "image"; image_url: string }
  | { type: "local_image"; path: string };

/** The same with settings that hold for this task alone. While a task runs, it joins that task and the settings are not used. */
export interface UserTurnOp {
  type: "user_turn";
  items: InputItem[];
  /** Absolute */
  cwd: string;
  approval_policy: ApprovalPolicy;
  sandbox_policy: SandboxPolicy;
  model: string;
  /** null or left out: the session's */
  effort?: ReasoningEffort | null;
  summary: ReasoningSummary;
}

export type ApprovalPolicy = "untrusted" | "on-failure" | "on-request" | "never";

export type SandboxPolicy =
  | { mode: "danger-full-access" }
  | { mode: "read-only" }
  | { mode: "workspace-write"; writable_roots?: string[]; network_access?: boolean; exclude_tmpdir_env_var?: boolean; exclude_slash_tmp?: boolean };

export type ReasoningEffort = "minimal" | "low" | "medium" | "high";

export type ReasoningSummary = "auto" | "concise" | "detailed" | "none";

/** Changes the session's settings from the next task on; what is left out, or null, stays. Has no events. */
export interface OverrideTurnContextOp {
  type: "override_turn_context";
  /** Absolute */
  cwd?: string | null;
  approval_policy?: ApprovalPolicy | null;
  sandbox_policy?: SandboxPolicy | null;
  model?: string | null;
  effort?: ReasoningEffort | null;
  summary?: ReasoningSummary | null;
}

/** Ends the running task with `turn_aborted`; its command and everything that command started die. Without a task nothing happens. */
export interface InterruptOp {
  type: "interrupt";
}

/** Answers an `exec_approval_request`. With `approved` the command runs once without the sandbox, with `approved_for_session` also every later time in that folder and under that policy. An answer that nobody waits for has no effect. */
export interface ExecApprovalOp {
  type: "exec_approval";
  /** The task's submission, or the `call_id` of the question */
  id: string;
  /** `abort` denies and interrupts the task */
  decision: ReviewDecision;
  /** Why it was denied, for the model */
  reason?: string;
}

export type ReviewDecision = "approved" | "approved_for_session" | "denied" | "abort";

/** Answers an `apply_patch_approval_request`. */
export interface PatchApprovalOp {
  type: "patch_approval";
  /** The task's submission, or the `call_id` of the question */
  id: string;
  /** `abort` denies and interrupts the task */
  decision: ReviewDecision;
  /** Why it was denied, for the model */
  reason?: string;
}

/** Replaces the conversation by a summary that the model writes; a task of its own, after the running one. Its only `agent_message` says `Compact task completed`. */
export interface CompactOp {
  type: "compact";
}

/** Asks what the next request to the model would contain: `conversation_history`. */
export interface GetHistoryOp {
  type: "get_history";
}

/** Asks for the tools of the configured MCP servers: `mcp_list_tools_response`. */
export interface ListMcpToolsOp {
  type: "list_mcp_tools";
}

/** Asks for the prompts in `$CODEX_HOME/prompts`: `list_custom_prompts_response`. */
export interface ListCustomPromptsOp {
  type: "list_custom_prompts";
}

/** Appends a text to the message history of all sessions, `$CODEX_HOME/history.jsonl`, unless `history.persistence` is `none`. Has no events. */
export interface AddToHistoryOp {
  type: "add_to_history";
  text: string;
}

/** Asks for one entry of the message history: `get_history_entry_response`. There is no `entry` behind the last one, and none when `log_id` is not the file's, as 0 never is. */
export interface GetHistoryEntryRequestOp {
  type: "get_history_entry_request";
  /** From 0 */
  offset: number;
  /** `history_log_id` of `session_configured`. If that is 0, there was no file yet: its id is the inode number that `history.jsonl` has since the first `add_to_history` */
  log_id: number;
}

/** Ends the program with status 0: a running task is interrupted, and `shutdown_complete` is the last event. */
export interface ShutdownOp {
  type: "shutdown";
}

/** What the first releases wanted first. It has no effect but a `background_event` that says so; other fields are ignored. */
export interface ConfigureSessionOp {
  type: "configure_session";
}

export interface Event {
  id: string;
  msg: EventMsg;
}

export type EventMsg =
  | SessionConfiguredEvent
  | TaskStartedEvent
  | TaskCompleteEvent
  | TurnAbortedEvent
  | ErrorEvent
  | StreamErrorEvent
  | BackgroundEvent
  | UserMessageEvent
  | AgentMessageEvent
  | AgentReasoningEvent
  | AgentReasoningRawContentEvent
  | TokenCountEvent
  | AgentMessageDeltaEvent
  | AgentReasoningDeltaEvent
  | AgentReasoningRawContentDeltaEvent
  | AgentReasoningSectionBreakEvent
  | ExecCommandBeginEvent
  | ExecCommandOutputDeltaEvent
  | ExecCommandEndEvent
  | ExecApprovalRequestEvent
  | ApplyPatchApprovalRequestEvent
  | PatchApplyBeginEvent
  | PatchApplyEndEvent
  | TurnDiffEvent
  | PlanUpdateEvent
  | McpToolCallBeginEvent
  | McpToolCallEndEvent
  | WebSearchBeginEvent
  | WebSearchEndEvent
  | ConversationHistoryEvent
  | GetHistoryEntryResponseEvent
  | McpListToolsResponseEvent
  | ListCustomPromptsResponseEvent
  | ShutdownCompleteEvent;

/** The first event; its id is empty. */
export interface SessionConfiguredEvent {
  type: "session_configured";
  /** Also the conversation's id */
  session_id: string;
  model: string;
  /** Inode number of `history.jsonl`, 0 without one */
  history_log_id: number;
  /** Lines of that file */
  history_entry_count: number;
  /** What a resumed session holds already */
  initial_messages?: (UserMessageEvent | AgentMessageEvent | AgentReasoningEvent | AgentReasoningRawContentEvent | TokenCountEvent)[];
  /** The session file, empty without one */
  rollout_path: string;
}

/** Only in `initial_messages` and session files: what the user said. */
export interface UserMessageEvent {
  type: "user_message";
  message: string;
  kind: "plain" | "user_instructions" | "environment_context";
  images?: string[];
}

/** A whole text of the model, behind its deltas. */
export interface AgentMessageEvent {
  type: "agent_message";
  message: string;
}

/** A whole part of the summary of its reasoning, behind its deltas. */
export interface AgentReasoningEvent {
  type: "agent_reasoning";
  text: string;
}

/** The reasoning itself, only with `show_raw_agent_reasoning`. */
export interface AgentReasoningRawContentEvent {
  type: "agent_reasoning_raw_content";
  text: string;
}

/** After each answer of the model. */
export interface TokenCountEvent {
  type: "token_count";
  /** null when the server has not told any usage yet */
  info: TokenUsageInfo | null;
}

export interface TokenUsageInfo {
  total_token_usage: TokenUsage;
  last_token_usage: TokenUsage;
  model_context_window: number | null;
}

export interface TokenUsage {
  input_tokens: number;
  cached_input_tokens: number;
  output_tokens: number;
  reasoning_output_tokens: number;
  total_tokens: number;
}

/** Comes before every other event of a task. */
export interface TaskStartedEvent {
  type: "task_started";
  /** Tokens; null when not known */
  model_context_window: number | null;
}

/** The last event of a task that was not interrupted; after an `error` the task has failed. */
export interface TaskCompleteEvent {
  type: "task_complete";
  /** The last text of the last answer */
  last_agent_message: string | null;
}

/** The last event of a task that was. */
export interface TurnAbortedEvent {
  type: "turn_aborted";
  reason: "interrupted" | "replaced";
}

/** A task has failed, a submission could not be served (then it has that one's id), or, with an empty id, something that belongs to none. */
export interface ErrorEvent {
  type: "error";
  message: string;
  /** Set when a limit of the user was reached */
  code?: "turn_limit" | "time_limit";
  /** What the server or the system said */
  detail?: string;
}

/** The model's answer broke off; it is asked again. */
export interface StreamErrorEvent {
  type: "stream_error";
  message: string;
}

/** A remark for people. */
export interface BackgroundEvent {
  type: "background_event";
  message: string;
}

/** A piece of it, as it comes. */
export interface AgentMessageDeltaEvent {
  type: "agent_message_delta";
  delta: string;
}

/** A piece of it. */
export interface AgentReasoningDeltaEvent {
  type: "agent_reasoning_delta";
  delta: string;
}

/** A piece of it. */
export interface AgentReasoningRawContentDeltaEvent {
  type: "agent_reasoning_raw_content_delta";
  delta: string;
}

/** The next delta begins a new part. */
export interface AgentReasoningSectionBreakEvent {
  type: "agent_reasoning_section_break";
}

/** A command starts. */
export interface ExecCommandBeginEvent {
  type: "exec_command_begin";
  call_id: string;
  command: string[];
  cwd: string;
  /** What it does, for display only */
  parsed_cmd: ParsedCommand[];
}

export type ParsedCommand =
  | { type: "read"; cmd: string; name: string }
  | { type: "list_files"; cmd: string; path: string | null }
  | { type: "search"; cmd: string; query: string | null; path: string | null }
  | { type: "unknown"; cmd: string };

/** What it has printed; the first 10,000 pieces of each stream. */
export interface ExecCommandOutputDeltaEvent {
  type: "exec_command_output_delta";
  call_id: string;
  stream: "stdout" | "stderr";
  /** Base64, at most 8192 bytes before encoding */
  chunk: string;
}

/** It has ended; not told of a command that was interrupted. */
export interface ExecCommandEndEvent {
  type: "exec_command_end";
  call_id: string;
  /** Above 4 MiB its beginning and its end, like the others */
  stdout: string;
  stderr: string;
  /** Both streams in the order of arrival */
  aggregated_output: string;
  /** 124 after a time-out, -1 when it could not be started */
  exit_code: number;
  duration: Duration;
  /** What the model is shown */
  formatted_output: string;
}

export interface Duration {
  secs: number;
  nanos: number;
}

/** May this command run without the sandbox? The task waits for an `exec_approval`. */
export interface ExecApprovalRequestEvent {
  type: "exec_approval_request";
  call_id: string;
  command: string[];
  cwd: string;
  /** The model's, or that the command failed in the sandbox */
  reason?: string;
}

/** May these files be changed? The task waits for a `patch_approval`. */
export interface ApplyPatchApprovalRequestEvent {
  type: "apply_patch_approval_request";
  call_id: string;
  /** By absolute path */
  changes: FileChanges;
  reason?: string;
  /** A folder that is to be writable from then on */
  grant_root?: string;
}

export type FileChanges = Record<string, FileChange>;

export type FileChange =
  | { add: { content: string } }
  | { delete: { content: string } }
  | { update: { unified_diff: string; move_path: string | null } };

/** A patch is about to be applied. */
export interface PatchApplyBeginEvent {
  type: "patch_apply_begin";
  call_id: string;
  /** Nobody was asked */
  auto_approved: boolean;
  changes: FileChanges;
}

/** It has been, or could not be. */
export interface PatchApplyEndEvent {
  type: "patch_apply_end";
  call_id: string;
  stdout: string;
  stderr: string;
  success: boolean;
}

/** All that the task has changed so far, after each patch, and at the end if commands changed those files since. */
export interface TurnDiffEvent {
  type: "turn_diff";
  unified_diff: string;
}

/** The model's plan, whole each time. */
export interface PlanUpdateEvent {
  type: "plan_update";
  explanation: string | null;
  plan: PlanItem[];
}

export interface PlanItem {
  step: string;
  status: "pending" | "in_progress" | "completed";
}

/** A tool of an MCP server is called. */
export interface McpToolCallBeginEvent {
  type: "mcp_tool_call_begin";
  call_id: string;
  invocation: McpInvocation;
}

export interface McpInvocation {
  server: string;
  tool: string;
  arguments: unknown;
}

/** It has answered, or could not be called. */
export interface McpToolCallEndEvent {
  type: "mcp_tool_call_end";
  call_id: string;
  invocation: McpInvocation;
  duration: Duration;
  result: { Ok: McpToolResult } | { Err: string };
}

export interface McpToolResult {
  content: unknown[];
  isError?: boolean;
  structuredContent?: unknown;
}

/** The provider searches the web. */
export interface WebSearchBeginEvent {
  type: "web_search_begin";
  call_id: string;
}

/** It has searched. */
export interface WebSearchEndEvent {
  type: "web_search_end";
  call_id: string;
  query: string;
}

/** The answer to `get_history`. */
export interface ConversationHistoryEvent {
  type: "conversation_history";
  conversation_id: string;
  entries: ResponseItem[];
}

export type ResponseItem =
  | { type: "message"; role: "user" | "assistant" | "system" | "developer"; content: ContentPart[] }
  | { type: "reasoning"; summary: { type: "summary_text"; text: string }[]; content: { type: "reasoning_text" | "text"; text: string }[] | null; encrypted_content: string | null }
  | { type: "function_call"; name: string; arguments: string; call_id: string }
  | { type: "function_call_output"; call_id: string; output: string }
  | { type: "custom_tool_call"; status?: string; call_id: string; name: string; input: string }
  | { type: "custom_tool_call_output"; call_id: string; output: string }
  | { type: "local_shell_call"; call_id: string; status: string; action: { type: "exec"; command: string[]; timeout_ms?: number | null; working_directory?: string | null; env?: Record<string, string> | null; user?: string | null } };

export type ContentPart =
  | { type: "input_text"; text: string }
  | { type: "input_image"; image_url: string }
  | { type: "output_text"; text: string };

/** The answer to `get_history_entry_request`. */
export interface GetHistoryEntryResponseEvent {
  type: "get_history_entry_response";
  offset: number;
  log_id: number;
  /** Left out when there is none at that place of that file */
  entry?: HistoryEntry;
}

export interface HistoryEntry {
  conversation_id: string;
  ts: number;
  text: string;
}

/** The answer to `list_mcp_tools`. */
export interface McpListToolsResponseEvent {
  type: "mcp_list_tools_response";
  /** By the name that the model sees; each as its server describes it */
  tools: Record<string, McpTool>;
}

export interface McpTool {
  name: string;
  description?: string;
  inputSchema: Record<string, unknown>;
}

/** The answer to `list_custom_prompts`. */
export interface ListCustomPromptsResponseEvent {
  type: "list_custom_prompts_response";
  custom_prompts: CustomPrompt[];
}

export interface CustomPrompt {
  name: string;
  path: string;
  content: string;
}

/** The last event of all. */
export interface ShutdownCompleteEvent {
  type: "shutdown_complete";
}
