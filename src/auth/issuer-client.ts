import { addAbortSignal, type Readable } from "node:stream";
import { messageOf, UserError } from "../lib/errors.ts";
import { isRecord, parseJson } from "../lib/parse-json.ts";
import { withoutPassword } from "../lib/without-password.ts";
import { fitsHeader } from "./fits-header.ts";
import type { TokenAnswer } from "./token-content.ts";

/** How an issuer is reached: the connections of the model client, with their proxies and certificates. */
export interface IssuerConnection {
  readonly http: {
    send(request: {
      readonly method: "GET" | "POST";
      readonly url: URL;
      readonly headers: Readonly<Record<string, string>>;
      readonly body: string;
      readonly signal: AbortSignal;
    }): Promise<{ readonly status: number; readonly body: Readable }>;
  };
  /** The same `user-agent` and `originator` as in requests to the model. */
  readonly headers: Readonly<Record<string, string>>;
  /** How long an answer may take to its end. */
  readonly answerMs?: number;
}

interface Endpoints {
  readonly authorization: string;
  readonly token: string;
  readonly deviceAuthorization: string | undefined;
}

/** The issuer of ChatGPT accounts. */
export const openaiIssuer = "https://auth.openai.com";

/** What a token endpoint says no with (RFC 6749, 5.2). */
export class TokenRefused extends Error {
  override readonly name = "TokenRefused";
  /** As the server spells it: for comparing, the message is for showing. */
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

const defaultAnswerMs = 30_000;
/** A hundred years: behind the end of the calendar no time can be written down. */
const longestLifeSeconds = 100 * 365 * 86_400;
const longestAnswer = 1024 * 1024;

/** Speaks OAuth with one issuer. */
export class IssuerClient {
  readonly url: string;
  readonly #endpoints: Endpoints;
  readonly #connection: IssuerConnection;

  private constructor(url: string, endpoints: Endpoints, connection: IssuerConnection) {
    this.url = url;
    this.#endpoints = endpoints;
    this.#connection = connection;
  }

  /** ChatGPT's issuer has the addresses that the reference knows; any other one is asked for them. */
  static async find(url: string, connection: IssuerConnection): Promise<IssuerClient> {
    const issuer = url.replace(/\/+$/, "");
    if (!isSafe(issuer)) {
      throw new UserError(
        `chatgpt_issuer must be an https URL without a password, or an http URL of this machine: "${withoutPassword(url)}"`,
      );
    }
    if (issuer !== openaiIssuer) return new IssuerClient(issuer, await discover(issuer, connection), connection);
    const endpoints = {
      authorization: `${issuer}/oauth/authorize`,
      token: `${issuer}/oauth/token`,
      deviceAuthorization: undefined,
    };
    return new IssuerClient(issuer, endpoints, connection);
  }

