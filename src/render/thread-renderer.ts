import { quoteCommand } from "../lib/quote-command.ts";
import type {
  Event,
  ExecCommandBegin,
  FileChanges,
  McpInvocation,
  McpToolCallEnd,
  PlanUpdate,
  TokenUsage,
  TokenUsageInfo,
} from "../protocol/event.ts";
import { BufferedOutput } from "./buffered-output.ts";
import type { Output, Renderer, RunOutcome, RunSummary } from "./renderer.ts";
import type { ThreadItem, ThreadLine, ThreadUsage, TurnError } from "./thread-line-schema.ts";

/** `--experimental-json`: the run as a thread with one turn, made of items that start and complete. */
export class ThreadRenderer implements Renderer {
  readonly #output: BufferedOutput;
  /** Items that have started and not completed, by the call they belong to. */
  readonly #running = new Map<string, ThreadItem>();
  #nextItem = 0;
  #todoList: ThreadItem | undefined;
  /** Parts of one reasoning item; they arrive as events of their own. */
  #reasoning: string[] = [];
  #usage: TokenUsageInfo | undefined;
  #failure: TurnError | undefined;

  constructor(output: Output) {
    this.#output = new BufferedOutput(output);
  }

  start(run: RunSummary): void {
    this.#line({ type: "thread.started", thread_id: run.sessionId });
  }

  show({ id, msg }: Event): void {
    if (msg.type !== "agent_reasoning") this.#completeReasoning();
    switch (msg.type) {
      case "task_started":
        this.#line({ type: "turn.started" });
        break;
      case "agent_message":
        this.#complete({ type: "agent_message", text: msg.message });
        break;
      case "agent_reasoning":
        this.#reasoning.push(msg.text);
        break;
      case "exec_command_begin":
        this.#start(msg.call_id, commandExecution(msg));
        break;
      case "exec_command_end": {
        const item = this.#end(msg.call_id, "command_execution");
        const { aggregated_output, exit_code } = msg;
        if (item) this.#completed({ ...item, aggregated_output, exit_code, status: statusOf(exit_code === 0) });
        break;
      }
      case "patch_apply_begin":
        this.#start(msg.call_id, { type: "file_change", changes: fileChanges(msg.changes), status: "in_progress" });
        break;
      case "patch_apply_end": {
        const item = this.#end(msg.call_id, "file_change");
        if (item) this.#completed({ ...item, status: statusOf(msg.success) });
        break;
      }
      case "mcp_tool_call_begin":
        this.#start(msg.call_id, mcpToolCall(msg.invocation));
        break;
      case "mcp_tool_call_end": {
        const item = this.#end(msg.call_id, "mcp_tool_call");
        if (item) this.#completed({ ...item, ...toolCallResult(msg.result) });
        break;
      }
      case "web_search_begin":
        this.#start(msg.call_id, { type: "web_search", query: "", action: { type: "other" } });
        break;
      case "web_search_end": {
        const id = this.#end(msg.call_id, "web_search")?.id ?? this.#newId();
        const { query } = msg;
        this.#completed({ id, type: "web_search", query, action: { type: "search", query } });
        break;
      }
      case "plan_update":
        this.#updateTodoList(msg);
        break;
      case "token_count":
        this.#usage = msg.info ?? this.#usage;
        break;
      case "stream_error":
        this.#line({ type: "error", message: msg.message });
        break;
      case "error":
        this.#showError(id, msg);
        break;
      case "session_configured":
      case "task_complete":
      case "turn_aborted":
      case "shutdown_complete":
      case "background_event":
      case "user_message":
      case "agent_message_delta":
      case "agent_reasoning_delta":
      case "agent_reasoning_raw_content":
      case "agent_reasoning_raw_content_delta":
      case "agent_reasoning_section_break":
      case "exec_command_output_delta":
      case "exec_approval_request":
      case "apply_patch_approval_request":
      case "turn_diff":
      case "conversation_history":
      case "get_history_entry_response":
      case "mcp_list_tools_response":
      case "list_custom_prompts_response":
        break;
      default:
        msg satisfies never;
    }
  }

