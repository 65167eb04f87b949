// codex mcp. A line of stdout is a ServerMessage; what it holds depends on its method. Fields are only ever added.
// Made from the same schemas as mcp.schema.json; what is changed here will be lost.

/** A line of stdout */
export type ServerMessage =
  | { id: RequestId; jsonrpc: "2.0"; result: Record<string, unknown> }
  | { id: RequestId | null; jsonrpc: "2.0"; error: { code: number; message: string } }
  | { id: number; jsonrpc: "2.0"; method: string; params: Record<string, unknown> }
  | { jsonrpc: "2.0"; method: string; params: Record<string, unknown> };

export type RequestId = string | number;

/** What a client may ask, and what it gets, by method */
export interface Methods {
  initialize: { params: { protocolVersion: string; capabilities: Record<string, unknown>; clientInfo: { name: string; version: string; title?: string } }; result: { capabilities: { tools: { listChanged: true } }; protocolVersion: string; serverInfo: { name: string; title: string; version: string; user_agent: string } } };
  ping: { params?: unknown; result: {  } };
  "tools/list": { params?: { cursor?: string }; result: { tools: Tool[] } };
  "tools/call": { params: { name: string; arguments?: unknown; _meta?: { progressToken?: RequestId } }; result: ToolCallResult };
  newConversation: { params: NewConversationParams; result: { conversationId: string; model: string; reasoningEffort: ReasoningEffort; rolloutPath: string } };
  listConversations: { params?: { pageSize?: number | null; cursor?: string | null }; result: { items: ConversationItem[]; nextCursor?: string } };
  resumeConversation: { params: { path: string; overrides?: NewConversationParams | null }; result: { conversationId: string; model: string; initialMessages: EventMsg[] } };
  archiveConversation: { params: { conversationId: string; rolloutPath: string }; result: {  } };
  sendUserMessage: { params: { conversationId: string; items: MethodInputItem[] }; result: {  } };
  sendUserTurn: { params: { conversationId: string; items: MethodInputItem[]; cwd: string; approvalPolicy: ApprovalPolicy; sandboxPolicy: SandboxPolicy; model: string; effort?: ReasoningEffort | null; summary: ReasoningSummary }; result: {  } };
  interruptConversation: { params: { conversationId: string }; result: { abortReason: "interrupted" | "replaced" } };
  addConversationListener: { params: { conversationId: string }; result: { subscriptionId: string } };
  removeConversationListener: { params: { subscriptionId: string }; result: {  } };
  gitDiffToRemote: { params: { cwd: string }; result: { sha: string; diff: string } };
  loginApiKey: { params: { apiKey: string }; result: {  } };
  loginChatGpt: { params?: unknown; result: { loginId: string; authUrl: string } };
  cancelLoginChatGpt: { params: { loginId: string }; result: {  } };
  logoutChatGpt: { params?: unknown; result: {  } };
  logout: { params?: unknown; result: {  } };
  getAuthStatus: { params?: { includeToken?: boolean | null; refreshToken?: boolean | null }; result: { authMethod?: "apikey" | "chatgpt"; preferredAuthMethod?: "apikey" | "chatgpt"; authToken?: string; requiresOpenaiAuth: boolean } };
  getUserSavedConfig: { params?: unknown; result: { config: SavedConfig } };
  setDefaultModel: { params: { model?: string | null; reasoningEffort?: ReasoningEffort | null }; result: {  } };
  getUserAgent: { params?: unknown; result: { userAgent: string } };
  userInfo: { params?: unknown; result: { allegedUserEmail: string | null } };
  execOneOffCommand: { params: { command: string[]; timeoutMs?: number | null; cwd?: string | null; sandboxPolicy?: SandboxPolicy | null }; result: { exitCode: number; stdout: string; stderr: string } };
}

export interface Tool {
  name: string;
  title: string;
  description: string;
  inputSchema: Record<string, unknown>;
  outputSchema: Record<string, unknown>;
}

export interface ToolCallResult {
  content: { type: "text"; text: string }[];
  isError?: boolean;
  structuredContent?: Record<string, unknown>;
  error?: string;
}

export interface NewConversationParams {
  model?: string | null;
  profile?: string | null;
  cwd?: string | null;
  approvalPolicy?: ApprovalPolicy | null;
  sandbox?: "read-only" | "workspace-write" | "danger-full-access" | null;
  config?: Record<string, unknown> | null;
  baseInstructions?: string | null;
  includePlanTool?: boolean | null;
  includeApplyPatchTool?: boolean | null;
}

export type ApprovalPolicy = "untrusted" | "on-failure" | "on-request" | "never";

export type ReasoningEffort = "minimal" | "low" | "medium" | "high";

