import { readFileSync } from "node:fs";
import http from "node:http";
import type { Readable } from "node:stream";
import type { Dispatcher } from "undici";
import type { Environment } from "../lib/environment.ts";
import { errorCode, explainSystemError, messageOf } from "../lib/errors.ts";
import { ModelError } from "./model-client.ts";
import { proxyFor } from "./proxy.ts";

export interface HttpPost {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
  readonly signal: AbortSignal;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Readable;
}

/** Answers of any status; throws the signal's reason, or a ModelError when there was no answer. */
export interface Transport {
  post(request: HttpPost): Promise<HttpAnswer>;
}

/** How long an unused connection is kept for the next request: most commands are shorter. */
const idleConnectionMs = 60_000;
const mostRedirects = 5;

/**
 * POST requests over connections that all conversations of a process share. Built on node:http because the global fetch
 * takes tens of milliseconds to load. Redirects are followed only within one origin, so no credential leaves it.
 */
export class HttpTransport implements Transport {
  readonly #env: Environment;
  readonly #agent = new http.Agent({ keepAlive: true, scheduling: "lifo", timeout: idleConnectionMs });
  #tls: Promise<Tls> | undefined;
  readonly #proxies = new Map<string, Promise<Dispatcher>>();

  constructor(env: Environment) {
    this.#env = env;
  }

  async post(request: HttpPost): Promise<HttpAnswer> {
    let url = request.url;
    for (let redirects = 0; ; redirects++) {
      const answer = await this.#postOnce({ ...request, url });
      const target = redirects < mostRedirects ? redirectTarget(answer, url) : undefined;
      if (target === undefined) return answer;
      release(answer.body);
      url = target;
    }
  }

  async #postOnce(request: HttpPost): Promise<HttpAnswer> {
    request.signal.throwIfAborted();
    const proxy = proxyFor(request.url, this.#env);
    try {
      if (proxy !== undefined) return await this.#postThrough(proxy, request);
      return await this.#postDirectly(request);
    } catch (error) {
      request.signal.throwIfAborted();
      throw error instanceof ModelError ? error : describeFailure(error, request.url, proxy);
    }
  }

  async #postDirectly(request: HttpPost): Promise<HttpAnswer> {
    const isSecure = request.url.protocol === "https:";
    const tls = isSecure ? await this.#loadTls() : undefined;
    const options = { agent: tls?.agent ?? this.#agent };
    const open = tls?.request ?? http.request;
    for (;;) {
      const { promise, isReused } = send(open, request, options);
      try {
        return await promise;
      } catch (error) {
        // The server closed a kept connection while our request was on its way: it has not seen it.
        if (!isReused() || !isClosed(error) || request.signal.aborted) throw error;
      }
    }
  }

  #loadTls(): Promise<Tls> {
    this.#tls ??= openTls(this.#env);
    return this.#tls;
  }

  async #postThrough(proxy: string, { url, headers, body, signal }: HttpPost): Promise<HttpAnswer> {
    const { ProxyAgent, request } = await import("undici");
    const isSecure = url.protocol === "https:";
    const key = `${isSecure} ${proxy}`;
    let dispatcher = this.#proxies.get(key);
    if (dispatcher === undefined) {
      const open = async () => {
        const ca = certificates(this.#env);
        return new ProxyAgent({
          uri: proxy,
          proxyTunnel: isSecure,
          headersTimeout: 0, // the client has its own limits
          bodyTimeout: 0,
          ...(ca === undefined ? {} : { requestTls: { ca: [...ca] }, proxyTls: { ca: [...ca] } }),
        });
      };
      dispatcher = open();
      this.#proxies.set(key, dispatcher);
    }
    const options = { method: "POST", headers, body, signal, dispatcher: await dispatcher } as const;
    const answer = await request(url, options);
    return { status: answer.statusCode, headers: answer.headers, body: answer.body };
  }
}

interface Tls {
  readonly agent: http.Agent;
  readonly request: typeof http.request;
}

async function openTls(env: Environment): Promise<Tls> {
  const https = await import("node:https");
  const ca = certificates(env);
  const options = { keepAlive: true, scheduling: "lifo", timeout: idleConnectionMs } as const;
  const agent = new https.Agent(ca === undefined ? options : { ...options, ca: [...ca] });
  return { agent, request: https.request };
}

/** SSL_CERT_FILE replaces the built-in roots, as in other programs; Node adds NODE_EXTRA_CA_CERTS only to its own. */
function certificates(env: Environment): readonly string[] | undefined {
  const file = env["SSL_CERT_FILE"];
  if (!file) return undefined;
  const extra = env["NODE_EXTRA_CA_CERTS"];
  return extra
    ? [readCertificates("SSL_CERT_FILE", file), readCertificates("NODE_EXTRA_CA_CERTS", extra)]
    : [readCertificates("SSL_CERT_FILE", file)];
}

function readCertificates(name: string, file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    const message = `Cannot read the certificates in ${name} ("${file}"): ${explainSystemError(cause)}`;
    throw new ModelError(message, { isRetryable: false, cause });
  }
}

function send(
  open: typeof http.request,
  { url, headers, body, signal }: HttpPost,
  options: { readonly agent: http.Agent },
): { promise: Promise<HttpAnswer>; isReused: () => boolean } {
  const request = open(url, { method: "POST", headers: { ...headers }, ...options });
  const promise = new Promise<HttpAnswer>((resolve, reject) => {
    const abort = () => request.destroy(new Error("aborted"));
    signal.addEventListener("abort", abort, { once: true });
    request.once("close", () => signal.removeEventListener("abort", abort));
    request.once("response", (response) => {
      resolve({ status: response.statusCode ?? 0, headers: response.headers, body: response });
    });
    request.on("error", reject);
    request.end(body);
  });
  return { promise, isReused: () => request.reusedSocket };
}

function isClosed(error: unknown): boolean {
  const code = errorCode(error);
  return code === "ECONNRESET" || code === "EPIPE";
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
  if (body instanceof http.IncomingMessage) body.socket.unref();
  body.resume();
}

/** Without its query and user part, which may hold secrets. */
export function printableUrl({ origin, pathname }: URL): string {
  return `${origin}${pathname}`;
}

const certificateErrors = /^(CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|INVALID_CA|HOSTNAME_|ERR_TLS_CERT)/;

function describeFailure(cause: unknown, url: URL, proxy: string | undefined): ModelError {
  const text = `error sending request for url (${printableUrl(url)})`;
  const code = errorCode(cause) ?? "";
  if (code === "ERR_INVALID_CHAR" || code === "ERR_INVALID_HTTP_TOKEN") {
    return new ModelError(`${text}: ${messageOf(cause)}`, { isRetryable: false, cause });
  }
  if (certificateErrors.test(code)) {
    const advice = "name the right authority's file in SSL_CERT_FILE or NODE_EXTRA_CA_CERTS";
    const message = `${text}: the certificate of ${url.host} was refused: ${messageOf(cause)} (${code}); ${advice}`;
    return new ModelError(message, { isRetryable: false, cause });
  }
  if (proxy === undefined) return new ModelError(text, { cause });
  const host = URL.canParse(proxy) ? new URL(proxy).host : "not a URL";
  return new ModelError(`${text} through proxy ${host}: ${messageOf(cause)}`, { cause });
}
