import { expect, test } from "vitest";
import { knownProviders, readProvider } from "../../src/config/model-providers.ts";
import { parseTomlFile } from "../../src/config/parse-toml.ts";
import type { Environment } from "../../src/lib/environment.ts";

const defaults = {
  baseUrl: undefined,
  wireApi: "chat",
  envKey: undefined,
  envKeyInstructions: undefined,
  queryParams: {},
  httpHeaders: {},
  envHttpHeaders: {},
  requestMaxRetries: 4,
  streamMaxRetries: 5,
  streamIdleTimeoutMs: 300_000,
  requiresOpenaiAuth: false,
};

function provider(toml: string) {
  return readProvider({ key: "model_providers.x", values: parseTomlFile(toml, "config.toml") });
}

test("a provider needs nothing but a name", () => {
  expect(provider('name = "X"\nunknown = 1')).toEqual({ ...defaults, name: "X" });
});

test("every field of a provider is read, retries at most 100", () => {
  const toml = `
    name = "Azure"
    base_url = "https://example.com/openai/"
    env_key = "AZ_KEY"
    env_key_instructions = "Ask Bob."
    wire_api = "responses"
    query_params = { api-version = "2025-04-01" }
    http_headers = { x-test = "1" }
    env_http_headers = { x-env = "X_ENV" }
    request_max_retries = 1000
    stream_max_retries = 0
    stream_idle_timeout_ms = 500
    requires_openai_auth = true`;
  expect(provider(toml)).toEqual({
    name: "Azure",
    baseUrl: "https://example.com/openai/",
    wireApi: "responses",
    envKey: "AZ_KEY",
    envKeyInstructions: "Ask Bob.",
    queryParams: { "api-version": "2025-04-01" },
    httpHeaders: { "x-test": "1" },
    envHttpHeaders: { "x-env": "X_ENV" },
    requestMaxRetries: 100,
    streamMaxRetries: 0,
    streamIdleTimeoutMs: 500,
    requiresOpenaiAuth: true,
  });
});

test.each<[name: string, env: Environment, baseUrl: string | undefined]>([
  ["by itself", {}, undefined],
  ["with OPENAI_BASE_URL", { OPENAI_BASE_URL: "http://127.0.0.1/v1" }, "http://127.0.0.1/v1"],
  ["with a blank one", { OPENAI_BASE_URL: " " }, undefined],
])("the built-in provider openai %s", (_, env, baseUrl) => {
  expect(knownProviders({ env, configured: new Map() }).get("openai")).toEqual({
    ...defaults,
    name: "OpenAI",
    baseUrl,
    wireApi: "responses",
    httpHeaders: { version: "0.34.0" },
    envHttpHeaders: { "OpenAI-Organization": "OPENAI_ORGANIZATION", "OpenAI-Project": "OPENAI_PROJECT" },
    requiresOpenaiAuth: true,
  });
});

test.each<[name: string, env: Environment, baseUrl: string]>([
  ["by itself", {}, "http://localhost:11434/v1"],
  ["with a port", { CODEX_OSS_PORT: "8080" }, "http://localhost:8080/v1"],
  ["with a port that is none", { CODEX_OSS_PORT: "x@evil" }, "http://localhost:11434/v1"],
  ["with a base URL", { CODEX_OSS_BASE_URL: "http://gpu/v1", CODEX_OSS_PORT: "1" }, "http://gpu/v1"],
  ["with a blank base URL", { CODEX_OSS_BASE_URL: " ", CODEX_OSS_PORT: "1" }, "http://localhost:1/v1"],
])("the built-in provider oss %s", (_, env, baseUrl) => {
  expect(knownProviders({ env, configured: new Map() }).get("oss")).toEqual({ ...defaults, name: "gpt-oss", baseUrl });
});

test("a built-in provider cannot be redefined, others are found by their id alone", () => {
  const configured = new Map([
    ["openai", provider('name = "Evil"')],
    ["mine", provider('name = "Mine"')],
  ]);
  const name = (id: string) => knownProviders({ env: {}, configured }).get(id)?.name;
  expect([name("openai"), name("mine"), name("constructor"), name("")]).toEqual([
    "OpenAI",
    "Mine",
    undefined,
    undefined,
  ]);
});