export interface ConversationItem {
  conversationId: string;
  path: string;
  preview: string;
  timestamp?: string;
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

export type MethodInputItem =
  | { type: "text"; data: { text: string } } | { type: "image"; data: { image_url: string } } | { type: "localImage"; data: { path: string } }
  | InputItem;

export type InputItem =
  | { type: "text"; text: string }
  | { type: "image"; image_url: string }
  | { type: "local_image"; path: string };

export type SandboxPolicy =
  | { mode: "danger-full-access" }
  | { mode: "read-only" }
  | { mode: "workspace-write"; writable_roots?: string[]; network_access?: boolean; exclude_tmpdir_env_var?: boolean; exclude_slash_tmp?: boolean };

export type ReasoningSummary = "auto" | "concise" | "detailed" | "none";

export interface SavedConfig {
  approvalPolicy?: ApprovalPolicy;
  sandboxMode?: "read-only" | "workspace-write" | "danger-full-access";
  sandboxSettings?: { writableRoots: string[]; networkAccess: boolean; excludeTmpdirEnvVar: boolean; excludeSlashTmp: boolean };
  model?: string;
  modelReasoningEffort?: ReasoningEffort;
  modelReasoningSummary?: ReasoningSummary;
  modelVerbosity?: "low" | "medium" | "high";
  tools?: { webSearch?: boolean; viewImage?: boolean };
  profile?: string;
  profiles: Record<string, SavedProfile>;
}

export interface SavedProfile {
  model: string | null;
  modelProvider: string | null;
  approvalPolicy: ApprovalPolicy | null;
  modelReasoningEffort: ReasoningEffort | null;
  modelReasoningSummary: ReasoningSummary | null;
  modelVerbosity: "low" | "medium" | "high" | null;
  chatgptBaseUrl: string | null;
}

/** What tools/call takes and gives, by the name of the tool */
export interface Tools {
  codex: { arguments: CodexArguments; structuredContent: CodexContent };
  "codex-reply": { arguments: CodexReplyArguments; structuredContent: CodexContent };
  conversationCreate: { arguments: { prompt: string; model: string; cwd: string; approval_policy?: ApprovalPolicy | null; sandbox?: "read-only" | "workspace-write" | "danger-full-access" | null; config?: unknown | null; profile?: string | null; base_instructions?: string | null }; structuredContent: { conversation_id?: string; model?: string; message?: string } };
  conversationSendMessage: { arguments: { conversation_id: string; content: InputItem[]; parent_message_id?: unknown | null; model?: string | null; cwd?: string | null; approval_policy?: ApprovalPolicy | null; sandbox?: "read-only" | "workspace-write" | "danger-full-access" | null; config?: unknown | null; profile?: string | null; base_instructions?: string | null }; structuredContent: { status: "ok" | "error"; message?: string } };
  conversationStream: { arguments: { conversation_id: string }; structuredContent: {  } };
  conversationsList: { arguments: { limit?: number | null; cursor?: string | null }; structuredContent: { conversations?: { conversation_id: string; title: string }[]; next_cursor?: string; message?: string } };
}

export interface CodexArguments {
  prompt: string;
  model?: string | null;
  profile?: string | null;
  cwd?: string | null;
  "approval-policy"?: ApprovalPolicy | null;
  sandbox?: "read-only" | "workspace-write" | "danger-full-access" | null;
  config?: Record<string, unknown> | null;
  "base-instructions"?: string | null;
  "include-plan-tool"?: boolean | null;
}

/** The structured content of a result; error instead of content where there is no answer */
export interface CodexContent {
  conversationId: string;
  sessionId: string;
  threadId: string;
  content?: string;
  error?: string;
  detail?: string;
}

export interface CodexReplyArguments {
  conversationId?: string;
  sessionId?: string;
  threadId?: string;
  prompt: string;
}

/** Params by method; * stands for the type of an event */
export interface Notifications {
  "codex/event": CodexEventParams;
  "codex/event/*": { id: string; msg: EventMsg; conversationId: string };
  "*": CodexEventParams;
  "notifications/progress": { progressToken: RequestId; progress: number; message: string };
  "notifications/cancelled": { requestId: RequestId; reason?: string };
  "notifications/initial_state": { _meta?: EventMeta; initial_state: { events: StreamedEvent[] } };
  "notifications/stream_disconnected": { _meta?: EventMeta; reason: string };
  "notifications/*": StreamedEvent;
  authStatusChange: { authMethod?: "apikey" | "chatgpt" };
  loginChatGptComplete: { loginId: string; success: boolean; error?: string };
}

export interface CodexEventParams {
  _meta?: EventMeta;
  id: string;
  msg: EventMsg;
}

/** requestId is the id of the call that is told of */
export interface EventMeta {
  requestId?: RequestId;
  conversationId: string;
}

export interface StreamedEvent {
  _meta?: EventMeta;
  msg: EventMsg;
}

/** What the server asks of the client, by method */
export interface ServerRequests {
  "elicitation/create": { params: ElicitationParams; result: ElicitationResult };
  execCommandApproval: { params: { conversation_id: string; call_id: string; command: string[]; cwd: string; reason?: string }; result: DecisionResult };
  applyPatchApproval: { params: { conversation_id: string; call_id: string; file_changes: FileChanges; reason?: string; grant_root?: string }; result: DecisionResult };
}

export type ElicitationParams =
  | { message: string; requestedSchema: Record<string, unknown>; codex_mcp_tool_call_id: string; codex_event_id: string; codex_call_id: string; codex_reason?: string; codex_elicitation: "exec-approval"; codex_command: string[]; codex_cwd: string }
  | { message: string; requestedSchema: Record<string, unknown>; codex_mcp_tool_call_id: string; codex_event_id: string; codex_call_id: string; codex_reason?: string; codex_elicitation: "patch-approval"; codex_changes: FileChanges; codex_grant_root?: string };

/** MCP's own answer, or the one that clients of 2025 give */
export type ElicitationResult =
  | { action: "accept" | "decline" | "cancel"; content?: { decision?: ReviewDecision } }
  | DecisionResult;

export type ReviewDecision = "approved" | "approved_for_session" | "denied" | "abort";

export interface DecisionResult {
  decision: ReviewDecision;
}
