// What the server says, and what it asks of the client, as schemas. The program only sends these: they are for the JSON
// Schema and the declarations of the package, and for the tests, which hold every line against them.
import * as z from "zod/mini";
import { EventMsgSchema, FileChangesSchema } from "../protocol/event-schema.ts";
import { sandboxModes, verbosities } from "../protocol/policy.ts";
import {
  ApprovalPolicySchema,
  ReasoningEffortSchema,
  ReasoningSummarySchema,
  ReviewDecisionSchema,
} from "../protocol/submission-schema.ts";
import * as methods from "./method-schemas.ts";
import * as tools from "./tool-schemas.ts";

const text = z.string();
const anything = z.record(text, z.unknown());
const nothing = z.object({});
const SandboxModeSchema = z.enum(sandboxModes);
const AuthMethodSchema = z.enum(["apikey", "chatgpt"]);
const nullable = (schema: z.ZodMiniType) => z.nullable(schema);
const optional = z.exactOptional;

/** Also beyond what a JavaScript number holds exactly. */
export const RequestIdSchema = z.union([z.string(), z.number()]);
const MetaSchema = z.object({ requestId: optional(RequestIdSchema), conversationId: text });

const InitializeParamsSchema = z.object({
  protocolVersion: text,
  capabilities: anything,
  clientInfo: z.object({ name: text, version: text, title: optional(text) }),
});
const InitializeResultSchema = z.object({
  capabilities: z.object({ tools: z.object({ listChanged: z.literal(true) }) }),
  protocolVersion: text,
  serverInfo: z.object({ name: text, title: text, version: text, user_agent: text }),
});
const ToolSchema = z.object({
  name: text,
  title: text,
  description: text,
  inputSchema: anything,
  outputSchema: anything,
});
const ToolCallParamsSchema = z.object({
  name: text,
  arguments: z.optional(z.unknown()),
  _meta: optional(z.object({ progressToken: optional(RequestIdSchema) })),
});
const TextContentSchema = z.object({ type: z.literal("text"), text });
const ToolCallResultSchema = z.object({
  content: z.array(TextContentSchema),
  isError: optional(z.boolean()),
  structuredContent: optional(anything),
  error: optional(text),
});

export const CodexReplyArgumentsSchema = z.object({
  conversationId: optional(text),
  sessionId: optional(text),
  threadId: optional(text),
  prompt: text,
});
const CodexContentSchema = z.object({
  conversationId: text,
  sessionId: text,
  threadId: text,
  content: optional(text),
  error: optional(text),
  detail: optional(text),
});

const ConversationItemSchema = z.object({
  conversationId: text,
  path: text,
  preview: text,
  timestamp: optional(text),
});
const SavedProfileSchema = z.object({
  model: nullable(text),
  modelProvider: nullable(text),
  approvalPolicy: nullable(ApprovalPolicySchema),
  modelReasoningEffort: nullable(ReasoningEffortSchema),
  modelReasoningSummary: nullable(ReasoningSummarySchema),
  modelVerbosity: nullable(z.enum(verbosities)),
  chatgptBaseUrl: nullable(text),
});
const SavedConfigSchema = z.object({
  approvalPolicy: optional(ApprovalPolicySchema),
  sandboxMode: optional(SandboxModeSchema),
  sandboxSettings: optional(
    z.object({
      writableRoots: z.array(text),
      networkAccess: z.boolean(),
      excludeTmpdirEnvVar: z.boolean(),
      excludeSlashTmp: z.boolean(),
    }),
  ),
  model: optional(text),
  modelReasoningEffort: optional(ReasoningEffortSchema),
  modelReasoningSummary: optional(ReasoningSummarySchema),
  modelVerbosity: optional(z.enum(verbosities)),
  tools: optional(z.object({ webSearch: optional(z.boolean()), viewImage: optional(z.boolean()) })),
  profile: optional(text),
  profiles: z.record(text, SavedProfileSchema),
});

const method = (params: z.ZodMiniType, result: z.ZodMiniType) => z.object({ params, result });

