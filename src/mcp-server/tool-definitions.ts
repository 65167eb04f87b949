import type { ListToolsResult, Tool } from "@modelcontextprotocol/sdk/types.js";
import type { McpSettings } from "../config/mcp-settings.ts";
import { isRecord } from "../lib/parse-json.ts";
import { approvalPolicies, sandboxModes } from "../protocol/policy.ts";
import { invalidParams, RpcFailure } from "./rpc-failure.ts";

// Written out, because the first thing that every client asks for should not load the schemas; a test holds the two
// against each other.

const text = (description: string) => ({ type: "string", description }) as const;
const choice = (values: readonly string[], description: string) =>
  ({ type: "string", enum: [...values], description }) as const;

const approvalPolicy = choice(
  approvalPolicies,
  "When a person is asked before a command runs or a patch is applied; default: the server's configuration.",
);
const sandbox = choice(sandboxModes, "What commands may do; default: the server's configuration.");
const config = {
  type: "object",
  additionalProperties: true,
  description: "Settings of config.toml for this session, by dotted key; null takes a key away.",
} as const;
const ids = {
  conversationId: text("Names the session; give it to codex-reply to continue."),
  sessionId: text("The same id under the name of July and August 2025."),
  threadId: text("The same id under its later name."),
};

/** Of a result, also of one that failed once there was a session. */
const callOutput: NonNullable<Tool["outputSchema"]> = {
  type: "object",
  properties: {
    ...ids,
    content: text("The answer, as in the text content."),
    error: text("Why there is no answer."),
    detail: text("What the model's server or the system said about it."),
  },
  required: ["conversationId", "sessionId", "threadId"],
};

const codexTool: Tool = {
  name: "codex",
  title: "Codex",
  description:
    "Starts a session of the Codex coding agent with a task, and answers when the agent has finished it. The result names the session, which codex-reply continues.",
  inputSchema: {
    type: "object",
    properties: {
      "approval-policy": approvalPolicy,
      "base-instructions": text("Replaces the built-in instructions of the agent."),
      config,
      cwd: text("Working directory; a relative one starts at the server's own."),
      "include-plan-tool": { type: "boolean", description: "Offers the agent a tool to keep a plan; default: false." },
      model: text("Model to ask, for example gpt-5."),
      profile: text("Profile of config.toml to use."),
      prompt: text("The task, in words."),
      sandbox,
    },
    required: ["prompt"],
  },
  outputSchema: callOutput,
};

const codexReplyTool: Tool = {
  name: "codex-reply",
  title: "Codex Reply",
  description: "Continues a session of the Codex coding agent with a further prompt, also one of an earlier server.",
  inputSchema: {
    type: "object",
    properties: {
      conversationId: text(
        "Id of the session, from the result of codex; sessionId and threadId are other names for it.",
      ),
      prompt: text("What to do next."),
    },
    required: ["conversationId", "prompt"],
  },
  outputSchema: callOutput,
};

const contentItems = {
  type: "array",
  description: "What to say, in one or more items.",
  items: {
    oneOf: [
      { type: "object", properties: { type: { const: "text" }, text: { type: "string" } }, required: ["type", "text"] },
      {
        type: "object",
        properties: { type: { const: "image" }, image_url: { type: "string" } },
        required: ["type", "image_url"],
      },
      {
        type: "object",
        properties: { type: { const: "local_image" }, path: { type: "string" } },
        required: ["type", "path"],
      },
    ],
  },
} as const;

const overrides = {
  model: text("Model to ask."),
  cwd: text("Working directory."),
  approval_policy: approvalPolicy,
  sandbox,
  config,
  profile: text("Profile of config.toml to use."),
  base_instructions: text("Replaces the built-in instructions of the agent."),
} as const;

const message = text("What is wrong, when something is.");

/** Of August 2025; they work whether they are listed or not. */
const structuredTools: readonly Tool[] = [
  {
    name: "conversationCreate",
    title: "Create a conversation",
    description: "Makes a conversation without starting a turn; its events come as notifications from then on.",
    inputSchema: {
      type: "object",
      properties: { prompt: text("Not used: send a message instead."), ...overrides },
      required: ["prompt", "model", "cwd"],
    },
    outputSchema: {
      type: "object",
      properties: { conversation_id: text("Names the conversation."), model: text("The model it asks."), message },
    },
  },
  {
    name: "conversationSendMessage",
    title: "Send a message",
    description: "Starts a turn and answers at once; other members than these two hold for this turn.",
    inputSchema: {
      type: "object",
      properties: {
        conversation_id: text("Id of the conversation."),
        content: contentItems,
        parent_message_id: text("Not used."),
        ...overrides,
      },
      required: ["conversation_id", "content"],
    },
    outputSchema: {
      type: "object",
      properties: { status: choice(["ok", "error"], "Whether the message was taken."), message },
      required: ["status"],
    },
  },
  {
    name: "conversationStream",
    title: "Follow a conversation",
    description:
      "Sends notifications/initial_state with the events so far, then each event as it comes. It takes the place of the stream before; cancelling this request ends it.",
    inputSchema: {
      type: "object",
      properties: { conversation_id: text("Id of the conversation.") },
      required: ["conversation_id"],
    },
    outputSchema: { type: "object", properties: {} },
  },
  {
    name: "conversationsList",
    title: "List conversations",
    description: "Lists recorded conversations, the newest first.",
    inputSchema: {
      type: "object",
      properties: {
        limit: { type: "integer", minimum: 0, description: "How many at most." },
        cursor: text("next_cursor of the page before."),
      },
    },
    outputSchema: {
      type: "object",
      properties: {
        conversations: {
          type: "array",
          items: {
            type: "object",
            properties: { conversation_id: { type: "string" }, title: { type: "string" } },
            required: ["conversation_id", "title"],
          },
        },
        next_cursor: text("Asks for the next page."),
        message,
      },
    },
  },
];

export const allTools: readonly Tool[] = [codexTool, codexReplyTool, ...structuredTools];

/** There is one page; any cursor leads to it. */
export function listedTools(params: unknown, settings: McpSettings): ListToolsResult {
  const cursor = isRecord(params) ? params["cursor"] : undefined;
  if (cursor !== undefined && cursor !== null && typeof cursor !== "string") {
    throw new RpcFailure(invalidParams, "Invalid params: expected a string in `cursor`");
  }
  return { tools: [codexTool, codexReplyTool, ...(settings.structuredTools ? structuredTools : [])] };
}
