// codex exec. A line of --json is a JsonLine, a line of --experimental-json is a ThreadLine. Fields are only ever added.
// Made from the same schemas as exec.schema.json; what is changed here will be lost.

/** A line of `--json` */
export type JsonLine =
  | SettingsLine
  | PromptLine
  | EventLine;

/** The first line */
export interface SettingsLine {
  workdir: string;
  model: string;
  provider: string;
  approval: ApprovalPolicy;
  sandbox: string;
  /** Like the summaries: for a model that reasons, on the Responses wire */
  "reasoning effort"?: ReasoningEffort;
  "reasoning summaries"?: ReasoningSummary;
  /** What `codex exec resume` takes */
  "session id": string;
}

export type ApprovalPolicy = "untrusted" | "on-failure" | "on-request" | "never";

export type ReasoningEffort = "minimal" | "low" | "medium" | "high";

export type ReasoningSummary = "auto" | "concise" | "detailed" | "none";

/** The second line */
export interface PromptLine {
  /** As it is sent, with what was piped in */
  prompt: string;
}

/** Each other line */
export interface EventLine {
  /** That of the run's task, or "" when it is not of the task */
  id: string;
  msg: PrintedEvent;
}

/** What `codex proto` tells, without deltas and without the beginning and end of session and task */
export type PrintedEvent =
  | TaskStartedEvent
  | TurnAbortedEvent
  | ErrorEvent
  | StreamErrorEvent
  | BackgroundEvent
  | UserMessageEvent
  | AgentMessageEvent
  | AgentReasoningEvent
  | AgentReasoningRawContentEvent
  | TokenCountEvent
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
  | ListCustomPromptsResponseEvent;

/** Comes before every other event of a task. */
export interface TaskStartedEvent {
  type: "task_started";
  /** Tokens; null when not known */
  model_context_window: number | null;
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

/** A line of `--experimental-json`, as current SDKs read it */
export type ThreadLine =
  | { type: "thread.started"; thread_id: string }
  | { type: "turn.started" }
  | { type: "item.started" | "item.updated" | "item.completed"; item: ThreadItem }
  | TurnCompleted
  | { type: "turn.failed"; error: TurnError }
  | { type: "error"; message: string; detail?: string; code?: "turn_limit" | "time_limit" };

export type ThreadItem =
  | { id: string; type: "agent_message" | "reasoning"; text: string }
  | CommandExecutionItem
  | FileChangeItem
  | McpToolCallItem
  | WebSearchItem
  | { id: string; type: "todo_list"; items: { text: string; completed: boolean }[] }
  | { id: string; type: "error"; message: string };

export interface CommandExecutionItem {
  id: string;
  type: "command_execution";
  command: string;
  /** Both streams in the order of arrival; empty while it runs */
  aggregated_output: string;
  /** Null while it runs */
  exit_code: number | null;
  status: ItemStatus;
}

export type ItemStatus = "in_progress" | "completed" | "failed";

export interface FileChangeItem {
  id: string;
  type: "file_change";
  changes: { path: string; kind: "add" | "delete" | "update" }[];
  status: ItemStatus;
}

export interface McpToolCallItem {
  id: string;
  type: "mcp_tool_call";
  server: string;
  tool: string;
  arguments: unknown;
  result: { content: unknown[]; structured_content: unknown } | null;
  error: { message: string } | null;
  status: ItemStatus;
}

export interface WebSearchItem {
  id: string;
  type: "web_search";
  /** Empty until it has searched */
  query: string;
  action: { type: "other" } | { type: "search"; query: string };
}

export interface TurnCompleted {
  type: "turn.completed";
  /** Of the whole thread so far, resumed turns included */
  usage: ThreadUsage;
  /** Of the last request alone; absent when the provider told nothing */
  last_usage?: ThreadUsage;
}

export interface ThreadUsage {
  input_tokens: number;
  cached_input_tokens: number;
  /** Always 0; for SDKs that ask for it */
  cache_write_input_tokens: number;
  output_tokens: number;
  reasoning_output_tokens: number;
}

export interface TurnError {
  message: string;
  /** What the server or the system said, where the message does not hold it */
  detail?: string;
  /** Which limit of the user's ended the turn */
  code?: "turn_limit" | "time_limit";
}
