import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import http, { type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { errorCode, explainSystemError, messageOf, UserError } from "../lib/errors.ts";
import { randomUuid } from "../lib/random-uuid.ts";
import type { AuthManager } from "./auth-manager.ts";
import { clientIdOf, type LoginOutcome, PendingLogin, scope, storeGrant } from "./chatgpt-login.ts";
import { type IssuerClient, TokenRefused } from "./issuer-client.ts";
import { loginPage } from "./login-page.ts";

/** A sign-in that waits for a browser. */
export interface ChatGptLogin {
  readonly loginId: string;
  /** For the browser; it comes back to `port` of this machine. */
  readonly authUrl: string;
  readonly port: number;
  /** Never rejects. After a success the process is signed in. */
  readonly completed: Promise<LoginOutcome>;
  /** The browser has its last page, or will not get one. */
  readonly closed: Promise<void>;
  cancel(): void;
}

const defaultTimeLimitMs = 10 * 60_000;
const callbackPath = "/auth/callback";

/**
 * Signs in to ChatGPT with the authorisation code flow and PKCE: listens on the loopback address for the
 * browser's return, and keeps the tokens. Throws a UserError when it cannot begin.
 */
export async function startChatGptLogin(
  auth: AuthManager,
  { timeLimitMs = defaultTimeLimitMs }: { readonly timeLimitMs?: number } = {},
): Promise<ChatGptLogin> {
  const pending = new PendingLogin(auth, timeLimitMs); // first: a logout on the way has to end it
  const server = http.createServer();
  const closed = new Promise<void>((resolve) => server.once("close", resolve));
  try {
    const issuer = await auth.issuer(auth.login.issuer);
    const port = await listen(server, { port: auth.login.port, signal: pending.signal });
    pending.signal.throwIfAborted();
    const browser = new BrowserLogin({ auth, issuer, pending, port });
    server.on("request", (request, response) => browser.answer(request, response));
    pending.signal.addEventListener("abort", () => {
      server.close();
      server.closeIdleConnections();
      setTimeout(() => server.closeAllConnections(), lastPageMs).unref();
    });
    return {
      loginId: randomUuid(),
      authUrl: browser.authUrl,
      port,
      completed: pending.completed,
      closed,
      cancel: () => pending.fail("Login server error: Login was not completed"),
    };
  } catch (error) {
    server.close();
    pending.fail(messageOf(error));
    throw error;
  }
}

/** How long a browser may take for its last page. */
const lastPageMs = 1000;

interface LoginParts {
  readonly auth: AuthManager;
  readonly issuer: IssuerClient;
  readonly pending: PendingLogin;
  readonly port: number;
}

/** Answers the browser that comes back. */
class BrowserLogin {
  readonly authUrl: string;
  readonly #parts: LoginParts;
  readonly #redirectUri: string;
  readonly #state = randomBytes(32).toString("base64url");
  readonly #verifier = randomBytes(64).toString("base64url");
  #isReturned = false;

  constructor(parts: LoginParts) {
    const { auth, issuer, port } = parts;
    this.#parts = parts;
    this.#redirectUri = `http://localhost:${port}${callbackPath}`;
    this.authUrl = issuer.authorizationUrl({
      response_type: "code",
      client_id: clientIdOf(auth),
      redirect_uri: this.#redirectUri,
      scope,
      code_challenge: createHash("sha256").update(this.#verifier).digest("base64url"),
      code_challenge_method: "S256",
      id_token_add_organizations: "true",
      codex_cli_simplified_flow: "true",
      state: this.#state,
      originator: auth.originator,
    });
  }

  answer(request: IncomingMessage, response: ServerResponse): void {
    const { port } = this.#parts;
    // A page of somebody else's that had its name point here would send that name.
    const isForUs = [`localhost:${port}`, `127.0.0.1:${port}`].includes(request.headers.host ?? "");
    if (!isForUs || request.method !== "GET") {
      show(response, { status: 403, title: "Not for you" });
      return;
    }
    // Anybody on this machine can send anything here.
    if (!URL.canParse(request.url ?? "/", this.#redirectUri)) {
      show(response, { status: 400, title: "Not understood" });
      return;
    }
    const url = new URL(request.url ?? "/", this.#redirectUri);
    if (url.pathname === "/cancel") this.#giveWay(request, response);
    else if (url.pathname === callbackPath) this.#takeReturn(url.searchParams, response);
    else show(response, { status: 404, title: "Nothing here" });
  }

  /** Another codex wants to log in. Browsers say that they are one; a page must not end a sign-in. */
  #giveWay({ headers }: IncomingMessage, response: ServerResponse): void {
    if (headers["sec-fetch-site"] !== undefined || headers.origin !== undefined || headers.referer !== undefined) {
      show(response, { status: 403, title: "Not for you" });
      return;
    }
    show(response, { status: 200, title: "Login cancelled" });
    this.#parts.pending.fail("Login server error: Login cancelled: another login was started on this machine");
  }

  #takeReturn(parameters: URLSearchParams, response: ServerResponse): void {
    // Any page can send a browser here; only the issuer knows the state. The sign-in goes on waiting.
    if (parameters.get("state") !== this.#state) {
      const text = "This answer does not belong to the sign-in that codex waits for. Open the link it printed.";
      show(response, { status: 400, title: "State mismatch", text });
    } else if (this.#isReturned) {
      show(response, { status: 409, title: "This answer has been used already" });
    } else {
      this.#isReturned = true;
      const { pending } = this.#parts;
      this.#finish(parameters).then(
        () => {
          pending.succeed();
          show(response, { status: 200, title: "Signed in", text: "You can close this page and go back to codex." });
        },
        (error: unknown) => {
          pending.fail(messageOf(error));
          show(response, { status: 400, title: "Not signed in", text: messageOf(error) });
        },
      );
    }
  }

  async #finish(parameters: URLSearchParams): Promise<void> {
    const { auth, issuer, pending } = this.#parts;
    const { signal } = pending;
    const refusal = parameters.get("error");
    if (refusal !== null) {
      const description = parameters.get("error_description");
      throw new Error(`Sign-in was refused: ${description === null ? refusal : `${refusal}: ${description}`}`);
    }
    const form = {
      grant_type: "authorization_code",
      code: parameters.get("code") ?? "",
      redirect_uri: this.#redirectUri,
      client_id: clientIdOf(auth),
      code_verifier: this.#verifier,
    };
    try {
      await storeGrant(await issuer.requestTokens(form, signal), { auth, issuer, signal });
    } catch (cause) {
      if (!(cause instanceof TokenRefused)) throw cause;
      throw new Error(`${issuer.url} refused the sign-in: ${cause.message}`, { cause });
    }
  }
}

