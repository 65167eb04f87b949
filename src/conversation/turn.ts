import { log } from "../lib/log.ts";
import { ModelError, type ModelEvent, type ModelRequest } from "../model/model-client.ts";
import type { EventMsg } from "../protocol/event.ts";
import { isToolCall, outputFor, type ResponseItem, type ToolCallItem } from "../protocol/response-item.ts";
import { withMissingOutputs } from "../rollout/answer-calls.ts";
import type { ToolContext } from "../tools/tool.ts";
import { toolDefinitions } from "../tools/tool-set.ts";
import { withRetries } from "./retries.ts";
import type { Session } from "./session.ts";
import type { Task } from "./task.ts";

/** Loaded when the model first calls something: an answer in text does without. */
const loadTools = () => import("../tools/run-tool-call.ts");

const callEndings: ReadonlySet<EventMsg["type"]> = new Set([
  "exec_command_end",
  "patch_apply_end",
  "mcp_tool_call_end",
] as const);

export interface TurnOutcome {
  readonly hasCalls: boolean;
  /** The last message of this response. */
  readonly lastMessage: string | null;
}

/** One request to the model and the handling of its answer, tried again where that can help. */
export function runTurn(session: Session, task: Task): Promise<TurnOutcome> {
  return withRetries(session, task, async () => {
    const response = new Response(session, task);
    await response.read();
    return { hasCalls: response.hasCalls, lastMessage: response.lastMessage };
  });
}

/** One attempt at an answer. */
class Response {
  hasCalls = false;
  lastMessage: string | null = null;
  readonly #session: Session;
  readonly #task: Task;
  /**
   * Items of this answer that the history does not have yet. They join it when a call is about to run or the answer is
   * whole; what an attempt that broke off leaves here is dropped, because the next attempt says it again.
   */
  #draft: ResponseItem[] = [];
  /** How a call ended; told when its output is on disk, for what a client has seen is not lost. */
  #ending: EventMsg | undefined;

  constructor(session: Session, task: Task) {
    this.#session = session;
    this.#task = task;
  }

  async read(): Promise<void> {
    const client = await this.#session.client();
    const request = buildRequest(this.#session, this.#task);
    log("debug", "turn", `asking ${request.model} with ${request.input.length} items`);
    let isCompleted = false;
    for await (const events of client.stream(request, this.#task.signal)) {
      for (const event of events) {
        this.#task.signal.throwIfAborted();
        const call = this.#handle(event);
        if (call !== undefined) await call; // deltas come by the ten thousand: nothing to wait for
        isCompleted ||= event.type === "completed";
      }
    }
    if (!isCompleted) {
      throw new ModelError("stream disconnected before completion: stream closed before response.completed");
    }
  }

  #handle(event: ModelEvent): Promise<void> | undefined {
    const session = this.#session;
    const task = this.#task;
    const emit = (msg: Parameters<Session["emit"]>[1]) => session.emit(task.id, msg);
    switch (event.type) {
      case "text_delta":
        emit({ type: "agent_message_delta", delta: event.delta });
        return;
      case "reasoning_delta":
        emit({ type: "agent_reasoning_delta", delta: event.delta });
        return;
      case "raw_reasoning_delta":
        if (this.#session.config.showRawAgentReasoning) {
          emit({ type: "agent_reasoning_raw_content_delta", delta: event.delta });
        }
        return;
      case "reasoning_section_break":
        emit({ type: "agent_reasoning_section_break" });
        return;
      case "call_started":
        // What a call will need is made ready while the model writes its arguments.
        session.sandboxes.get(task.settings.sandboxPolicy, task.settings.cwd).warmUp();
        loadTools().catch(() => {}); // the call meets the same cause, or has more luck
        return;
      case "web_search_begin":
        emit({ type: "web_search_begin", call_id: event.call_id });
        return;
      case "web_search_end":
        emit({ type: "web_search_end", call_id: event.call_id, query: event.query });
        return;
      case "item":
        this.#draft.push(event.item);
        if (isToolCall(event.item)) return this.#call(event.item);
        this.#show(event.item);
        return;
      case "completed":
        this.#commit();
        if (event.usage !== null) {
          session.usage.add(event.usage);
          session.context.measure(event.usage.total_tokens);
        }
        emit({
          type: "token_count",
          info: this.#session.usage.info(this.#session.contextWindow(this.#task.settings.model)),
        });
        return;
      default:
        event satisfies never;
    }
  }

  #show(item: ResponseItem): void {
    if (item.type === "message") {
      for (const part of item.content) {
        if (part.type !== "output_text") continue;
        this.lastMessage = part.text;
        this.#session.emit(this.#task.id, { type: "agent_message", message: part.text });
      }
    } else if (item.type === "reasoning") {
      for (const part of item.summary) this.#session.emit(this.#task.id, { type: "agent_reasoning", text: part.text });
      if (!this.#session.config.showRawAgentReasoning) return;
      for (const part of item.content ?? []) {
        this.#session.emit(this.#task.id, { type: "agent_reasoning_raw_content", text: part.text });
      }
    }
  }

  #commit(): void {
    this.#session.record(...this.#draft);
    this.#draft = [];
  }

