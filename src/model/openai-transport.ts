import { Buffer } from "node:buffer";
import { OpenAI } from "openai/client";
import type { HttpAnswer, HttpRequest, Transport } from "./http-transport.ts";
import { PlainHeaders } from "./plain-headers.ts";

/** The package puts these on every request; a provider gets only what this program says. */
const unwantedHeaders = {
  authorization: null,
  "openai-organization": null,
  "openai-project": null,
  "x-stainless-arch": null,
  "x-stainless-lang": null,
  "x-stainless-os": null,
  "x-stainless-package-version": null,
  "x-stainless-retry-count": null,
  "x-stainless-runtime": null,
  "x-stainless-runtime-version": null,
  "x-stainless-timeout": null,
} as const;

/** Longest delay that a timer of Node can take: the limits are ours, not the package's. */
const noTimeoutMs = 2 ** 31 - 1;

/** What our fetch hands to the package: as much of a Response as it looks at. */
interface BridgedResponse {
  readonly outcome: { readonly answer: HttpAnswer } | { readonly failure: unknown };
  readonly ok: true;
  readonly status: number;
  readonly headers: PlainHeaders;
}

/**
 * Sends requests with the `openai` package over a transport of ours. Its own retries are off, and it is told that every
 * answer is fine: statuses, limits and streams are judged in one place, for both wires and all providers.
 */
export class OpenAITransport implements Transport {
  readonly #client: OpenAI;

  constructor(transport: Transport) {
    this.#client = new OpenAI({
      apiKey: "unused", // credentials come with each request
      organization: null,
      project: null,
      webhookSecret: null,
      baseURL: "http://unused.invalid", // requests name their whole URL
      maxRetries: 0,
      timeout: noTimeoutMs,
      logLevel: "off",
      fetch: (url, init) => bridge(transport, { url: String(url), init }),
    });
  }

  async send({ url, headers, body, signal }: HttpRequest): Promise<HttpAnswer> {
    signal.throwIfAborted();
    try {
      const request = this.#client.post(url.href, {
        body: Buffer.from(body),
        headers: { ...unwantedHeaders, ...headers },
        signal,
        stream: true,
      });
      const { outcome } = (await request.asResponse()) as unknown as BridgedResponse; // what `bridge` returned
      if ("failure" in outcome) throw outcome.failure;
      return outcome.answer;
    } catch (error) {
      signal.throwIfAborted(); // with its own reason instead of the package's
      throw error;
    }
  }
}

async function bridge(
  transport: Transport,
  { url, init }: { readonly url: string; readonly init: RequestInit | undefined },
): Promise<Response> {
  const request: HttpRequest = {
    url: new URL(url),
    headers: Object.fromEntries(init?.headers as unknown as Iterable<[string, string]>), // Headers, ours or the global ones
    body: init?.body as Buffer, // the one given to `send` above
    signal: init?.signal ?? new AbortController().signal,
  };
  const outcome = await transport.send(request).then(
    (answer) => ({ answer }),
    (failure: unknown) => ({ failure }),
  );
  const status = "answer" in outcome ? outcome.answer.status : 0;
  const response: BridgedResponse = { outcome, ok: true, status, headers: new PlainHeaders() };
  return response as unknown as Response; // asResponse() passes it on unread
}
