import type { Credential } from "../auth/credentials.ts";
import { addressProblem, type ModelProvider } from "../config/model-providers.ts";
import type { Environment } from "../lib/environment.ts";
import { messageOf, UserError } from "../lib/errors.ts";
import { EventQueue } from "./event-queue.ts";
import { readStream, type StreamDecoder } from "./event-stream.ts";
import { basicCredential, percentDecoded } from "./http-connections.ts";
import type { Transport } from "./http-transport.ts";
import { type ModelClient, ModelError, type ModelEvent, type ModelRequest } from "./model-client.ts";
import { hideSecrets, openAnswer } from "./open-answer.ts";

/** What is particular to one of the two wires. */
export interface Wire {
  readonly kind: "responses" | "chat";
  /** Appended to the provider's base URL. */
  readonly path: "/responses" | "/chat/completions";
  /** Of its own; those of the provider and the credential come on top. */
  readonly headers: Readonly<Record<string, string>>;
  buildBody(request: ModelRequest): string;
  decoder(emit: (event: ModelEvent) => void): StreamDecoder;
}

export interface Connection {
  readonly provider: ModelProvider;
  readonly providerId: string;
  /** Asked before each request; what it throws ends the turn. */
  readonly credential: () => Credential | undefined | Promise<Credential | undefined>;
  /** Asked for another one when a server has refused it, once for each request; what it throws ends the turn too. */
  readonly replacement: ((refused: Credential) => Promise<Credential | undefined>) | undefined;
  readonly env: Environment;
  readonly originator: string;
  readonly userAgent: string;
  readonly transport: Transport;
}

/** Beyond this a timer of Node fires at once. */
const longestTimerMs = 2 ** 31 - 1;

/** Speaks one wire with one provider. */
export class WireClient implements ModelClient {
  readonly #wire: Wire;
  readonly #connection: Connection;

  constructor(wire: Wire, connection: Connection) {
    this.#wire = wire;
    this.#connection = connection;
  }

  stream(request: ModelRequest, signal: AbortSignal): AsyncIterable<readonly ModelEvent[]> {
    const stop = new AbortController();
    const queue = new EventQueue(() => stop.abort());
    const onAbort = () => {
      queue.abort(signal.reason);
      stop.abort(signal.reason);
    };
    signal.addEventListener("abort", onAbort);
    if (signal.aborted) onAbort();
    this.#run(request, { queue, signal: stop.signal })
      .then(
        () => queue.end(),
        (error: unknown) => queue.fail(error),
      )
      .finally(() => signal.removeEventListener("abort", onAbort));
    return queue;
  }

  async #run(
    request: ModelRequest,
    { queue, signal }: { readonly queue: EventQueue; readonly signal: AbortSignal },
  ): Promise<void> {
    signal.throwIfAborted();
    const { provider } = this.#connection;
    const credential = await this.#ask(this.#connection.credential);
    signal.throwIfAborted();
    const secretHeaders = readHeaders(provider, this.#connection.env);
    const secrets = [
      ...(credential === undefined ? [] : [credential.token]),
      ...Object.values(secretHeaders),
      ...addressSecrets(provider),
    ];
    try {
      await this.#exchange(request, { queue, signal, credential, secretHeaders, secrets });
    } catch (error) {
      // Servers quote what they refuse.
      if (error instanceof ModelError) error.message = hideSecrets(error.message, secrets);
      if (error instanceof ModelError && error.cause instanceof Error) {
        error.cause = new Error(hideSecrets(error.cause.message, secrets));
      }
      throw error;
    }
  }

  async #exchange(
    request: ModelRequest,
    { queue, signal, credential, secretHeaders, secrets }: Exchange,
  ): Promise<void> {
    const wire = this.#wire;
    const { provider, transport } = this.#connection;
    const idleMs = Math.min(provider.streamIdleTimeoutMs, longestTimerMs);
    const answer = await openAnswer({
      transport,
      wire: wire.kind,
      url: endpoint(this.#connection, { path: wire.path, credential }),
      headers: this.#headers(credential, secretHeaders),
      signAnew: async () => {
        const { replacement } = this.#connection;
        if (credential === undefined || replacement === undefined) return undefined;
        const other = await this.#ask(() => replacement(credential));
        if (other?.kind !== credential.kind) return undefined; // it would belong to another address
        secrets.push(other.token);
        return this.#headers(other, secretHeaders);
      },
      body: wire.buildBody(request),
      signal,
      credential,
      secrets,
      maxRetries: provider.requestMaxRetries,
      idleMs,
    });
    await readStream(
      answer.body,
      wire.decoder((event) => queue.push(event)),
      { idleMs, signal, contentType: answer.headers["content-type"] },
    );
  }

  async #ask(source: Connection["credential"]): Promise<Credential | undefined> {
    try {
      return await source();
    } catch (cause) {
      if (!(cause instanceof UserError)) throw cause;
      throw new ModelError(messageOf(cause), { isRetryable: false, cause });
    }
  }

  #headers(credential: Credential | undefined, ofProvider: Readonly<Record<string, string>>): Record<string, string> {
    const { originator, userAgent } = this.#connection;
    return {
      ...(credential === undefined ? {} : { authorization: `Bearer ${credential.token}` }),
      ...(credential?.kind === "chatgpt" && credential.accountId !== undefined
        ? { "chatgpt-account-id": credential.accountId }
        : {}),
      ...this.#wire.headers,
      accept: "text/event-stream",
      "content-type": "application/json",
      "user-agent": userAgent,
      originator,
      ...ofProvider,
    };
  }
}

interface Exchange {
  readonly queue: EventQueue;
  readonly signal: AbortSignal;
  readonly credential: Credential | undefined;
  readonly secretHeaders: Readonly<Record<string, string>>;
  /** Texts that must not come back in an error. */
  readonly secrets: string[];
}

/** The provider's own headers; those whose variable is missing or blank are left out. */
function readHeaders(provider: ModelProvider, env: Environment): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(provider.httpHeaders)) headers[name.toLowerCase()] = value;
  for (const [name, variable] of Object.entries(provider.envHttpHeaders)) {
    const value = env[variable]?.trim();
    if (value) headers[name.toLowerCase()] = value;
  }
  return headers;
}

/** What a server may quote of its own address: the password in it and the query, as they were set and as they are sent. */
function addressSecrets({ baseUrl, queryParams }: ModelProvider): readonly string[] {
  const url = baseUrl !== undefined && URL.canParse(baseUrl) ? new URL(baseUrl) : undefined;
  const query = [...Object.entries(queryParams), ...(url?.searchParams ?? [])];
  const values = query.flatMap(([name, value]) => (/version/i.test(name) ? [] : [value, encodeURIComponent(value)]));
  if (url === undefined) return values;
  return [...values, url.password, percentDecoded(url.password), basicCredential(url) ?? ""];
}

function endpoint(
  { provider, providerId }: Connection,
  { path, credential }: { readonly path: string; readonly credential: Credential | undefined },
): URL {
  const ofService =
    credential?.kind === "chatgpt" ? "https://chatgpt.com/backend-api/codex" : "https://api.openai.com/v1";
  const problem = addressProblem(providerId, provider);
  if (problem !== undefined) throw new ModelError(problem, { isRetryable: false });
  const base = provider.baseUrl ?? ofService;
  const url = new URL(base);
  const folder = url.pathname.replace(/\/+$/, "");
  if (!folder.endsWith(path)) url.pathname = folder + path;
  const query = Object.entries(provider.queryParams).map(
    ([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`,
  );
  url.search = [...(url.search === "" ? [] : [url.search.slice(1)]), ...query].join("&");
  return url;
}
