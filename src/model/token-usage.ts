import type { TokenUsage } from "../protocol/event.ts";

/** Counts that a server leaves out are 0; the total is then the sum. */
export function tokenUsage(
  counts: Readonly<Record<"input" | "cached" | "output" | "reasoning" | "total", unknown>>,
): TokenUsage {
  const input_tokens = asCount(counts.input) ?? 0;
  const output_tokens = asCount(counts.output) ?? 0;
  return {
    input_tokens,
    cached_input_tokens: asCount(counts.cached) ?? 0,
    output_tokens,
    reasoning_output_tokens: asCount(counts.reasoning) ?? 0,
    total_tokens: asCount(counts.total) ?? input_tokens + output_tokens,
  };
}

function asCount(value: unknown): number | undefined {
  return typeof value === "number" && Number.isFinite(value) && value >= 0 ? value : undefined;
}