/** Requests of the client. */
export const MethodsSchema = z.object({
  initialize: method(InitializeParamsSchema, InitializeResultSchema),
  ping: method(z.optional(z.unknown()), nothing),
  "tools/list": method(z.optional(z.object({ cursor: optional(text) })), z.object({ tools: z.array(ToolSchema) })),
  "tools/call": method(ToolCallParamsSchema, ToolCallResultSchema),
  newConversation: method(
    methods.NewConversationParamsSchema,
    z.object({ conversationId: text, model: text, reasoningEffort: ReasoningEffortSchema, rolloutPath: text }),
  ),
  listConversations: method(
    z.optional(methods.ListConversationsParamsSchema),
    z.object({ items: z.array(ConversationItemSchema), nextCursor: optional(text) }),
  ),
  resumeConversation: method(
    methods.ResumeConversationParamsSchema,
    z.object({ conversationId: text, model: text, initialMessages: z.array(EventMsgSchema) }),
  ),
  archiveConversation: method(methods.ArchiveConversationParamsSchema, nothing),
  sendUserMessage: method(methods.SendUserMessageParamsSchema, nothing),
  sendUserTurn: method(methods.SendUserTurnParamsSchema, nothing),
  interruptConversation: method(
    methods.ConversationParamsSchema,
    z.object({ abortReason: z.enum(["interrupted", "replaced"]) }),
  ),
  addConversationListener: method(methods.ConversationParamsSchema, z.object({ subscriptionId: text })),
  removeConversationListener: method(methods.RemoveListenerParamsSchema, nothing),
  gitDiffToRemote: method(methods.GitDiffParamsSchema, z.object({ sha: text, diff: text })),
  loginApiKey: method(methods.LoginApiKeyParamsSchema, nothing),
  loginChatGpt: method(z.optional(z.unknown()), z.object({ loginId: text, authUrl: text })),
  cancelLoginChatGpt: method(methods.CancelLoginParamsSchema, nothing),
  logoutChatGpt: method(z.optional(z.unknown()), nothing),
  logout: method(z.optional(z.unknown()), nothing),
  getAuthStatus: method(
    z.optional(methods.AuthStatusParamsSchema),
    z.object({
      authMethod: optional(AuthMethodSchema),
      preferredAuthMethod: optional(AuthMethodSchema),
      authToken: optional(text),
      requiresOpenaiAuth: z.boolean(),
    }),
  ),
  getUserSavedConfig: method(z.optional(z.unknown()), z.object({ config: SavedConfigSchema })),
  setDefaultModel: method(methods.SetDefaultModelParamsSchema, nothing),
  getUserAgent: method(z.optional(z.unknown()), z.object({ userAgent: text })),
  userInfo: method(z.optional(z.unknown()), z.object({ allegedUserEmail: nullable(text) })),
  execOneOffCommand: method(methods.ExecParamsSchema, z.object({ exitCode: z.int(), stdout: text, stderr: text })),
});

const tool = (args: z.ZodMiniType, structuredContent: z.ZodMiniType) =>
  z.object({ arguments: args, structuredContent });
const message = optional(text);

/** What `tools/call` takes and gives, by the tool's name. */
export const ToolsSchema = z.object({
  codex: tool(tools.CodexArgumentsSchema, CodexContentSchema),
  "codex-reply": tool(CodexReplyArgumentsSchema, CodexContentSchema),
  conversationCreate: tool(
    tools.CreateArgumentsSchema,
    z.object({ conversation_id: optional(text), model: optional(text), message }),
  ),
  conversationSendMessage: tool(
    tools.SendMessageArgumentsSchema,
    z.object({ status: z.enum(["ok", "error"]), message }),
  ),
  conversationStream: tool(tools.StreamArgumentsSchema, nothing),
  conversationsList: tool(
    tools.ListArgumentsSchema,
    z.object({
      conversations: optional(z.array(z.object({ conversation_id: text, title: text }))),
      next_cursor: optional(text),
      message,
    }),
  ),
});

const CodexEventParamsSchema = z.object({ _meta: optional(MetaSchema), id: text, msg: EventMsgSchema });
const StreamedEventSchema = z.object({ _meta: optional(MetaSchema), msg: EventMsgSchema });

