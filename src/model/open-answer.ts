import type { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import type { Credential } from "../auth/credentials.ts";
import { idleText } from "./event-stream.ts";
import { checkHeaders } from "./http-connections.ts";
import { type HttpAnswer, parseLocation, printableUrl, release, type Transport } from "./http-transport.ts";
import { ModelError } from "./model-client.ts";
import { backoffMs, isTooLong, parseRetryAfter } from "./retry.ts";
import { formatSpan, usageLimitText } from "./usage-limit.ts";

export interface Opening {
  readonly transport: Transport;
  readonly wire: "responses" | "chat";
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** Headers with another credential for one that was refused; undefined: there is none. */
  readonly signAnew: () => Promise<Readonly<Record<string, string>> | undefined>;
  readonly body: string;
  readonly signal: AbortSignal;
  readonly credential: Credential | undefined;
  /** Header values that must not come back in an error text. */
  readonly secrets: readonly string[];
  readonly maxRetries: number;
  readonly idleMs: number;
}

interface Failure {
  readonly error: ModelError;
  /** Another attempt of the same request may help. */
  readonly mayRepeat: boolean;
  /** The server did not take the credential. */
  readonly isUnauthorized?: boolean;
}

/** Sends a request until a server answers it with success, repeated as the provider allows. */
export async function openAnswer(first: Opening): Promise<HttpAnswer> {
  checkHeaders(first.headers); // before any library can put a value into its error text
  let opening = first;
  let isSignedAnew = false;
  for (let retry = 1; ; retry++) {
    let outcome = await attempt(opening);
    if ("error" in outcome && outcome.isUnauthorized && !isSignedAnew) {
      isSignedAnew = true;
      const headers = await first.signAnew();
      first.signal.throwIfAborted();
      if (headers !== undefined) {
        checkHeaders(headers);
        opening = { ...first, headers };
        outcome = await attempt(opening); // at once, and none of the repetitions: the first one could not succeed
      }
    }
    if (!("error" in outcome)) return outcome;
    const { error, mayRepeat } = outcome;
    if (!mayRepeat || retry > opening.maxRetries) throw error;
    await wait(error.retryAfterMs ?? backoffMs(retry), opening.signal);
  }
}

async function wait(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal });
  } catch {
    signal.throwIfAborted(); // with its own reason instead of the timer's
  }
}

async function attempt(opening: Opening): Promise<HttpAnswer | Failure> {
  let answer: HttpAnswer;
  try {
    answer = await postInTime(opening);
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    // A server that says nothing has had its time; only the turn asks it again.
    return { error, mayRepeat: error.isRetryable && error.message !== idleText };
  }
  return answer.status >= 200 && answer.status < 300 ? answer : describeStatus(answer, opening);
}

/** The wait for the first byte is limited like every later silence. */
async function postInTime({ transport, url, headers, body, signal, idleMs }: Opening): Promise<HttpAnswer> {
  const controller = new AbortController();
  const abort = () => controller.abort(signal.reason);
  signal.throwIfAborted();
  signal.addEventListener("abort", abort);
  const timer = setTimeout(() => controller.abort(new ModelError(idleText)), idleMs);
  try {
    return await transport.send({ url, headers, body, signal: controller.signal });
  } catch (error) {
    controller.signal.throwIfAborted(); // with our reason, whatever the transport made of it
    throw error;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", abort);
  }
}

async function describeStatus(answer: HttpAnswer, opening: Opening): Promise<Failure> {
  const { status, headers, body } = answer;
  const { wire, url, signal, credential, secrets } = opening;
  const { STATUS_CODES } = await import("node:http"); // too slow to load for a run without an error
  const name = `${status} ${STATUS_CODES[status] ?? ""}`.trimEnd();
  const fail = (message: string, isRetryable: boolean, options: { retryAfterMs?: number; cause?: unknown } = {}) =>
    new ModelError(message, { isRetryable, ...options });

  if (status >= 300 && status < 400) {
    const target = parseLocation(headers, url);
    release(body);
    const place = target === undefined ? "nowhere" : printableUrl(target);
    const error = fail(`unexpected status ${name}: redirect to ${place} not followed`, true);
    return { error, mayRepeat: false };
  }

  const text = hideSecrets(await readText(body, signal), secrets);
  if (status === 429) {
    const plan = credential?.kind === "chatgpt" ? credential.plan : undefined;
    const message = usageLimitText(text, plan);
    if (message !== undefined) return { error: fail(message, false), mayRepeat: false };
  }
  if (status !== 429 && status < 500 && !(status === 401 && wire === "responses")) {
    return { error: fail(`unexpected status ${name}: ${excerpt(text)}`, true), mayRepeat: false };
  }
  const cause = new Error(`${name}: ${excerpt(text)}`);
  const retryAfter = headers["retry-after"];
  const retryAfterMs = typeof retryAfter === "string" && status !== 401 ? parseRetryAfter(retryAfter) : undefined;
  const exhausted = `exceeded retry limit, last status: ${name}`;
  if (retryAfterMs !== undefined && isTooLong(retryAfterMs)) {
    const error = fail(`${exhausted} (try again in ${formatSpan(retryAfterMs / 1000)})`, false, { cause });
    return { error, mayRepeat: false };
  }
  const message =
    status === 500 && wire === "responses"
      ? "We're currently experiencing high demand, which may cause temporary errors."
      : exhausted;
  return {
    error: fail(message, true, retryAfterMs === undefined ? { cause } : { retryAfterMs, cause }),
    mayRepeat: true,
    isUnauthorized: status === 401,
  };
}

const longestBody = 65_536;
const longestBodyWaitMs = 10_000;

/** The body of an error: what comes of it in a short time. */
async function readText(body: Readable, signal: AbortSignal): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  const stop = () => body.destroy();
  const timer = setTimeout(stop, longestBodyWaitMs);
  signal.addEventListener("abort", stop, { once: true });
  try {
    for await (const chunk of body) {
      if (!Buffer.isBuffer(chunk)) continue; // never: nobody sets an encoding
      chunks.push(chunk);
      length += chunk.length;
      if (length > longestBody) break;
    }
  } catch {
    signal.throwIfAborted(); // a body that breaks off is told as far as it came
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", stop);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** What is shorter than a key is left: it would tear holes into ordinary words. */
export function hideSecrets(text: string, secrets: readonly string[]): string {
  const longestFirst = secrets.filter((secret) => secret.length >= 8).sort((one, other) => other.length - one.length);
  return longestFirst.reduce((shown, secret) => shown.replaceAll(secret, "***"), text);
}

const longestExcerpt = 2000;

/** A person reads it: of a web page only the title, of a long text the beginning. */
function excerpt(text: string): string {
  const page = /^\s*<(?:!doctype html|html)/i.test(text);
  if (page) return `(a web page) ${/<title[^>]*>([^<]*)/i.exec(text)?.[1]?.trim() ?? ""}`.trimEnd();
  return text.length <= longestExcerpt ? text : `${text.slice(0, longestExcerpt)}… (${text.length} characters)`;
}
