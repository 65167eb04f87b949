import type { Credential } from "../auth/credentials.ts";
import type { ModelProvider } from "../config/model-providers.ts";
import type { Environment } from "../lib/environment.ts";
import { chatWire } from "./chat-client.ts";
import { HttpTransport, type Transport } from "./http-transport.ts";
import type { ModelClient } from "./model-client.ts";
import { OpenAITransport } from "./openai-transport.ts";
import { responsesWire } from "./responses-client.ts";
import { userAgent } from "./user-agent.ts";
import { WireClient } from "./wire-client.ts";

export interface ModelClientOptions {
  readonly provider: ModelProvider;
  readonly providerId: string;
  /** Asked before each request. A UserError it throws ends the turn before anything is sent. */
  readonly credential: () => Credential | undefined;
  readonly conversationId: string;
  readonly env: Environment;
  /** Of this program. */
  readonly version: string;
  readonly originator: string;
  readonly showRawReasoning: boolean;
  /** Shared by the conversations of a process, so that they share connections. */
  readonly transport?: Transport;
}

/** A client for the wire that the provider speaks. */
export function createModelClient(options: ModelClientOptions): ModelClient {
  const { provider, providerId, credential, conversationId, env, version, originator, showRawReasoning } = options;
  const wire = provider.wireApi === "chat" ? chatWire({ showDeltas: showRawReasoning }) : responsesWire(conversationId);
  return new WireClient(wire, {
    provider,
    providerId,
    credential,
    env,
    originator,
    userAgent: userAgent(originator, { version, env }),
    transport: options.transport ?? new OpenAITransport(new HttpTransport(env)),
  });
}
