import type { Readable } from "node:stream";
import type { Dispatcher } from "undici";
import type { Environment } from "../lib/environment.ts";
import { errorCode, messageOf } from "../lib/errors.ts";
import { readCertificates } from "./certificates.ts";
import { HttpConnections } from "./http-connections.ts";
import { ModelError } from "./model-client.ts";
import { proxyFor } from "./proxy.ts";

export interface HttpRequest {
  /** Default: POST. */
  readonly method?: "GET" | "POST";
  readonly url: URL;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
  /** Ends the wait for the answer's head; from there on, its body can be destroyed. */
  readonly signal: AbortSignal;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Readable;
}

/** Answers of any status; throws the signal's reason, or a ModelError when there was no answer. */
export interface Transport {
  send(request: HttpRequest): Promise<HttpAnswer>;
}

const mostRedirects = 5;

/**
 * Requests, straight or through a proxy, over connections that all conversations of a process share. Redirects are
 * followed only within one origin, so that no credential leaves it.
 */
export class HttpTransport implements Transport {
  readonly #env: Environment;
  readonly #connections: HttpConnections;
  readonly #proxies = new Map<string, Dispatcher>();

  constructor(env: Environment) {
    this.#env = env;
    this.#connections = new HttpConnections(env);
  }

  async send(request: HttpRequest): Promise<HttpAnswer> {
    let url = request.url;
    for (let redirects = 0; ; redirects++) {
      const answer = await this.#sendOnce({ ...request, url });
      const target = redirects < mostRedirects ? redirectTarget(answer, url) : undefined;
      if (target === undefined) return answer;
      release(answer.body);
      url = target;
    }
  }

  async #sendOnce(request: HttpRequest): Promise<HttpAnswer> {
    request.signal.throwIfAborted();
    const proxy = proxyFor(request.url, this.#env);
    try {
      return await (proxy === undefined ? this.#connections.send(request) : this.#sendThrough(proxy, request));
    } catch (error) {
      request.signal.throwIfAborted();
      throw error instanceof ModelError ? error : describeFailure(error, request.url, proxy);
    }
  }

  async #sendThrough(proxy: string, { method = "POST", url, headers, body, signal }: HttpRequest): Promise<HttpAnswer> {
    const { ProxyAgent, request } = await import("./undici.ts");
    const isSecure = url.protocol === "https:";
    const key = `${isSecure} ${proxy}`;
    let dispatcher = this.#proxies.get(key);
    if (dispatcher === undefined) {
      const ca = readCertificates(this.#env);
      dispatcher = new ProxyAgent({
        uri: proxy,
        proxyTunnel: isSecure,
        headersTimeout: 0, // the client has its own limits
        bodyTimeout: 0,
        ...(ca === undefined ? {} : { requestTls: { ca: [...ca] }, proxyTls: { ca: [...ca] } }),
      });
      this.#proxies.set(key, dispatcher);
    }
    const content = method === "GET" ? {} : { body };
    const answered = request(url, { method, headers, ...content, signal, dispatcher });
    // The library hears of an abort only once the proxy has answered.
    answered.then(
      (late) => signal.aborted && late.body.destroy(),
      () => {}, // thrown below, or too late to matter
    );
    const { statusCode, headers: received, body: answer } = await Promise.race([answered, rejectOnAbort(signal)]);
    return { status: statusCode, headers: received, body: answer };
  }
}

function rejectOnAbort(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener("abort", () => reject(new Error("aborted", { cause: signal.reason })), { once: true });
  });
}

function redirectTarget({ status, headers }: HttpAnswer, url: URL): URL | undefined {
  if (status !== 307 && status !== 308) return undefined; // the others would turn the request into a GET
  const target = parseLocation(headers, url);
  return target?.origin === url.origin ? target : undefined;
}

export function parseLocation({ location }: HttpAnswer["headers"], base: URL): URL | undefined {
  return typeof location === "string" && URL.canParse(location, base.href) ? new URL(location, base) : undefined;
}

/** How long a server may take to end an answer that we have had enough of, before the connection is given up. */
const releaseMs = 1000;

/** Lets the rest of an answer pass, so that its connection can carry the next request. */
export function release(body: Readable): void {
  if (body.readableEnded || body.destroyed) return;
  const timer = setTimeout(() => body.destroy(), releaseMs);
  timer.unref();
  body.on("error", () => {}); // nobody needs the rest
  body.once("close", () => clearTimeout(timer));
  body.resume();
}

/** Without its query and user part, which may hold secrets. */
export function printableUrl({ origin, pathname }: URL): string {
  return `${origin}${pathname}`;
}

const certificateErrors = /^(CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|INVALID_CA|HOSTNAME_|ERR_TLS_CERT)/;

function describeFailure(error: unknown, url: URL, proxy: string | undefined): ModelError {
  const text = `error sending request for url (${printableUrl(url)})`;
  const code = errorCode(error) ?? "";
  const cause = inWords(error);
  if (certificateErrors.test(code)) {
    const advice = "name the right authority's file in SSL_CERT_FILE or NODE_EXTRA_CA_CERTS";
    const message = `${text}: the certificate of ${url.host} was refused: ${messageOf(error)} (${code}); ${advice}`;
    return new ModelError(message, { isRetryable: false, cause });
  }
  if (code === "EPROTO" || code.startsWith("ERR_SSL_")) {
    return new ModelError(`${text}: no TLS connection with ${url.host}: ${tlsReason(error)}`, { cause });
  }
  if (proxy === undefined) return new ModelError(text, { cause });
  const host = URL.canParse(proxy) ? new URL(proxy).host : "not a URL";
  return new ModelError(`${text} through proxy ${host}: ${messageOf(error)}`, { cause });
}

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused",
  ENOTFOUND: "host not found",
  EAI_AGAIN: "host not found",
  ECONNRESET: "connection reset",
  ETIMEDOUT: "timed out",
};

/** An error that tells a person why there is no connection. */
export function inWords(error: unknown): Error {
  const code = errorCode(error) ?? "";
  const words = reasons[code] ?? (messageOf(error).trim() || code || "unknown reason"); // several errors in one have no message
  return new Error(words, { cause: error });
}

/** Without the library's internals, where it has words for it. */
function tlsReason(cause: unknown): string {
  return cause instanceof Error && "reason" in cause ? String(cause.reason) : messageOf(cause).trim();
}
