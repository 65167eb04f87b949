import { expect, test } from "vitest";
import { ModelError } from "../../src/model/model-client.ts";

test.each([
  ["OpenAI", "Your input exceeds the context window of this model. Please adjust your input and try again."],
  [
    "OpenAI chat",
    "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens.",
  ],
  ["a code alone", '{"error":{"code":"context_length_exceeded"}}'],
  ["llama.cpp", "the request exceeds the available context size. try increasing the context size"],
  ["llama.cpp's type", '{"error":{"type":"exceed_context_size_error"}}'],
  ["Ollama", "input length exceeds maximum context length"],
  ["LM Studio", "the prompt exceeded the model's context length"],
  ["others", "prompt is too long: 210000 tokens > 200000 maximum"],
])("%s says that the context is exceeded", (_, text) => {
  expect(new ModelError(`unexpected status 400 Bad Request: ${text}`).isContextExceeded).toBe(true);
});

test.each([
  "unexpected status 400 Bad Request: invalid context",
  "exceeded retry limit, last status: 429 Too Many Requests",
  "You've hit your usage limit. Try again in 2 days 1 hour.",
  "stream disconnected before completion: the answer is too long",
])("%s says something else", (text) => {
  expect(new ModelError(text).isContextExceeded).toBe(false);
});
