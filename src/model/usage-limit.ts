import { isRecord, parseJson } from "../lib/parse-json.ts";

/** The text for a 429 that says the plan is used up; undefined: an ordinary 429. */
export function usageLimitText(body: string, planOfToken: string | undefined): string | undefined {
  const parsed = parseJson(body);
  const error = parsed.ok && isRecord(parsed.value) ? parsed.value["error"] : undefined;
  if (!isRecord(error)) return undefined;
  const { type, plan_type, resets_in_seconds } = error;
  const plan = typeof plan_type === "string" ? plan_type.toLowerCase() : planOfToken;
  const later = typeof resets_in_seconds === "number" ? `again in ${formatSpan(resets_in_seconds)}` : "again later";
  const upgrade = "To use Codex with your ChatGPT plan, upgrade to Plus: https://openai.com/chatgpt/pricing.";
  if (type === "usage_not_included") return upgrade;
  if (type !== "usage_limit_reached") return undefined;
  const reached = "You've hit your usage limit.";
  switch (plan) {
    case "free":
      return upgrade;
    case "plus":
      return `${reached} Upgrade to Pro (https://openai.com/chatgpt/pricing) or try ${later}.`;
    case "team":
    case "business":
      return `${reached} To get more access now, send a request to your admin or try ${later}.`;
    default:
      return `${reached} Try ${later}.`;
  }
}

/** `2 days 1 hour`; whole minutes. */
export function formatSpan(seconds: number): string {
  const minutes = Math.floor(seconds / 60);
  const parts = [
    [Math.floor(minutes / 1440), "day"],
    [Math.floor(minutes / 60) % 24, "hour"],
    [minutes % 60, "minute"],
  ] as const;
  const words = parts.flatMap(([count, unit]) => (count > 0 ? [`${count} ${unit}${count === 1 ? "" : "s"}`] : []));
  return words.length === 0 ? "less than a minute" : words.join(" ");
}
