import type { Readable } from "node:stream";
import { StringDecoder } from "node:string_decoder";
import { isRecord } from "../lib/parse-json.ts";
import { checkAnswerBytes } from "./answer-size.ts";
import { inWords, release } from "./http-transport.ts";
import { ModelError } from "./model-client.ts";
import { delayInText, isTooLong } from "./retry.ts";
import { EventParser } from "./server-sent-events.ts";

/** Understands the payloads of one answer on one wire. */
export interface StreamDecoder {
  /** Takes one payload; true: the answer is whole, nothing more is read. Throws a ModelError when it reports a failure. */
  read(payload: string): boolean;
  /** The stream ended in order. Throws a ModelError when that was too early. */
  end(): void;
  /** The answer may be whole already: silence or a broken connection is now as good as an end. */
  readonly isWhole: boolean;
}

export const idleText = "stream disconnected before completion: idle timeout waiting for SSE";
export const earlyCloseText = "stream disconnected before completion: stream closed before response.completed";
const brokenText = "stream disconnected before completion: Transport error: error decoding response body";

interface StreamOptions {
  readonly idleMs: number;
  readonly signal: AbortSignal;
  /** As the server says. */
  readonly contentType?: unknown;
}

/** How long more may follow an answer that looks whole. */
const afterwordMs = 5000;

/**
 * Feeds an answer to its decoder until it is whole. Everything happens in the body's own events, a chunk at a time: a
 * promise for each delta would cost more than reading it.
 */
export function readStream(
  body: Readable,
  decoder: StreamDecoder,
  { idleMs, signal, contentType }: StreamOptions,
): Promise<void> {
  const parser = new EventParser();
  const decodeText = new StringDecoder("utf8"); // not setEncoding: the library behind proxies has its own idea of that
  return new Promise((resolve, reject) => {
    let isAfterword = false;
    let bytesRead = 0;
    let timer = setTimeout(onSilence, idleMs);

    function stop(): void {
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
      body.off("data", onBytes).off("end", onEnd).off("error", onBroken).off("close", onBroken);
    }
    function succeed(): void {
      stop();
      release(body);
      resolve();
    }
    function fail(error: unknown): void {
      stop();
      body.on("error", () => {}); // destroying it may still report one
      body.destroy();
      reject(error);
    }
    function finish(): void {
      try {
        decoder.end();
        succeed();
      } catch (error) {
        if (error instanceof ModelError) error.cause ??= explainForeign(contentType, parser);
        fail(error);
      }
    }
    function take(payloads: readonly string[]): "done" | "more" {
      for (const payload of payloads) {
        try {
          if (!decoder.read(payload)) continue;
          succeed();
        } catch (error) {
          fail(error instanceof RangeError ? tooDeep(error) : error);
        }
        return "done";
      }
      return "more";
    }
    function parse(read: () => string[]): string[] | undefined {
      try {
        return read();
      } catch (error) {
        fail(error); // an event or an answer that is too long
        return undefined;
      }
    }
    function onBytes(bytes: Buffer): void {
      bytesRead += bytes.length;
      const payloads = parse(() => {
        checkAnswerBytes(bytesRead);
        return parser.feed(decodeText.write(bytes));
      });
      if (payloads === undefined || payloads.length === 0 || take(payloads) === "done") return; // keep-alive comments are no sign of life
      if (!decoder.isWhole || isAfterword) {
        timer.refresh();
        return;
      }
      isAfterword = true;
      clearTimeout(timer);
      timer = setTimeout(onSilence, Math.min(idleMs, afterwordMs));
    }
    function onEnd(): void {
      const payloads = parse(() => parser.end());
      if (payloads !== undefined && take(payloads) === "more") finish();
    }
    function onSilence(): void {
      if (decoder.isWhole) finish();
      else fail(new ModelError(idleText));
    }
    function onBroken(cause?: Error): void {
      if (signal.aborted) onAbort();
      else if (decoder.isWhole) finish();
      else fail(new ModelError(brokenText, cause === undefined ? {} : { cause: inWords(cause) }));
    }
    function onAbort(): void {
      fail(signal.reason);
    }

    signal.addEventListener("abort", onAbort);
    if (signal.aborted) return onAbort();
    if (body.destroyed) return onBroken(body.errored ?? undefined); // its events are over
    body.on("data", onBytes).on("end", onEnd).on("error", onBroken).on("close", onBroken);
  });
}

/** Why there was no answer in an answer with success: it often comes from something else than a model. */
function explainForeign(contentType: unknown, { hasEvents, hasBegun }: EventParser): Error | undefined {
  const [type] = typeof contentType === "string" ? (/^[\w.+-]+\/[\w.+-]+/.exec(contentType.toLowerCase()) ?? []) : [];
  const isNamed = type !== undefined && type !== "text/event-stream";
  if (isNamed && (type === "text/html" || !hasEvents)) {
    return new Error(`the server answered with ${type}; check base_url`);
  }
  return hasBegun && !hasEvents ? new Error("the answer is no event stream; check base_url") : undefined;
}

/** No text can be made of it. */
function tooDeep(cause: RangeError): ModelError {
  const message = "stream disconnected before completion: an event of the answer is nested too deeply";
  return new ModelError(message, { isRetryable: false, cause });
}

/** The error that a server puts into the stream itself. */
export function streamFailure(error: unknown): ModelError {
  const { message, code } = isRecord(error) ? error : { message: error, code: undefined };
  const text = typeof message === "string" && message !== "" ? message : "response.failed event received";
  const retryAfterMs = code === "rate_limit_exceeded" ? delayInText(text) : undefined;
  const isRetryable = retryAfterMs === undefined || !isTooLong(retryAfterMs);
  return new ModelError(`stream disconnected before completion: ${text}`, {
    isRetryable,
    retryAfterMs,
    ...(code === "context_length_exceeded" ? { isContextExceeded: true } : {}), // the message may say it in other words
  });
}
