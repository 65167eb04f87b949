// Events as schemas. The program only sends them: these are for the JSON Schema, the declarations and the page of the
// package, and for the tests, which hold every line against them.
import * as z from "zod/mini";
import type { Event, EventMsg, SessionConfigured } from "./event.ts";
import type { Same } from "./same-type.ts";

const text = z.string();
const strings = z.array(text);
const count = z.int().check(z.nonnegative());
const callId = text;

export const DurationSchema = z.object({ secs: count, nanos: count });

export const TokenUsageSchema = z.object({
  input_tokens: count,
  cached_input_tokens: count,
  output_tokens: count,
  reasoning_output_tokens: count,
  total_tokens: count,
});

export const TokenUsageInfoSchema = z.object({
  total_token_usage: TokenUsageSchema,
  last_token_usage: TokenUsageSchema,
  model_context_window: z.nullable(count),
});

export const ParsedCommandSchema = z.discriminatedUnion("type", [
  z.object({ type: z.literal("read"), cmd: text, name: text }),
  z.object({ type: z.literal("list_files"), cmd: text, path: z.nullable(text) }),
  z.object({ type: z.literal("search"), cmd: text, query: z.nullable(text), path: z.nullable(text) }),
  z.object({ type: z.literal("unknown"), cmd: text }),
]);

export const FileChangeSchema = z.union([
  z.object({ add: z.object({ content: text }) }),
  z.object({ delete: z.object({ content: text }) }),
  z.object({ update: z.object({ unified_diff: text, move_path: z.nullable(text) }) }),
]);
export const FileChangesSchema = z.record(text, FileChangeSchema);

export const PlanItemSchema = z.object({ step: text, status: z.enum(["pending", "in_progress", "completed"]) });

export const McpInvocationSchema = z.object({ server: text, tool: text, arguments: z.unknown() });
export const McpToolResultSchema = z.object({
  content: z.array(z.unknown()),
  isError: z.exactOptional(z.boolean()),
  structuredContent: z.exactOptional(z.unknown()),
});
export const McpToolSchema = z.object({
  name: text,
  description: z.exactOptional(text),
  inputSchema: z.record(text, z.unknown()),
});

export const HistoryEntrySchema = z.object({ conversation_id: text, ts: count, text });
export const CustomPromptSchema = z.object({ name: text, path: text, content: text });

export const ContentPartSchema = z.discriminatedUnion("type", [
  z.object({ type: z.literal("input_text"), text }),
  z.object({ type: z.literal("input_image"), image_url: text }),
  z.object({ type: z.literal("output_text"), text }),
]);

export const ResponseItemSchema = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("message"),
    role: z.enum(["user", "assistant", "system", "developer"]),
    content: z.array(ContentPartSchema),
  }),
  z.object({
    type: z.literal("reasoning"),
    summary: z.array(z.object({ type: z.literal("summary_text"), text })),
    content: z.nullable(z.array(z.object({ type: z.enum(["reasoning_text", "text"]), text }))),
    encrypted_content: z.nullable(text),
  }),
  z.object({ type: z.literal("function_call"), name: text, arguments: text, call_id: callId }),
  z.object({ type: z.literal("function_call_output"), call_id: callId, output: text }),
  z.object({
    type: z.literal("custom_tool_call"),
    status: z.exactOptional(text),
    call_id: callId,
    name: text,
    input: text,
  }),
  z.object({ type: z.literal("custom_tool_call_output"), call_id: callId, output: text }),
  z.object({
    type: z.literal("local_shell_call"),
    call_id: callId,
    status: text,
    action: z.object({
      type: z.literal("exec"),
      command: strings,
      timeout_ms: z.exactOptional(z.nullable(z.number())),
      working_directory: z.exactOptional(z.nullable(text)),
      env: z.exactOptional(z.nullable(z.record(text, text))),
      user: z.exactOptional(z.nullable(text)),
    }),
  }),
]);

/** The events that a session file keeps, and that a resumed session begins with. */
const stored = [
  z.object({
    type: z.literal("user_message"),
    message: text,
    kind: z.enum(["plain", "user_instructions", "environment_context"]),
    images: z.exactOptional(strings),
  }),
  z.object({ type: z.literal("agent_message"), message: text }),
  z.object({ type: z.literal("agent_reasoning"), text }),
  z.object({ type: z.literal("agent_reasoning_raw_content"), text }),
  z.object({ type: z.literal("token_count"), info: z.nullable(TokenUsageInfoSchema) }),
] as const;

