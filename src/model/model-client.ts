import type { TokenUsage } from "../protocol/event.ts";
import type { ReasoningEffort, ReasoningSummary, Verbosity } from "../protocol/policy.ts";
import type { ResponseItem } from "../protocol/response-item.ts";
import type { ToolDefinition } from "../protocol/tool-definition.ts";

/** One request to a model, the same for both wires. */
export interface ModelRequest {
  readonly model: string;
  readonly instructions: string;
  readonly input: readonly ResponseItem[];
  readonly tools: readonly ToolDefinition[];
  /** Undefined: the model's family takes no reasoning settings. */
  readonly reasoning: { readonly effort: ReasoningEffort; readonly summary: ReasoningSummary } | undefined;
  readonly verbosity: Verbosity | undefined;
}

/** What both wires, and a replayed recording, yield. */
export type ModelEvent =
  | { readonly type: "text_delta"; readonly delta: string }
  | { readonly type: "reasoning_delta"; readonly delta: string }
  | { readonly type: "reasoning_section_break" }
  | { readonly type: "raw_reasoning_delta"; readonly delta: string }
  /** The model begins to write a call; a moment to prepare for it. */
  | { readonly type: "call_started" }
  /** A finished item, in the model's order; it is executed or recorded at once. */
  | { readonly type: "item"; readonly item: ResponseItem }
  | { readonly type: "web_search_begin"; readonly call_id: string }
  | { readonly type: "web_search_end"; readonly call_id: string; readonly query: string }
  /** The answer is whole; nothing follows. */
  | { readonly type: "completed"; readonly response_id: string; readonly usage: TokenUsage | null };

/**
 * One attempt at an answer. The stream throws a ModelError for every failure; request-level retries
 * happen inside, before the first event. Turn-level retries (7.2) are the turn's own, guided by the error.
 */
export interface ModelClient {
  /**
   * Events in the lots in which they arrived, because deltas come by the ten thousand; no lot is empty. The request starts
   * at once, and the stream reads ahead: it takes what comes, however slow its reader is.
   */
  stream(request: ModelRequest, signal: AbortSignal): AsyncIterable<readonly ModelEvent[]>;
}

/** A failed request or stream. `message` is the text a client sees. */
export class ModelError extends Error {
  override readonly name = "ModelError";
  /** False: another attempt cannot help (missing key, usage limit, a recording that ran out). */
  readonly isRetryable: boolean;
  /** The wait the server asked for, if it did. */
  readonly retryAfterMs: number | undefined;
  /** The request is too long for the model. */
  readonly isContextExceeded: boolean;

  constructor(
    message: string,
    options: {
      readonly isRetryable?: boolean;
      readonly retryAfterMs?: number | undefined;
      readonly isContextExceeded?: boolean;
      readonly cause?: unknown;
    } = {},
  ) {
    super(message, { cause: options.cause });
    this.isRetryable = options.isRetryable ?? true;
    this.retryAfterMs = options.retryAfterMs;
    this.isContextExceeded = options.isContextExceeded ?? saysContextExceeded(message);
  }
}

/** There is no common code for it: the words of OpenAI, llama.cpp, vLLM, Ollama and others. */
const contextExceeded =
  /context_length_exceeded|exceed_context_size|maximum context length|exceed\w* (?:the |your |its )?(?:model'?s? |available )?context (?:window|length|size)|(?:prompt|input) is too long/i;

function saysContextExceeded(text: string): boolean {
  return contextExceeded.test(text);
}
