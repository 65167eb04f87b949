import type { TokenUsage, TokenUsageInfo } from "../protocol/event.ts";

/** The tokens of one session: of its last response and of all together. */
export class UsageCounter {
  #total: TokenUsage | undefined;
  #last: TokenUsage | undefined;

  add(usage: TokenUsage): void {
    this.#last = usage;
    this.#total = this.#total === undefined ? usage : sum(this.#total, usage);
  }

  /** Goes on counting where an earlier process stopped. */
  restore({ total_token_usage, last_token_usage }: TokenUsageInfo): void {
    this.#total = total_token_usage;
    this.#last = last_token_usage;
  }

  /** Null until a response told its usage. */
  info(modelContextWindow: number | null): TokenUsageInfo | null {
    if (this.#total === undefined || this.#last === undefined) return null;
    return {
      total_token_usage: this.#total,
      last_token_usage: this.#last,
      model_context_window: modelContextWindow,
    };
  }
}

function sum(a: TokenUsage, b: TokenUsage): TokenUsage {
  return {
    input_tokens: a.input_tokens + b.input_tokens,
    cached_input_tokens: a.cached_input_tokens + b.cached_input_tokens,
    output_tokens: a.output_tokens + b.output_tokens,
    reasoning_output_tokens: a.reasoning_output_tokens + b.reasoning_output_tokens,
    total_tokens: a.total_tokens + b.total_tokens,
  };
}