function show(
  response: ServerResponse,
  { status, ...page }: { readonly status: number; readonly title: string; readonly text?: string },
): void {
  response.writeHead(status, {
    "content-type": "text/html; charset=utf-8",
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'",
    "referrer-policy": "no-referrer",
    connection: "close",
  });
  response.end(loginPage(page));
}

const mostAttempts = 10;
const attemptMs = 200;

/** The redirect address is fixed at the issuer, so a login under way there, of whatever process, gives way. */
async function listen(
  server: Server,
  { port, signal }: { readonly port: number; readonly signal: AbortSignal },
): Promise<number> {
  for (let attempt = 1; ; attempt += 1) {
    signal.throwIfAborted();
    try {
      return await listenOnce(server, port);
    } catch (cause) {
      if (errorCode(cause) !== "EADDRINUSE") {
        throw new UserError(`Cannot listen on port ${port} for the sign-in: ${explainSystemError(cause)}`, { cause });
      }
      if (attempt > mostAttempts) throw portInUse(port, cause);
      await askToCancel(port);
      await sleep(attemptMs);
    }
  }
}

async function listenOnce(server: Server, port: number): Promise<number> {
  server.listen(port, "127.0.0.1");
  await once(server, "listening"); // rejects with the server's error
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : port;
}

function portInUse(port: number, cause: unknown): UserError {
  return new UserError(
    `Port ${port} is in use by another program, and the sign-in page comes back to it. End that program, set chatgpt_login_port, or use codex login --device-auth or --with-api-key.`,
    { cause },
  );
}

/** What listens there may be no codex at all: nothing is expected of it. */
function askToCancel(port: number): Promise<void> {
  return new Promise((resolve) => {
    const request = http.get({ host: "127.0.0.1", port, path: "/cancel", agent: false, timeout: 1000 }, (response) => {
      response.resume();
      resolve();
    });
    request.on("timeout", () => request.destroy());
    request.on("error", () => resolve());
  });
}