  /** The turn's last line waits for the outcome: an error event alone does not tell how a run ends. */
  finish(outcome: RunOutcome): void {
    this.#completeReasoning();
    if (this.#todoList !== undefined) this.#completed(this.#todoList);
    this.#line(outcome.reason === "completed" ? this.#turnCompleted() : this.#turnFailed(outcome.reason));
    this.#output.flush();
  }

  #turnCompleted(): ThreadLine {
    if (this.#usage === undefined) return { type: "turn.completed", usage: threadUsage(noUsage) };
    return {
      type: "turn.completed",
      usage: threadUsage(this.#usage.total_token_usage),
      last_usage: threadUsage(this.#usage.last_token_usage),
    };
  }

  #turnFailed(reason: "failed" | "interrupted" | "limit"): ThreadLine {
    const error = reason === "interrupted" ? { message: "interrupted" } : this.#failure;
    return { type: "turn.failed", error: error ?? { message: "the task did not complete" } };
  }

  #completeReasoning(): void {
    if (this.#reasoning.length === 0) return;
    const text = this.#reasoning.join("\n");
    this.#reasoning = [];
    if (text.trim() !== "") this.#complete({ type: "reasoning", text });
  }

  #showError(id: string, { message, detail, code }: ErrorEvent): void {
    if (id === "") {
      // No submission caused it, so the turn goes on: an MCP server did not start, say.
      this.#complete({ type: "error", message });
    } else {
      this.#failure = {
        message,
        ...(detail === undefined ? {} : { detail }),
        ...(code === undefined ? {} : { code }),
      };
      this.#line({ type: "error", ...this.#failure });
    }
  }

  #updateTodoList({ plan }: PlanUpdate): void {
    const items = plan.map(({ step, status }) => ({ text: step, completed: status === "completed" }));
    const type = this.#todoList === undefined ? "item.started" : "item.updated";
    this.#todoList = { id: this.#todoList?.id ?? this.#newId(), type: "todo_list", items };
    this.#line({ type, item: this.#todoList });
  }

  #start(callId: string, body: ItemBody): void {
    const item = { id: this.#newId(), ...body };
    this.#running.set(callId, item);
    this.#line({ type: "item.started", item });
  }

  /** The item that started with this call; undefined when none did. */
  #end<Type extends ThreadItem["type"]>(callId: string, type: Type): ItemOf<Type> | undefined {
    const item = this.#running.get(callId);
    this.#running.delete(callId);
    return isItemOf(item, type) ? item : undefined;
  }

  /** An item that is only told when it is there. */
  #complete(body: ItemBody): void {
    this.#completed({ id: this.#newId(), ...body });
  }

  #completed(item: ThreadItem): void {
    this.#line({ type: "item.completed", item });
  }

  #newId(): string {
    return `item_${this.#nextItem++}`;
  }

  #line(line: ThreadLine): void {
    this.#output.write("stdout", `${JSON.stringify(line)}\n`);
  }
}

const noUsage = { input_tokens: 0, cached_input_tokens: 0, output_tokens: 0, reasoning_output_tokens: 0 };

function threadUsage(usage: Omit<TokenUsage, "total_tokens">): ThreadUsage {
  return {
    input_tokens: usage.input_tokens,
    cached_input_tokens: usage.cached_input_tokens,
    cache_write_input_tokens: 0,
    output_tokens: usage.output_tokens,
    reasoning_output_tokens: usage.reasoning_output_tokens,
  };
}

type ErrorEvent = Extract<Event["msg"], { readonly type: "error" }>;

type ItemOf<Type extends ThreadItem["type"]> = Extract<ThreadItem, { readonly type: Type }>;
type WithoutId<Item> = Item extends unknown ? Omit<Item, "id"> : never; // of each item of a union
type ItemBody = WithoutId<ThreadItem>;

function isItemOf<Type extends ThreadItem["type"]>(item: ThreadItem | undefined, type: Type): item is ItemOf<Type> {
  return item?.type === type;
}

function commandExecution({ command }: ExecCommandBegin): WithoutId<ItemOf<"command_execution">> {
  return {
    type: "command_execution",
    command: quoteCommand(command),
    aggregated_output: "",
    exit_code: null,
    status: "in_progress",
  };
}

function mcpToolCall({ server, tool, arguments: args }: McpInvocation): WithoutId<ItemOf<"mcp_tool_call">> {
  return { type: "mcp_tool_call", server, tool, arguments: args, result: null, error: null, status: "in_progress" };
}

function fileChanges(changes: FileChanges): ItemOf<"file_change">["changes"] {
  return Object.entries(changes)
    .map(([path, change]) => {
      const kind: ItemOf<"file_change">["changes"][number]["kind"] =
        "add" in change ? "add" : "delete" in change ? "delete" : "update";
      return { path, kind };
    })
    .sort((left, right) => (left.path < right.path ? -1 : 1));
}

function toolCallResult(
  result: McpToolCallEnd["result"],
): Pick<ItemOf<"mcp_tool_call">, "result" | "error" | "status"> {
  if ("Err" in result) return { result: null, error: { message: result.Err }, status: "failed" };
  const { content, structuredContent = null, isError } = result.Ok;
  return {
    result: { content, structured_content: structuredContent },
    error: null,
    status: statusOf(isError !== true),
  };
}

function statusOf(succeeded: boolean): "completed" | "failed" {
  return succeeded ? "completed" : "failed";
}
