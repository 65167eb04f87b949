import type { Credential } from "../../src/auth/credentials.ts";
import type { ModelProvider } from "../../src/config/model-providers.ts";
import type { Environment } from "../../src/lib/environment.ts";
import { createModelClient } from "../../src/model/create-model-client.ts";
import { HttpTransport } from "../../src/model/http-transport.ts";
import type { ModelClient, ModelEvent, ModelRequest } from "../../src/model/model-client.ts";
import { userMessage } from "../../src/protocol/response-item.ts";

export const conversationId = "215545ef-351f-4b6e-8efd-9a4507b03950";

export const request: ModelRequest = {
  model: "gpt-5",
  instructions: "Be brief.",
  input: [userMessage("hi")],
  tools: [],
  reasoning: undefined,
  verbosity: undefined,
};

export function providerAt(baseUrl: string, changes: Partial<ModelProvider> = {}): ModelProvider {
  return {
    name: "test",
    baseUrl,
    wireApi: "responses",
    envKey: undefined,
    envKeyInstructions: undefined,
    queryParams: {},
    httpHeaders: {},
    envHttpHeaders: {},
    requestMaxRetries: 0,
    streamMaxRetries: 0,
    streamIdleTimeoutMs: 10_000,
    requiresOpenaiAuth: false,
    ...changes,
  };
}

export interface ClientChanges {
  readonly provider?: Partial<ModelProvider>;
  readonly credential?: () => Credential | undefined;
  readonly env?: Environment;
  readonly originator?: string;
  readonly showRawReasoning?: boolean;
}

export function clientAt(baseUrl: string, changes: ClientChanges = {}): ModelClient {
  const { provider, env = {}, ...others } = changes;
  return createModelClient({
    provider: providerAt(baseUrl, provider),
    providerId: "test",
    credential: () => undefined,
    conversationId,
    env,
    version: "1.2.3",
    originator: "codex_cli_rs",
    showRawReasoning: false,
    transport: new HttpTransport(env),
    ...others,
  });
}

export interface Answer {
  readonly events: readonly ModelEvent[];
  /** What the stream threw, if it did. */
  readonly error: unknown;
}

export async function ask(
  client: ModelClient,
  changes: Partial<ModelRequest> = {},
  signal: AbortSignal = new AbortController().signal,
): Promise<Answer> {
  const events: ModelEvent[] = [];
  try {
    for await (const lot of client.stream({ ...request, ...changes }, signal)) events.push(...lot);
  } catch (error) {
    return { events, error };
  }
  return { events, error: undefined };
}

/** The items among the events. */
export function itemsOf({ events }: Answer): readonly unknown[] {
  return events.flatMap((event) => (event.type === "item" ? [event.item] : []));
}