  /**
   * Runs a call to its end and answers it. After an interrupt neither the call nor what led to it is in the next request
   *; the rollout, which has the call already, gets an answer all the same.
   */
  async #call(item: ToolCallItem): Promise<void> {
    const length = this.#session.history.items.length;
    this.#commit();
    this.hasCalls = true;
    const { runToolCall } = await loadTools();
    const name = item.type === "local_shell_call" ? "local_shell" : item.name;
    log("info", "turn", `call ${item.call_id} of ${name}`); // not its arguments, which may hold anything
    const output = await runToolCall(item, this.#context(item));
    log("debug", "turn", `call ${item.call_id} ${output.isSuccess ? "succeeded" : "failed"}`);
    if (this.#task.signal.aborted) {
      this.#session.recordOnly(outputFor(item, "aborted"));
      this.#session.history.cutTo(length);
    } else this.#session.record(outputFor(item, output.text));
    this.#tellEnding();
  }

  /** Events of a call, in order. */
  #tell(msg: EventMsg): void {
    this.#tellEnding();
    if (callEndings.has(msg.type)) this.#ending = msg;
    else this.#session.emit(this.#task.id, msg);
  }

  #tellEnding(): void {
    const msg = this.#ending;
    if (msg === undefined) return;
    this.#ending = undefined;
    this.#session.emit(this.#task.id, msg);
    if (msg.type === "patch_apply_end" && msg.success) this.#task.emitDiff(this.#session);
  }

  #context(item: ToolCallItem): ToolContext {
    const session = this.#session;
    const task = this.#task;
    return {
      callId: item.call_id,
      config: session.config,
      settings: task.settings,
      signal: task.signal,
      turnDiff: (create) => task.turnDiff(create),
      approvedCommands: session.approvedCommands,
      emit: (msg) => this.#tell(msg),
      pressure: () => session.pressure(),
      ask: (request) => {
        const answer = session.approvals.ask(request.call_id, task.id, task.signal);
        this.#tell(request);
        return answer;
      },
      serverTool: (name) => session.mcp.tool(name),
      sandbox: (policy) => session.sandboxes.get(policy, task.settings.cwd),
      addInput: (message) => task.addInput({ item: message, event: undefined, warnings: [] }),
    };
  }
}

function buildRequest(session: Session, task: Task): ModelRequest {
  const { config } = session;
  const { settings } = task;
  const family = session.family(settings.model);
  const tools = [...toolDefinitions(family, settings, config), ...session.mcp.definitions];
  const hasPatchTool = tools.some((tool) => "name" in tool && tool.name === "apply_patch");
  return {
    model: settings.model,
    instructions: session.instructions(hasPatchTool),
    input: withMissingOutputs(session.history.items),
    tools,
    reasoning: family.supportsReasoning ? { effort: settings.effort, summary: settings.summary } : undefined,
    verbosity: family.supportsVerbosity ? config.modelVerbosity : undefined,
  };
}