  authorizationUrl(parameters: Readonly<Record<string, string>>): string {
    const url = new URL(this.#endpoints.authorization);
    for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
    return url.href;
  }

  /** Throws a TokenRefused, or an Error in words when there was no answer that could be understood. */
  async requestTokens(form: Readonly<Record<string, string>>, signal: AbortSignal): Promise<TokenAnswer> {
    const answer = await this.#post(this.#endpoints.token, { form, signal });
    const seconds = answer["expires_in"];
    const [idToken, accessToken, refreshToken] = ["id_token", "access_token", "refresh_token"].map((name) =>
      textOf(answer[name]),
    );
    if ((idToken ?? accessToken ?? refreshToken) === undefined) throw new Error(`${this.url} granted no token`);
    if (accessToken !== undefined && !fitsHeader(accessToken)) {
      throw new Error(`${this.url} granted an access token with a blank or a control character`); // no header can carry it
    }
    return {
      idToken,
      accessToken,
      refreshToken,
      expiresInMs: typeof seconds === "number" ? Math.max(0, Math.min(seconds, longestLifeSeconds)) * 1000 : undefined,
    };
  }

  async requestDeviceCode(
    form: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<Readonly<Record<string, unknown>>> {
    const endpoint = this.#endpoints.deviceAuthorization;
    if (endpoint === undefined) {
      throw new UserError(
        `${this.url} offers no sign-in by device code. Use codex login in a browser, or an API key: codex login --with-api-key`,
      );
    }
    return this.#post(endpoint, { form, signal });
  }

  async #post(
    url: string,
    { form, signal }: { readonly form: Readonly<Record<string, string>>; readonly signal: AbortSignal },
  ): Promise<Readonly<Record<string, unknown>>> {
    const { status, value } = await ask(this.#connection, { url, form, signal });
    if (status >= 200 && status < 300 && value !== undefined) return value;
    const refusal = value?.["error"];
    const details = isRecord(refusal) ? refusal : value; // OpenAI's errors are objects
    const code = textOf(refusal) ?? textOf(details?.["code"]);
    if (status >= 400 && status < 500 && status !== 429 && code !== undefined) {
      const description = textOf(details?.["error_description"]) ?? textOf(details?.["message"]);
      const shown = (text: string) => cut(hideGrant(text, form));
      throw new TokenRefused(code, description === undefined ? shown(code) : `${shown(code)}: ${shown(description)}`);
    }
    throw new Error(`${new URL(url).origin} answered with status ${status}`);
  }
}

/** Servers quote what they refuse, as it is or as it was sent. */
function hideGrant(text: string, form: Readonly<Record<string, string>>): string {
  const grants = ["refresh_token", "code", "code_verifier", "device_code"].map((name) => form[name] ?? "");
  const secrets = grants.flatMap((grant) => [grant, encodeURIComponent(grant)]);
  return secrets.reduce((shown, secret) => (secret === "" ? shown : shown.replaceAll(secret, "***")), text);
}

/** Longer than any server's sentence, and short enough to be read by a person. */
const mostShown = 1000;

function cut(text: string): string {
  return text.length <= mostShown ? text : `${text.slice(0, mostShown)}…`;
}

async function discover(issuer: string, connection: IssuerConnection): Promise<Endpoints> {
  const url = `${issuer}/.well-known/openid-configuration`;
  const failed = (problem: string, cause?: unknown) =>
    new UserError(`Cannot use the issuer ${issuer}: ${problem}`, { cause });
  const { status, value } = await ask(connection, { url }).catch((cause) => {
    throw failed(messageOf(cause), cause);
  });
  if (status !== 200 || value === undefined) throw failed(`no OpenID configuration at ${url} (status ${status})`);
  if (textOf(value["issuer"])?.replace(/\/+$/, "") !== issuer) throw failed(`${url} is of another issuer`);
  const address = (name: string) => {
    const text = textOf(value[name]);
    if (text !== undefined && !isSafe(text)) throw failed(`its ${name} is no https URL`);
    return text;
  };
  const authorization = address("authorization_endpoint");
  const token = address("token_endpoint");
  if (authorization === undefined || token === undefined)
    throw failed(`${url} names no authorization or token endpoint`);
  return { authorization, token, deviceAuthorization: address("device_authorization_endpoint") };
}

/** Tokens travel encrypted, or not beyond this machine. */
function isSafe(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, username, password } = new URL(text);
  if (username !== "" || password !== "") return false; // it is told to people, and stored
  return protocol === "https:" || (protocol === "http:" && /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname));
}

interface Question {
  readonly url: string;
  /** Undefined: a GET. */
  readonly form?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

async function ask(
  { http, headers, answerMs = defaultAnswerMs }: IssuerConnection,
  { url, form, signal }: Question,
): Promise<{ readonly status: number; readonly value: Readonly<Record<string, unknown>> | undefined }> {
  const limit = AbortSignal.timeout(answerMs);
  const ending = AbortSignal.any(signal === undefined ? [limit] : [signal, limit]);
  try {
    const answer = await http.send({
      method: form === undefined ? "GET" : "POST",
      url: new URL(url),
      headers: {
        ...headers,
        accept: "application/json",
        ...(form === undefined ? {} : { "content-type": "application/x-www-form-urlencoded" }),
      },
      body: form === undefined ? "" : new URLSearchParams(form).toString(),
      signal: ending,
    });
    const parsed = parseJson(await readText(addAbortSignal(ending, answer.body)));
    return { status: answer.status, value: parsed.ok && isRecord(parsed.value) ? parsed.value : undefined };
  } catch (cause) {
    signal?.throwIfAborted();
    const { origin } = new URL(url);
    if (limit.aborted) throw new Error(`${origin} did not answer within ${answerMs / 1000} seconds`, { cause });
    const reason = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
    throw new Error(`Cannot reach ${origin}: ${messageOf(reason)}`, { cause });
  }
}

async function readText(body: AsyncIterable<unknown>): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of body) {
    if (!Buffer.isBuffer(chunk)) continue; // never: nobody sets an encoding
    chunks.push(chunk);
    length += chunk.length;
    if (length > longestAnswer) throw new Error("the answer is too long");
  }
  return Buffer.concat(chunks).toString("utf8");
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
