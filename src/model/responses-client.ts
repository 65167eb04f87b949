import type { ResponseCreateParamsStreaming } from "openai/resources/responses/responses";
import { isRecord, jsonText, parseDeepJson } from "../lib/parse-json.ts";
import type { TokenUsage } from "../protocol/event.ts";
import type { ResponseItem } from "../protocol/response-item.ts";
import { AnswerSize } from "./answer-size.ts";
import { earlyCloseText, type StreamDecoder, streamFailure } from "./event-stream.ts";
import { ModelError, type ModelEvent, type ModelRequest } from "./model-client.ts";
import { readItem } from "./response-items.ts";
import { tokenUsage } from "./token-usage.ts";
import type { Wire } from "./wire-client.ts";

/** The Responses API. */
export function responsesWire(conversationId: string): Wire {
  const texts = new WeakMap<ResponseItem, string>();
  return {
    kind: "responses",
    path: "/responses",
    headers: {
      "openai-beta": "responses=experimental",
      conversation_id: conversationId,
      session_id: conversationId,
    },
    buildBody: (request) => buildBody(request, { conversationId, texts }),
    decoder: (emit) => new ResponsesDecoder(emit),
  };
}

/** The service's own description, except where ours is older than it. */
type Body = Omit<ResponseCreateParamsStreaming, "tools" | "reasoning"> &
  Pick<ModelRequest, "tools"> & { reasoning: unknown };

/** Items never change, so each is turned into text once in its life: long histories go out with every request. */
function buildBody(
  { model, instructions, input, tools, reasoning, verbosity }: ModelRequest,
  { conversationId, texts }: { readonly conversationId: string; readonly texts: WeakMap<ResponseItem, string> },
): string {
  const items = input.map((item) => {
    const known = texts.get(item);
    if (known !== undefined) return known;
    const text = JSON.stringify(item);
    texts.set(item, text);
    return text;
  });
  const before = { model, instructions } satisfies Partial<ResponseCreateParamsStreaming>;
  const after = {
    tools,
    tool_choice: "auto",
    parallel_tool_calls: false,
    reasoning: reasoning ?? null,
    store: false,
    stream: true,
    include: reasoning === undefined ? [] : ["reasoning.encrypted_content"],
    prompt_cache_key: conversationId,
    ...(verbosity === undefined ? {} : { text: { verbosity } }),
  } satisfies Partial<Body>;
  return `${JSON.stringify(before).slice(0, -1)},"input":[${items.join(",")}],${JSON.stringify(after).slice(1)}`;
}

class ResponsesDecoder implements StreamDecoder {
  readonly isWhole = false; // only `response.completed` makes it so, and nothing is read after that
  readonly #emit: (event: ModelEvent) => void;
  /** The same text comes in pieces and as a whole. */
  readonly #deltas = new AnswerSize();
  readonly #items = new AnswerSize();

  constructor(emit: (event: ModelEvent) => void) {
    this.#emit = emit;
  }

  read(payload: string): boolean {
    const parsed = parseDeepJson(payload);
    if (!parsed.ok || !isRecord(parsed.value)) return false;
    const { type, delta, item, response, error } = parsed.value;
    if (typeof delta === "string") this.#deltas.add(delta.length);
    if (isRecord(item) && type === "response.output_item.done") this.#items.add(payload.length);
    switch (type) {
      case "response.output_text.delta":
      case "response.refusal.delta":
        if (typeof delta === "string") this.#emit({ type: "text_delta", delta });
        return false;
      case "response.reasoning_summary_text.delta":
        if (typeof delta === "string") this.#emit({ type: "reasoning_delta", delta });
        return false;
      case "response.reasoning_text.delta":
        if (typeof delta === "string") this.#emit({ type: "raw_reasoning_delta", delta });
        return false;
      case "response.reasoning_summary_part.added":
        this.#emit({ type: "reasoning_section_break" });
        return false;
      case "response.output_item.added":
        this.#beginItem(item);
        return false;
      case "response.output_item.done":
        this.#finishItem(item);
        return false;
      case "response.completed": {
        const { id, usage } = isRecord(response) ? response : {};
        this.#emit({ type: "completed", response_id: typeof id === "string" ? id : "", usage: readUsage(usage) });
        return true;
      }
      case "response.failed":
        throw streamFailure(isRecord(response) ? response["error"] : undefined);
      case "response.incomplete": {
        const { incomplete_details } = isRecord(response) ? response : {};
        const reason = isRecord(incomplete_details) ? incomplete_details["reason"] : undefined;
        throw new ModelError(earlyCloseText, {
          cause: new Error(`the answer is incomplete: ${jsonText(reason) || "no reason given"}`),
        });
      }
      case "error":
        throw streamFailure(isRecord(error) ? error : parsed.value);
      default:
        if (type === undefined && isRecord(error)) throw streamFailure(error);
        return false;
    }
  }

  end(): void {
    throw new ModelError(earlyCloseText);
  }

  #beginItem(item: unknown): void {
    if (!isRecord(item)) return;
    const { type, id } = item;
    if (type === "web_search_call" && typeof id === "string") this.#emit({ type: "web_search_begin", call_id: id });
    if (type === "function_call" || type === "custom_tool_call" || type === "local_shell_call") {
      this.#emit({ type: "call_started" });
    }
  }

  #finishItem(value: unknown): void {
    const item = readItem(value);
    if (item !== undefined) {
      this.#emit({ type: "item", item });
    } else if (isRecord(value) && value["type"] === "web_search_call") {
      const { id, action } = value;
      if (typeof id !== "string" || !isRecord(action) || action["type"] !== "search") return;
      const { query } = action;
      this.#emit({ type: "web_search_end", call_id: id, query: typeof query === "string" ? query : "" });
    }
  }
}

function readUsage(usage: unknown): TokenUsage | null {
  if (!isRecord(usage)) return null;
  const { input_tokens, input_tokens_details, output_tokens, output_tokens_details, total_tokens } = usage;
  return tokenUsage({
    input: input_tokens,
    cached: isRecord(input_tokens_details) ? input_tokens_details["cached_tokens"] : 0,
    output: output_tokens,
    reasoning: isRecord(output_tokens_details) ? output_tokens_details["reasoning_tokens"] : 0,
    total: total_tokens,
  });
}
