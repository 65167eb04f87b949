import type { ErrorCode } from "../protocol/event.ts";

/** One line of `--experimental-json`, as current SDKs read it; the format only ever gains fields. */
export type ThreadLine =
  | { readonly type: "thread.started"; readonly thread_id: string }
  | { readonly type: "turn.started" }
  | { readonly type: "item.started" | "item.updated" | "item.completed"; readonly item: ThreadItem }
  | TurnCompleted
  | { readonly type: "turn.failed"; readonly error: TurnError }
  | ({ readonly type: "error" } & TurnError);

interface TurnCompleted {
  readonly type: "turn.completed";
  /** Of the whole thread so far, resumed turns included. */
  readonly usage: ThreadUsage;
  /** Of the last request alone; absent when the provider told nothing. */
  readonly last_usage?: ThreadUsage;
}

export interface TurnError {
  readonly message: string;
  /** What the server or the system said, where the message does not hold it. */
  readonly detail?: string;
  /** Which limit of the user's ended the turn. */
  readonly code?: ErrorCode;
}

export interface ThreadUsage {
  readonly input_tokens: number;
  readonly cached_input_tokens: number;
  readonly cache_write_input_tokens: number;
  readonly output_tokens: number;
  readonly reasoning_output_tokens: number;
}

export type ThreadItem = { readonly id: string } & ItemBody;

export type ItemBody =
  | { readonly type: "agent_message" | "reasoning"; readonly text: string }
  | CommandExecution
  | FileChangeItem
  | McpToolCallItem
  | { readonly type: "web_search"; readonly query: string; readonly action: WebSearchAction }
  | { readonly type: "todo_list"; readonly items: readonly { readonly text: string; readonly completed: boolean }[] }
  | { readonly type: "error"; readonly message: string };

export interface CommandExecution {
  readonly type: "command_execution";
  readonly command: string;
  readonly aggregated_output: string;
  /** Null while it runs. */
  readonly exit_code: number | null;
  readonly status: ItemStatus;
}

export interface FileChangeItem {
  readonly type: "file_change";
  readonly changes: readonly { readonly path: string; readonly kind: "add" | "delete" | "update" }[];
  readonly status: ItemStatus;
}

export interface McpToolCallItem {
  readonly type: "mcp_tool_call";
  readonly server: string;
  readonly tool: string;
  readonly arguments: unknown;
  readonly result: { readonly content: readonly unknown[]; readonly structured_content: unknown } | null;
  readonly error: { readonly message: string } | null;
  readonly status: ItemStatus;
}

type WebSearchAction = { readonly type: "other" } | { readonly type: "search"; readonly query: string };

type ItemStatus = "in_progress" | "completed" | "failed";
