import net, { type Socket } from "node:net";
import { Readable } from "node:stream";
import type { ConnectionOptions } from "node:tls";
import type { Environment } from "../lib/environment.ts";
import { readCertificates } from "./certificates.ts";
import { ResponseParser } from "./http-response-parser.ts";
import type { HttpAnswer, HttpRequest } from "./http-transport.ts";
import { ModelError } from "./model-client.ts";

/** How long an unused connection is kept for the next request: most commands are shorter. */
const idleConnectionMs = 60_000;

/**
 * HTTP/1.1 on sockets of our own, which are kept for further requests. At the start of a process the global fetch takes
 * tens of milliseconds to load, and node:http several: as much as everything else that happens before the first request.
 */
export class HttpConnections {
  readonly #env: Environment;
  /** Unused connections by origin, the one used last at the end. */
  readonly #idle = new Map<string, Socket[]>();
  readonly #sessions = new Map<string, Buffer>();

  constructor(env: Environment) {
    this.#env = env;
  }

  /** Throws whatever went wrong, or the signal's abort. */
  async send(request: HttpRequest): Promise<HttpAnswer> {
    const { origin } = request.url;
    const head = requestHead(request);
    for (let kept = this.#takeIdle(origin); kept !== undefined; kept = this.#takeIdle(origin)) {
      const answer = await this.#exchange(kept, { ...request, head });
      if (!(answer instanceof Error)) return answer;
      // The server closed it while our request was on its way: nobody has seen that, so it goes out again.
    }
    const answer = await this.#exchange(await this.#connect(request), { ...request, head });
    if (answer instanceof Error) throw answer;
    return answer;
  }

  async #connect({ url, signal }: HttpRequest): Promise<Socket> {
    const isSecure = url.protocol === "https:";
    const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
    const tls = isSecure ? await import("node:tls") : undefined;
    const ca = isSecure ? readCertificates(this.#env) : undefined;
    const tcp = net.connect({ host, port: Number(url.port) || (isSecure ? 443 : 80), noDelay: true, keepAlive: true });
    let socket: Socket = tcp;
    if (tls !== undefined) {
      // Made after the connection has begun: reading the root certificates takes about as long as a name server.
      const options: ConnectionOptions = { socket: tcp, ALPNProtocols: ["http/1.1"] };
      if (net.isIP(host) === 0) options.servername = host;
      else options.host = host;
      if (ca !== undefined) options.ca = [...ca];
      const session = this.#sessions.get(url.origin);
      if (session !== undefined) options.session = session;
      const secured = tls.connect(options);
      secured.on("session", (fresh) => this.#sessions.set(url.origin, fresh));
      tcp.once("error", (error) => secured.destroy(error));
      secured.once("close", () => tcp.destroy());
      socket = secured;
    }
    socket.on("error", () => {}); // an unused connection may break without harm; a used one reports its end
    socket.on("timeout", () => socket.destroy());
    socket.on("close", () => this.#forget(url.origin, socket));
    await opened(socket, { event: isSecure ? "secureConnect" : "connect", signal });
    return socket;
  }

  /** An Error, not thrown: the connection was closed before the first byte of an answer. */
  #exchange(
    socket: Socket,
    { url, head, body, signal }: HttpRequest & { readonly head: string },
  ): Promise<HttpAnswer | Error> {
    return new Promise((resolve, reject) => {
      let hasBytes = false;
      let cause: Error | undefined;
      const content = new Readable({
        read: () => void socket.resume(),
        destroy: (error, done) => {
          if (!parser.isDone) socket.destroy();
          done(error);
        },
      });
      content.on("error", () => {}); // it may break before its reader has come; `errored` tells him
      const parser = new ResponseParser({
        onHead: (status, headers) => {
          signal.removeEventListener("abort", onAbort);
          resolve({ status, headers, body: content });
        },
        onBody: (bytes) => {
          if (!content.push(bytes)) socket.pause();
        },
      });
      const leave = () => {
        signal.removeEventListener("abort", onAbort);
        socket.off("data", onData).off("error", onError).off("close", onClose);
      };
      const finish = () => {
        leave();
        if (parser.canBeReused) this.#keep(url.origin, socket);
        else socket.destroy();
        content.push(null);
      };
      const fail = (error: Error) => {
        leave();
        socket.destroy();
        reject(error);
        content.destroy(error);
      };
      const onData = (bytes: Buffer) => {
        hasBytes = true;
        try {
          parser.feed(bytes);
          if (parser.isDone) finish();
        } catch (error) {
          fail(error instanceof Error ? error : new Error(String(error)));
        }
      };
      const onError = (error: Error) => {
        cause = error;
      };
      const onClose = () => {
        if (parser.end()) return finish();
        if (hasBytes) return fail(cause ?? new Error("the connection was closed in the middle of the answer"));
        leave();
        resolve(cause ?? new Error("the connection was closed without an answer"));
      };
      const onAbort = () => fail(new Error("aborted", { cause: signal.reason }));
      if (signal.aborted) return onAbort();
      signal.addEventListener("abort", onAbort);
      socket.on("data", onData).on("error", onError).on("close", onClose);
      socket.cork();
      socket.write(head, "latin1");
      socket.write(body);
      socket.uncork();
    });
  }

  #keep(origin: string, socket: Socket): void {
    const list = this.#idle.get(origin) ?? [];
    this.#idle.set(origin, [...list, socket]);
    socket.setTimeout(idleConnectionMs).unref();
    socket.on("data", destroyThis).resume(); // an answer without a request; also keeps the end of the connection noticed
  }

