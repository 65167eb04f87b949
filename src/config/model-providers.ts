import type { Environment } from "../lib/environment.ts";
import { withoutPassword } from "../lib/without-password.ts";
import {
  readBoolean,
  readOneOf,
  readString,
  readStringMap,
  readUnsigned,
  required,
  type TomlTable,
} from "./toml-table.ts";

/** Where requests go and how they are signed. */
export interface ModelProvider {
  readonly name: string;
  /** Undefined: the built-in default of the OpenAI service, chosen by the kind of credential. */
  readonly baseUrl: string | undefined;
  readonly wireApi: "responses" | "chat";
  readonly envKey: string | undefined;
  readonly envKeyInstructions: string | undefined;
  readonly queryParams: Readonly<Record<string, string>>;
  readonly httpHeaders: Readonly<Record<string, string>>;
  /** Header name to the variable that holds its value. */
  readonly envHttpHeaders: Readonly<Record<string, string>>;
  readonly requestMaxRetries: number;
  readonly streamMaxRetries: number;
  readonly streamIdleTimeoutMs: number;
  /** Stored credentials go only to providers that say so. */
  readonly requiresOpenaiAuth: boolean;
}

/** The release whose wire format we keep, which the OpenAI service wants to know. */
const wireVersion = "0.34.0";

const mostRetries = 100;

const defaults: Omit<ModelProvider, "name" | "baseUrl" | "wireApi"> = {
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

/** All providers by id; the built-in ones cannot be redefined. */
export function knownProviders({
  env,
  configured,
}: {
  readonly env: Environment;
  readonly configured: ReadonlyMap<string, ModelProvider>;
}): ReadonlyMap<string, ModelProvider> {
  return new Map([...configured, ["openai", openai(env)], ["oss", oss(env)]]);
}

/** Reads one table of `model_providers`; throws a WrongValue. */
export function readProvider(table: TomlTable): ModelProvider {
  return {
    name: required(table, "name", readString(table, "name")),
    baseUrl: readString(table, "base_url"),
    wireApi: readOneOf(table, "wire_api", ["responses", "chat"]) ?? "chat",
    envKey: readString(table, "env_key"),
    envKeyInstructions: readString(table, "env_key_instructions"),
    queryParams: readStringMap(table, "query_params") ?? defaults.queryParams,
    httpHeaders: readStringMap(table, "http_headers") ?? defaults.httpHeaders,
    envHttpHeaders: readStringMap(table, "env_http_headers") ?? defaults.envHttpHeaders,
    requestMaxRetries: Math.min(readUnsigned(table, "request_max_retries") ?? defaults.requestMaxRetries, mostRetries),
    streamMaxRetries: Math.min(readUnsigned(table, "stream_max_retries") ?? defaults.streamMaxRetries, mostRetries),
    streamIdleTimeoutMs: readUnsigned(table, "stream_idle_timeout_ms") ?? defaults.streamIdleTimeoutMs,
    requiresOpenaiAuth: readBoolean(table, "requires_openai_auth") ?? defaults.requiresOpenaiAuth,
  };
}

function openai(env: Environment): ModelProvider {
  return {
    ...defaults,
    name: "OpenAI",
    baseUrl: notBlank(env["OPENAI_BASE_URL"]),
    wireApi: "responses",
    httpHeaders: { version: wireVersion },
    envHttpHeaders: { "OpenAI-Organization": "OPENAI_ORGANIZATION", "OpenAI-Project": "OPENAI_PROJECT" },
    requiresOpenaiAuth: true,
  };
}

function oss(env: Environment): ModelProvider {
  const port = notBlank(env["CODEX_OSS_PORT"]) ?? "";
  return {
    ...defaults,
    name: "gpt-oss",
    baseUrl:
      notBlank(env["CODEX_OSS_BASE_URL"]) ?? `http://localhost:${/^[0-9]{1,5}$/.test(port) ? Number(port) : 11434}/v1`,
    wireApi: "chat",
  };
}

function notBlank(value: string | undefined): string | undefined {
  return value === undefined || value.trim() === "" ? undefined : value;
}

/** The variables whose values go out with requests to this provider. */
export function credentialVariables({ envKey, envHttpHeaders }: ModelProvider): readonly string[] {
  return [...(envKey === undefined ? [] : [envKey]), ...Object.values(envHttpHeaders)];
}

/** Why no request can be sent there, if so. */
export function addressProblem(id: string, { baseUrl }: ModelProvider): string | undefined {
  if (baseUrl === undefined || (/^https?:\/\//i.test(baseUrl) && URL.canParse(baseUrl))) return undefined;
  return `Cannot send requests to base_url "${withoutPassword(baseUrl)}" of model provider "${id}": not an http or https URL`;
}
