// Lines of `exec --experimental-json` as schemas: for the JSON Schema, the declarations and the page of the package, and
// for the tests, which hold every line against them. The program has only their types; the format only ever gains fields.
import * as z from "zod/mini";
import type { Plain } from "../protocol/same-type.ts";

const text = z.string();
const count = z.int().check(z.nonnegative());
const item = { id: text };

const ThreadUsageSchema = z.object({
  input_tokens: count,
  cached_input_tokens: count,
  cache_write_input_tokens: count,
  output_tokens: count,
  reasoning_output_tokens: count,
});

const TurnErrorSchema = z.object({
  message: text,
  detail: z.exactOptional(text),
  code: z.exactOptional(z.enum(["turn_limit", "time_limit"])),
});

const ItemStatusSchema = z.enum(["in_progress", "completed", "failed"]);

const CommandExecutionItemSchema = z.object({
  ...item,
  type: z.literal("command_execution"),
  command: text,
  aggregated_output: text,
  exit_code: z.nullable(z.int()),
  status: ItemStatusSchema,
});

const FileChangeItemSchema = z.object({
  ...item,
  type: z.literal("file_change"),
  changes: z.array(z.object({ path: text, kind: z.enum(["add", "delete", "update"]) })),
  status: ItemStatusSchema,
});

const McpToolCallItemSchema = z.object({
  ...item,
  type: z.literal("mcp_tool_call"),
  server: text,
  tool: text,
  arguments: z.unknown(),
  result: z.nullable(z.object({ content: z.array(z.unknown()), structured_content: z.unknown() })),
  error: z.nullable(z.object({ message: text })),
  status: ItemStatusSchema,
});

const WebSearchItemSchema = z.object({
  ...item,
  type: z.literal("web_search"),
  query: text,
  action: z.discriminatedUnion("type", [
    z.object({ type: z.literal("other") }),
    z.object({ type: z.literal("search"), query: text }),
  ]),
});

const ThreadItemSchema = z.discriminatedUnion("type", [
  z.object({ ...item, type: z.enum(["agent_message", "reasoning"]), text }),
  CommandExecutionItemSchema,
  FileChangeItemSchema,
  McpToolCallItemSchema,
  WebSearchItemSchema,
  z.object({ ...item, type: z.literal("todo_list"), items: z.array(z.object({ text, completed: z.boolean() })) }),
  z.object({ ...item, type: z.literal("error"), message: text }),
]);

const TurnCompletedSchema = z.object({
  type: z.literal("turn.completed"),
  usage: ThreadUsageSchema,
  last_usage: z.exactOptional(ThreadUsageSchema),
});

const ThreadLineSchema = z.discriminatedUnion("type", [
  z.object({ type: z.literal("thread.started"), thread_id: text }),
  z.object({ type: z.literal("turn.started") }),
  z.object({ type: z.enum(["item.started", "item.updated", "item.completed"]), item: ThreadItemSchema }),
  TurnCompletedSchema,
  z.object({ type: z.literal("turn.failed"), error: TurnErrorSchema }),
  z.object({ type: z.literal("error"), ...TurnErrorSchema.shape }),
]);

/** Those that are definitions of their own, in the order in which a reader meets them. */
export const threadSchemas = {
  ThreadLine: ThreadLineSchema,
  TurnCompleted: TurnCompletedSchema,
  ThreadUsage: ThreadUsageSchema,
  TurnError: TurnErrorSchema,
  ThreadItem: ThreadItemSchema,
  CommandExecutionItem: CommandExecutionItemSchema,
  FileChangeItem: FileChangeItemSchema,
  McpToolCallItem: McpToolCallItemSchema,
  WebSearchItem: WebSearchItemSchema,
  ItemStatus: ItemStatusSchema,
};

export type ThreadLine = Plain<z.output<typeof ThreadLineSchema>>;
export type ThreadItem = Plain<z.output<typeof ThreadItemSchema>>;
export type ThreadUsage = Plain<z.output<typeof ThreadUsageSchema>>;
export type TurnError = Plain<z.output<typeof TurnErrorSchema>>;