/** Params by method. Where a type of event stands in the method's name, `*` stands for it here. */
export const NotificationsSchema = z.object({
  "codex/event": CodexEventParamsSchema,
  "codex/event/*": z.object({ id: text, msg: EventMsgSchema, conversationId: text }),
  "*": CodexEventParamsSchema,
  "notifications/progress": z.object({ progressToken: RequestIdSchema, progress: z.int(), message: text }),
  "notifications/cancelled": z.object({ requestId: RequestIdSchema, reason: optional(text) }),
  "notifications/initial_state": z.object({
    _meta: optional(MetaSchema),
    initial_state: z.object({ events: z.array(StreamedEventSchema) }),
  }),
  "notifications/stream_disconnected": z.object({ _meta: optional(MetaSchema), reason: text }),
  "notifications/*": StreamedEventSchema,
  authStatusChange: z.object({ authMethod: optional(AuthMethodSchema) }),
  loginChatGptComplete: z.object({ loginId: text, success: z.boolean(), error: optional(text) }),
});

const elicitation = {
  message: text,
  requestedSchema: anything,
  codex_mcp_tool_call_id: text,
  codex_event_id: text,
  codex_call_id: text,
  codex_reason: optional(text),
};
const ElicitationParamsSchema = z.discriminatedUnion("codex_elicitation", [
  z.object({
    ...elicitation,
    codex_elicitation: z.literal("exec-approval"),
    codex_command: z.array(text),
    codex_cwd: text,
  }),
  z.object({
    ...elicitation,
    codex_elicitation: z.literal("patch-approval"),
    codex_changes: FileChangesSchema,
    codex_grant_root: optional(text),
  }),
]);
const DecisionResultSchema = z.object({ decision: ReviewDecisionSchema });
const ElicitationResultSchema = z.union([
  z.object({
    action: z.enum(["accept", "decline", "cancel"]),
    content: optional(z.object({ decision: optional(ReviewDecisionSchema) })),
  }),
  DecisionResultSchema,
]);

/** Requests of the server. */
export const ServerRequestsSchema = z.object({
  "elicitation/create": method(ElicitationParamsSchema, ElicitationResultSchema),
  execCommandApproval: method(
    z.object({
      conversation_id: text,
      call_id: text,
      command: z.array(text),
      cwd: text,
      reason: optional(text),
    }),
    DecisionResultSchema,
  ),
  applyPatchApproval: method(
    z.object({
      conversation_id: text,
      call_id: text,
      file_changes: FileChangesSchema,
      reason: optional(text),
      grant_root: optional(text),
    }),
    DecisionResultSchema,
  ),
});

const jsonrpc = z.literal("2.0");

/** The four forms of a line. */
export const ServerMessageSchema = z.union([
  z.object({ id: RequestIdSchema, jsonrpc, result: anything }),
  z.object({ id: nullable(RequestIdSchema), jsonrpc, error: z.object({ code: z.int(), message: text }) }),
  z.object({ id: z.int(), jsonrpc, method: text, params: anything }),
  z.object({ jsonrpc, method: text, params: anything }),
]);

export const namedSchemas: Readonly<Record<string, z.ZodMiniType>> = {
  RequestId: RequestIdSchema,
  EventMeta: MetaSchema,
  Tool: ToolSchema,
  ToolCallResult: ToolCallResultSchema,
  CodexArguments: tools.CodexArgumentsSchema,
  CodexReplyArguments: CodexReplyArgumentsSchema,
  CodexContent: CodexContentSchema,
  NewConversationParams: methods.NewConversationParamsSchema,
  MethodInputItem: methods.ItemSchema,
  ConversationItem: ConversationItemSchema,
  SavedProfile: SavedProfileSchema,
  SavedConfig: SavedConfigSchema,
  CodexEventParams: CodexEventParamsSchema,
  StreamedEvent: StreamedEventSchema,
  ElicitationParams: ElicitationParamsSchema,
  ElicitationResult: ElicitationResultSchema,
  DecisionResult: DecisionResultSchema,
  ServerMessage: ServerMessageSchema,
  Methods: MethodsSchema,
  Tools: ToolsSchema,
  Notifications: NotificationsSchema,
  ServerRequests: ServerRequestsSchema,
};
