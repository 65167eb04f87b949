import type { ModelProvider } from "../config/model-providers.ts";
import { type ClientInfo, userAgent } from "../config/user-agent.ts";
import type { Environment } from "../lib/environment.ts";
import { chatWire } from "./chat-client.ts";
import { HttpTransport, type Transport } from "./http-transport.ts";
import type { ModelClient } from "./model-client.ts";
import { OpenAITransport } from "./openai-transport.ts";
import { responsesWire } from "./responses-client.ts";
import { type Connection, WireClient } from "./wire-client.ts";

export interface ModelClientOptions {
  readonly provider: ModelProvider;
  readonly providerId: string;
  /** Asked before each request. A UserError it throws ends the turn before anything is sent. */
  readonly credential: Connection["credential"];
  readonly replacement?: Connection["replacement"];
  readonly conversationId: string;
  readonly env: Environment;
  /** Of this program. */
  readonly version: string;
  readonly originator: string;
  /** The program that speaks to us, where one does. */
  readonly client?: ClientInfo | undefined;
  readonly showRawReasoning: boolean;
  /** Shared by the conversations of a process, so that they share connections. */
  readonly transport?: Transport;
}

/** A client for the wire that the provider speaks. */
export function createModelClient(options: ModelClientOptions): ModelClient {
  const { provider, conversationId, env, version, originator, client, showRawReasoning } = options;
  const wire = provider.wireApi === "chat" ? chatWire({ showDeltas: showRawReasoning }) : responsesWire(conversationId);
  return new WireClient(wire, {
    provider,
    providerId: options.providerId,
    credential: options.credential,
    replacement: options.replacement,
    env,
    originator,
    userAgent: userAgent(originator, { version, env, client }),
    transport: options.transport ?? new OpenAITransport(new HttpTransport(env)),
  });
}
