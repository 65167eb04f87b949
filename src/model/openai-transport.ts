import { Buffer } from "node:buffer";
import { OpenAI } from "openai/client";
import type { HttpAnswer, HttpPost, HttpTransport } from "./http-transport.ts";

/** The package puts these on every request; a provider gets only what this program says (spec core 4.3). */
const unwantedHeaders = {
  "X-Stainless-Arch": null,
  "X-Stainless-Lang": null,
  "X-Stainless-OS": null,
  "X-Stainless-Package-Version": null,
  "X-Stainless-Retry-Count": null,
  "X-Stainless-Runtime": null,
  "X-Stainless-Runtime-Version": null,
  "X-Stainless-Timeout": null,
  Authorization: null,
  "OpenAI-Organization": null,
  "OpenAI-Project": null,
} as const;

/** Longest delay that a timer of Node can take: the limits are ours, not the package's. */
const noTimeoutMs = 2 ** 31 - 1;

/** What our fetch hands to the package, as much of a Response as it looks at. */
interface BridgedResponse {
  readonly outcome: { readonly answer: HttpAnswer } | { readonly failure: unknown };
  readonly ok: true;
  readonly status: number;
  readonly headers: Headers;
}

/**
 * Sends requests with the `openai` package over a transport of ours. Its own retries are off, and it is told that every
 * answer is fine: statuses, limits and streams are judged in one place for both wires and all providers.
 */
export class OpenAITransport {
  readonly #client: OpenAI;

  constructor(transport: HttpTransport) {
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

  /** Answers of any status; throws the signal's reason, or a ModelError when there was no answer. */
  async post({ url, headers, body, signal }: HttpPost): Promise<HttpAnswer> {
    signal.throwIfAborted();
    let response: BridgedResponse;
    try {
      const request = this.#client.post(url.href, {
        body: Buffer.from(body),
        headers: { ...unwantedHeaders, ...headers },
        signal,
        stream: true,
      });
      response = (await request.asResponse()) as unknown as BridgedResponse; // what `bridge` returned
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    }
    if ("failure" in response.outcome) throw response.outcome.failure;
    return response.outcome.answer;
  }
}

async function bridge(
  transport: HttpTransport,
  { url, init }: { readonly url: string; readonly init: RequestInit | undefined },
): Promise<Response> {
  const response: BridgedResponse = { ...(await send()), ok: true, headers: new Headers() };
  return response as unknown as Response; // asResponse() passes it on unread

  async function send(): Promise<Pick<BridgedResponse, "outcome" | "status">> {
    try {
      const answer = await transport.post({
        url: new URL(url),
        headers: Object.fromEntries(new Headers(init?.headers)),
        body: init?.body as Buffer, // ours, handed through
        signal: init?.signal ?? new AbortController().signal,
      });
      return { outcome: { answer }, status: answer.status };
    } catch (failure) {
      return { outcome: { failure }, status: 0 };
    }
  }
}
