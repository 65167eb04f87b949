import type { ChatCompletionCreateParamsStreaming } from "openai/resources/chat/completions/completions";
import { isRecord, parseDeepJson } from "../lib/parse-json.ts";
import type { TokenUsage } from "../protocol/event.ts";
import type { ToolDefinition } from "../protocol/tool-definition.ts";
import { AnswerSize } from "./answer-size.ts";
import { ChatCalls, hasWholeArguments } from "./chat-calls.ts";
import { chatMessages } from "./chat-messages.ts";
import { type StreamDecoder, streamFailure } from "./event-stream.ts";
import { ModelError, type ModelEvent, type ModelRequest } from "./model-client.ts";
import { tokenUsage } from "./token-usage.ts";
import type { Wire } from "./wire-client.ts";

/**
 * Chat Completions. Deltas are shown only when raw reasoning is, as in the reference; otherwise the
 * answer comes as whole items.
 */
export function chatWire(options: { readonly showDeltas: boolean }): Wire {
  return {
    kind: "chat",
    path: "/chat/completions",
    headers: {},
    buildBody,
    decoder: (emit) => new ChatDecoder(emit, options.showDeltas),
  };
}

/** The service's own description, except for messages and tools, in which we send more than it knows. */
type Body = Omit<ChatCompletionCreateParamsStreaming, "messages" | "tools"> & { messages: object[]; tools?: object[] };

function buildBody({ model, instructions, input, tools }: ModelRequest): string {
  const functions = tools.flatMap(chatTool);
  return JSON.stringify({
    model,
    messages: chatMessages(instructions, input),
    stream: true,
    ...(functions.length === 0 ? {} : { tools: functions }), // an empty list is refused by some servers
    stream_options: { include_usage: true },
  } satisfies Body);
}

/** Only plain functions: what else there is, is unknown on this wire. */
function chatTool(tool: ToolDefinition): object[] {
  if (tool.type !== "function") return [];
  const { name, description, parameters, strict } = tool;
  return [{ type: "function", function: { name, description, parameters, strict } }];
}

type Fields = Readonly<Record<string, unknown>>;

class ChatDecoder implements StreamDecoder {
  readonly #emit: (event: ModelEvent) => void;
  readonly #showDeltas: boolean;
  readonly #size = new AnswerSize();
  #text = "";
  #reasoning = "";
  #calls = new ChatCalls();
  #textCameFirst = true;
  #hasAnswer = false;
  #finishReason: string | undefined;
  #id = "";
  #usage: TokenUsage | null = null;

  constructor(emit: (event: ModelEvent) => void, showDeltas: boolean) {
    this.#emit = emit;
    this.#showDeltas = showDeltas;
  }

  /** Only the usage may still follow. */
  get isWhole(): boolean {
    return this.#finishReason !== undefined;
  }

  read(payload: string): boolean {
    if (payload.trim() === "[DONE]") {
      this.#hasAnswer = true;
      this.#complete();
      return true;
    }
    const parsed = parseDeepJson(payload);
    if (!parsed.ok || !isRecord(parsed.value)) return false;
    const { id, error, choices, usage } = parsed.value;
    if (error !== undefined && error !== null) throw streamFailure(error);
    if (typeof id === "string") this.#id = id;
    if (isRecord(usage)) this.#usage = readUsage(usage);
    const choice: unknown = Array.isArray(choices) ? choices[0] : undefined;
    if (isRecord(choice)) this.#readChoice(choice);
    if (!this.isWhole || !isRecord(usage)) return false;
    this.#complete();
    return true;
  }

  end(): void {
    if (!this.#hasAnswer) {
      throw new ModelError("stream disconnected before completion: stream closed before any part of an answer");
    }
    this.#complete();
  }

  #readChoice({ delta, message, finish_reason }: Fields): void {
    const part = isRecord(delta) ? delta : isRecord(message) ? message : {};
    this.#hasAnswer = true;
    // The same text under two names, where a server sends both.
    this.#addReasoning(readText(part["reasoning"]) || readText(part["reasoning_content"]));
    if (isRecord(delta) && isRecord(message)) this.#addReasoning(readText(message["reasoning"]));
    this.#addText(readText(part["content"]) || readText(part["refusal"]));
    const { tool_calls, function_call } = part;
    const wasEmpty = this.#calls.isEmpty;
    for (const piece of Array.isArray(tool_calls) ? tool_calls : []) this.#size.add(this.#calls.add(piece));
    if (isRecord(function_call)) this.#size.add(this.#calls.add({ function: function_call }));
    if (wasEmpty && !this.#calls.isEmpty) this.#emit({ type: "call_started" });
    if (typeof finish_reason !== "string" || finish_reason === "") return;
    this.#finishReason = finish_reason;
    this.#flush();
  }

  #addText(text: string): void {
    if (text === "") return;
    this.#size.add(text.length);
    if (this.#text === "") this.#textCameFirst = this.#calls.isEmpty;
    this.#text += text;
    if (this.#showDeltas) this.#emit({ type: "text_delta", delta: text });
  }

  #addReasoning(text: string): void {
    if (text === "") return;
    this.#size.add(text.length);
    this.#reasoning += text;
    if (this.#showDeltas) this.#emit({ type: "raw_reasoning_delta", delta: text });
  }

  /** Hands over what was collected, in the model's order. */
  #flush(): void {
    const reasoning = this.#reasoning;
    const text = this.#text;
    const calls = this.#calls.items();
    this.#reasoning = "";
    this.#text = "";
    this.#calls = new ChatCalls();

    // A model that says it calls tools may write bad arguments, and is told so; other reasons mean that it was stopped.
    const isCalling = this.#finishReason === "tool_calls" || this.#finishReason === "function_call";
    if (!isCalling && !calls.every(hasWholeArguments)) {
      const reason = this.#finishReason ?? "none given";
      throw new ModelError(`stream disconnected before completion: a tool call was cut off (finish reason: ${reason})`);
    }
    if (reasoning !== "") {
      const content = [{ type: "reasoning_text", text: reasoning }] as const;
      this.#emit({ type: "item", item: { type: "reasoning", summary: [], content, encrypted_content: null } });
    }
    const say = () => {
      const content = [{ type: "output_text", text }] as const;
      if (text !== "") this.#emit({ type: "item", item: { type: "message", role: "assistant", content } });
    };
    if (this.#textCameFirst) say();
    for (const item of calls) this.#emit({ type: "item", item });
    if (!this.#textCameFirst) say();
  }

  #complete(): void {
    this.#flush();
    this.#emit({ type: "completed", response_id: this.#id, usage: this.#usage });
  }
}

const deepestText = 100;

/** A text, an object that holds one, or a list of such parts. What is nested too deep is no text. */
function readText(value: unknown, depth = 0): string {
  if (typeof value === "string") return value;
  if (Array.isArray(value)) {
    return depth === deepestText ? "" : value.map((part) => readText(part, depth + 1)).join("");
  }
  if (!isRecord(value)) return "";
  const { text, content } = value;
  return typeof text === "string" ? text : typeof content === "string" ? content : "";
}

function readUsage({
  prompt_tokens,
  prompt_tokens_details,
  completion_tokens,
  completion_tokens_details,
  total_tokens,
}: Fields): TokenUsage {
  return tokenUsage({
    input: prompt_tokens,
    cached: isRecord(prompt_tokens_details) ? prompt_tokens_details["cached_tokens"] : 0,
    output: completion_tokens,
    reasoning: isRecord(completion_tokens_details) ? completion_tokens_details["reasoning_tokens"] : 0,
    total: total_tokens,
  });
}
