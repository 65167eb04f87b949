/*
 * A recording: what a model said in a run, so that the run can be played again without it.
 *
 * JSON lines in UTF-8, the same for both wires, appended as things happen; a run that is killed leaves a good recording
 * of what came before, with at most its last line torn. Readers ignore keys they do not know.
 *
 *   {"type":"recording","version":1}                                         first line
 *   {"type":"request","request":1,"conversation":1,"model":"gpt-5","input_items":3,"tools":["shell"]}
 *   {"request":1,"type":"text_delta","delta":"Hel"}
 *   {"request":1,"type":"item","item":{"type":"message","role":"assistant","content":[…]}}
 *   {"request":1,"type":"completed","response_id":"resp_1","usage":{"input_tokens":100,…}}
 *   {"request":2,"type":"error","message":"…","is_retryable":true,"retry_after_ms":1500}
 *
 * `request` lines count from 1 over the whole file and tell which conversation asks; the other lines name their request,
 * because the answers of several conversations may mix. Left out, `request` means the last one begun and `conversation` means
 * 1, so that a recording is easy to write by hand. Of the request itself only model, number of items and names of tools are
 * kept; they are for people, and a replay does not compare them.
 *
 * What follows a `request` line are the events of `ModelEvent` in model-client.ts, word for word. An answer ends with
 * `completed` or `error`; without either it was cut off in the recorded run. `retry_after_ms` may be null.
 *
 * No header, address or variable ever gets into a recording; addresses in error texts are taken out.
 */
import { constants, writeSync } from "node:fs";
import { errorCode, explainSystemError, UserError } from "../lib/errors.ts";
import { openNamedFile } from "../lib/open-named-file.ts";
import { sleepSync } from "../lib/sleep-sync.ts";
import { EventQueue } from "./event-queue.ts";
import { type ModelClient, ModelError, type ModelEvent, type ModelRequest } from "./model-client.ts";

export const recordingVersion = 1;

/** How long a pipe may take nothing before we give it up; all other work waits with us. */
const mostWaitMs = 2000;

/** Writes one recording; the clients of several conversations may share it. */
export class Recorder {
  readonly #file: string;
  readonly #descriptor: number;
  #conversations = 0;
  #requests = 0;

  /** Replaces `file`. Throws a UserError when it cannot be written. `exposed` as for openNamedFile. */
  constructor(file: string, exposed: readonly string[]) {
    this.#file = file;
    const { O_WRONLY, O_CREAT, O_TRUNC, O_NONBLOCK, O_NOCTTY } = constants;
    // A FIFO that nobody reads is refused and not waited for.
    const flags = O_WRONLY | O_CREAT | O_TRUNC | O_NONBLOCK | O_NOCTTY;
    this.#descriptor = this.#try(() => openNamedFile(file, { flags, mode: 0o600, exposed }));
    this.#write({ type: "recording", version: recordingVersion });
  }

  beginConversation(): number {
    this.#conversations += 1;
    return this.#conversations;
  }

  beginRequest(conversation: number, { model, input, tools }: ModelRequest): number {
    this.#requests += 1;
    const names = tools.map((tool) => ("name" in tool ? tool.name : tool.type));
    const digest = { model, input_items: input.length, tools: names };
    this.#write({ type: "request", request: this.#requests, conversation, ...digest });
    return this.#requests;
  }

  addEvent(request: number, event: ModelEvent): void {
    this.#write({ request, ...event });
  }

  addError(request: number, { message, isRetryable, retryAfterMs }: ModelError): void {
    const shown = message.replace(/\bhttps?:\/\/[^\s)]+/g, "…");
    const retry_after_ms = retryAfterMs ?? null;
    this.#write({ request, type: "error", message: shown, is_retryable: isRetryable, retry_after_ms });
  }

  #write(line: object): void {
    this.#try(() => writeWhole(this.#descriptor, Buffer.from(`${JSON.stringify(line)}\n`)));
  }

  #try<T>(write: () => T): T {
    try {
      return write();
    } catch (cause) {
      throw new UserError(`Cannot write the recording "${this.#file}": ${explainSystemError(cause)}`, { cause });
    }
  }
}

/** The system may take a part only, as a disk does that is nearly full, or a pipe that is read slowly. */
function writeWhole(descriptor: number, bytes: Buffer): void {
  let rest = bytes;
  let patienceMs = mostWaitMs;
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(descriptor, rest));
      patienceMs = mostWaitMs;
    } catch (error) {
      if (errorCode(error) !== "EAGAIN") throw error;
      if (patienceMs <= 0) throw new Error(`its reader took nothing for ${mostWaitMs / 1000} s`, { cause: error });
      sleepSync(10);
      patienceMs -= 10;
    }
  }
}

/** Passes on what `inner` says and keeps it; for the requests of one conversation. */
export function recordingClient(inner: ModelClient, recorder: Recorder): ModelClient {
  const conversation = recorder.beginConversation();
  const stream: ModelClient["stream"] = (request, signal) => {
    const number = recorder.beginRequest(conversation, request);
    const stop = new AbortController();
    const queue = new EventQueue(() => stop.abort());
    const copy = async () => {
      try {
        for await (const events of inner.stream(request, AbortSignal.any([signal, stop.signal]))) {
          for (const event of events) recorder.addEvent(number, event);
          for (const event of events) queue.push(event);
        }
        queue.end();
      } catch (error) {
        if (error instanceof ModelError) recorder.addError(number, error);
        if (signal.aborted) queue.abort(signal.reason);
        else queue.fail(error);
      }
    };
    copy().catch((error: unknown) => queue.fail(error)); // the recording itself failed
    return queue;
  };
  return { stream };
}