  #takeIdle(origin: string): Socket | undefined {
    const socket = this.#idle.get(origin)?.pop();
    return socket?.off("data", destroyThis).setTimeout(0).ref();
  }

  #forget(origin: string, socket: Socket): void {
    const rest = (this.#idle.get(origin) ?? []).filter((candidate) => candidate !== socket);
    this.#idle.set(origin, rest);
  }
}

function destroyThis(this: Socket): void {
  this.destroy();
}

function opened(
  socket: Socket,
  { event, signal }: { readonly event: "connect" | "secureConnect"; readonly signal: AbortSignal },
): Promise<void> {
  return new Promise((resolve, reject) => {
    const leave = () => {
      socket.off(event, onOpen).off("error", onError);
      signal.removeEventListener("abort", onAbort);
    };
    const onOpen = () => {
      leave();
      resolve();
    };
    const onError = (error: Error) => {
      leave();
      socket.destroy();
      reject(error);
    };
    const onAbort = () => onError(new Error("aborted", { cause: signal.reason }));
    socket.on(event, onOpen).on("error", onError);
    signal.addEventListener("abort", onAbort);
  });
}

function requestHead({ method = "POST", url, headers, body }: HttpRequest): string {
  checkHeaders(headers);
  const basic = basicCredential(url);
  const all = {
    host: url.host,
    connection: "keep-alive",
    ...(basic === undefined ? {} : { authorization: `Basic ${basic}` }),
    ...headers,
    ...(method === "GET" ? {} : { "content-length": String(Buffer.byteLength(body)) }),
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${url.pathname}${url.search} HTTP/1.1\r\n${lines.join("")}\r\n`;
}

/** Of the user and password in an address. */
export function basicCredential({ username, password }: URL): string | undefined {
  const user = [username, password].map(percentDecoded).join(":");
  return user === ":" ? undefined : Buffer.from(user).toString("base64");
}

export function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a percent sign that is one
  }
}

/** Throws a ModelError for a header that would break the request. Its value may be secret and is not told. */
export function checkHeaders(headers: HttpRequest["headers"]): void {
  for (const [name, value] of Object.entries(headers)) {
    if (/^[\w!#$%&'*+.^`|~-]+$/.test(name) && !/[^\t\x20-\x7e\x80-\xff]/.test(value)) continue;
    throw new ModelError(`Cannot send header "${name}": it holds a forbidden character`, { isRetryable: false });
  }
}