const mcpCall = { call_id: callId, invocation: McpInvocationSchema };

/** In the order in which a client meets them. */
export const EventMsgSchema = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("session_configured"),
    session_id: text,
    model: text,
    history_log_id: count,
    history_entry_count: count,
    initial_messages: z.exactOptional(z.array(z.discriminatedUnion("type", stored))),
    rollout_path: text,
  }),
  z.object({ type: z.literal("task_started"), model_context_window: z.nullable(count) }),
  z.object({ type: z.literal("task_complete"), last_agent_message: z.nullable(text) }),
  z.object({ type: z.literal("turn_aborted"), reason: z.enum(["interrupted", "replaced"]) }),
  z.object({
    type: z.literal("error"),
    message: text,
    code: z.exactOptional(z.enum(["turn_limit", "time_limit"])),
    detail: z.exactOptional(text),
  }),
  z.object({ type: z.literal("stream_error"), message: text }),
  z.object({ type: z.literal("background_event"), message: text }),
  ...stored,
  z.object({ type: z.literal("agent_message_delta"), delta: text }),
  z.object({ type: z.literal("agent_reasoning_delta"), delta: text }),
  z.object({ type: z.literal("agent_reasoning_raw_content_delta"), delta: text }),
  z.object({ type: z.literal("agent_reasoning_section_break") }),
  z.object({
    type: z.literal("exec_command_begin"),
    call_id: callId,
    command: strings,
    cwd: text,
    parsed_cmd: z.array(ParsedCommandSchema),
  }),
  z.object({
    type: z.literal("exec_command_output_delta"),
    call_id: callId,
    stream: z.enum(["stdout", "stderr"]),
    chunk: text,
  }),
  z.object({
    type: z.literal("exec_command_end"),
    call_id: callId,
    stdout: text,
    stderr: text,
    aggregated_output: text,
    exit_code: z.int(),
    duration: DurationSchema,
    formatted_output: text,
  }),
  z.object({
    type: z.literal("exec_approval_request"),
    call_id: callId,
    command: strings,
    cwd: text,
    reason: z.exactOptional(text),
  }),
  z.object({
    type: z.literal("apply_patch_approval_request"),
    call_id: callId,
    changes: FileChangesSchema,
    reason: z.exactOptional(text),
    grant_root: z.exactOptional(text),
  }),
  z.object({
    type: z.literal("patch_apply_begin"),
    call_id: callId,
    auto_approved: z.boolean(),
    changes: FileChangesSchema,
  }),
  z.object({ type: z.literal("patch_apply_end"), call_id: callId, stdout: text, stderr: text, success: z.boolean() }),
  z.object({ type: z.literal("turn_diff"), unified_diff: text }),
  z.object({ type: z.literal("plan_update"), explanation: z.nullable(text), plan: z.array(PlanItemSchema) }),
  z.object({ type: z.literal("mcp_tool_call_begin"), ...mcpCall }),
  z.object({
    type: z.literal("mcp_tool_call_end"),
    ...mcpCall,
    duration: DurationSchema,
    result: z.union([z.object({ Ok: McpToolResultSchema }), z.object({ Err: text })]),
  }),
  z.object({ type: z.literal("web_search_begin"), call_id: callId }),
  z.object({ type: z.literal("web_search_end"), call_id: callId, query: text }),
  z.object({
    type: z.literal("conversation_history"),
    conversation_id: text,
    entries: z.array(ResponseItemSchema),
  }),
  z.object({
    type: z.literal("get_history_entry_response"),
    offset: count,
    log_id: count,
    entry: z.exactOptional(HistoryEntrySchema),
  }),
  z.object({ type: z.literal("mcp_list_tools_response"), tools: z.record(text, McpToolSchema) }),
  z.object({ type: z.literal("list_custom_prompts_response"), custom_prompts: z.array(CustomPromptSchema) }),
  z.object({ type: z.literal("shutdown_complete") }),
]);

export const EventSchema = z.object({ id: text, msg: EventMsgSchema });

type SchemaMsg = z.output<typeof EventMsgSchema>;
type SchemaSession = Extract<SchemaMsg, { type: "session_configured" }>;

true satisfies Same<Exclude<SchemaMsg, SchemaSession>, Exclude<EventMsg, SessionConfigured>>;
// A type that holds itself cannot be compared; the schema says which of the events these are.
true satisfies Same<Omit<SchemaSession, "initial_messages">, Omit<SessionConfigured, "initial_messages">>;
true satisfies z.output<typeof EventSchema> extends Event ? true : false;
