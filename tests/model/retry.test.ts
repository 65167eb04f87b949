import { expect, test } from "vitest";
import { backoffMs, delayInText, formatDelay, parseRetryAfter } from "../../src/model/retry.ts";
import { formatSpan, usageLimitText } from "../../src/model/usage-limit.ts";

test.each([
  [1, 0, 180],
  [1, 0.5, 200],
  [1, 1, 220],
  [3, 0.5, 800],
  [5, 0.5, 3200],
  [100, 0.5, 60_000],
])("waits before repetition %i with luck %f", (attempt, random, ms) => {
  expect(backoffMs(attempt, () => random)).toBe(ms);
});

test.each([
  [198, "198ms"],
  [198.4, "198ms"],
  [1000, "1s"],
  [1500, "1.5s"],
  [60_000, "60s"],
])("prints %d ms", (ms, text) => {
  expect(formatDelay(ms)).toBe(text);
});

const now = Date.UTC(2025, 8, 10, 12, 0, 0);

test.each([
  ["1", 1000],
  [" 20 ", 20_000],
  ["0", 0],
  ["Wed, 10 Sep 2025 12:00:30 GMT", 30_000],
  ["Wed, 10 Sep 2025 11:00:00 GMT", 0],
  ["-5", undefined],
  ["1.5", undefined],
  ["soon", undefined],
  ["", undefined],
  [undefined, undefined],
])("reads Retry-After %j", (header, ms) => {
  expect(parseRetryAfter(header, now)).toBe(ms);
});

test.each([
  ["Rate limit reached. Please try again in 1.5s. Thanks.", 1500],
  ["Please try again in 28ms.", 28],
  ["try again in 3 seconds", 3000],
  ["try again later", undefined],
])("finds the delay in %j", (text, ms) => {
  expect(delayInText(text)).toBe(ms);
});

test.each([
  [59, "less than a minute"],
  [60, "1 minute"],
  [11_520, "3 hours 12 minutes"],
  [176_400, "2 days 1 hour"],
  [90_060, "1 day 1 hour 1 minute"],
])("tells %i seconds in words", (seconds, words) => {
  expect(formatSpan(seconds)).toBe(words);
});

const limit = (error: object) => JSON.stringify({ error: { type: "usage_limit_reached", ...error } });

test.each([
  [
    "plus",
    limit({ plan_type: "plus", resets_in_seconds: 11_520 }),
    "You've hit your usage limit. Upgrade to Pro (https://openai.com/chatgpt/pricing) or try again in 3 hours 12 minutes.",
  ],
  [
    "team without a time",
    limit({ plan_type: "team" }),
    "You've hit your usage limit. To get more access now, send a request to your admin or try again later.",
  ],
  [
    "free",
    limit({ plan_type: "free" }),
    "To use Codex with your ChatGPT plan, upgrade to Plus: https://openai.com/chatgpt/pricing.",
  ],
  [
    "a plan that does not include it",
    JSON.stringify({ error: { type: "usage_not_included", plan_type: "pro" } }),
    "To use Codex with your ChatGPT plan, upgrade to Plus: https://openai.com/chatgpt/pricing.",
  ],
  [
    "pro",
    limit({ plan_type: "pro", resets_in_seconds: 176_400 }),
    "You've hit your usage limit. Try again in 2 days 1 hour.",
  ],
  [
    "the token's plan",
    limit({}),
    "You've hit your usage limit. Upgrade to Pro (https://openai.com/chatgpt/pricing) or try again later.",
  ],
  ["another error", '{"error":{"type":"rate_limit"}}', undefined],
  ["no JSON", "<html>", undefined],
])("words the usage limit: %s", (_name, body, text) => {
  expect(usageLimitText(body, "plus")).toBe(text);
});
