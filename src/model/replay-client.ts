import { closeSync, constants } from "node:fs";
import { explainSystemError, UserError } from "../lib/errors.ts";
import { openNamedFile } from "../lib/open-named-file.ts";
import { isRecord, parseJson } from "../lib/parse-json.ts";
import { readOpenFile } from "../lib/read-regular-file.ts";
import { type ModelClient, ModelError, type ModelEvent } from "./model-client.ts";
import { recordingVersion } from "./recording.ts";
import { readItem } from "./response-items.ts";
import { tokenUsage } from "./token-usage.ts";

/** It is held whole, as bytes, text and answers. */
const maxRecordingBytes = 256 * 1024 * 1024;

interface RecordedAnswer {
  readonly conversation: number;
  readonly events: ModelEvent[];
  error: ModelError | undefined;
}

/** A recording read from its file; hands each conversation its own answers. */
export class Recording {
  readonly file: string;
  readonly #answers: readonly RecordedAnswer[];
  #conversations = 0;

  /** Throws a UserError that names the file, and the line where one is wrong. `exposed` as for openNamedFile. */
  constructor(file: string, exposed: readonly string[]) {
    this.file = file;
    this.#answers = readAnswers(file, exposed);
  }

  /** The answers of the next conversation, in the order the conversations began. */
  nextConversation(): readonly RecordedAnswer[] {
    this.#conversations += 1;
    return this.#answers.filter(({ conversation }) => conversation === this.#conversations);
  }
}

/** Says what was recorded, request by request, and asks no provider. */
export function replayClient(recording: Recording): ModelClient {
  const answers = recording.nextConversation();
  let asked = 0;
  const stream: ModelClient["stream"] = async function* (_request, signal) {
    const answer = answers[asked];
    asked += 1;
    const fail = (problem: string) => {
      throw new ModelError(`The recording "${recording.file}" ${problem}.`, { isRetryable: false });
    };
    signal.throwIfAborted();
    if (answer === undefined)
      return fail(`has ${answers.length} answers for this conversation, but request ${asked} came`);
    if (answer.events.length > 0) yield answer.events;
    signal.throwIfAborted();
    if (answer.error !== undefined) throw answer.error;
    if (answer.events.at(-1)?.type !== "completed") fail(`breaks off in its answer to request ${asked}`);
  };
  return { stream };
}

function readAnswers(file: string, exposed: readonly string[]): RecordedAnswer[] {
  let text: string;
  try {
    text = readNamedFile(file, exposed);
  } catch (cause) {
    throw new UserError(`Cannot read the recording "${file}": ${explainSystemError(cause)}`, { cause });
  }
  const answers = new Map<number, RecordedAnswer>();
  let last = 0;
  const lines = text.split("\n");
  for (const [index, line] of lines.entries()) {
    const fail = (problem: string): never => {
      throw new UserError(`Cannot replay "${file}": line ${index + 1} ${problem}`);
    };
    if (line.trim() === "") {
      if (index === 0) fail("should be the recording's first, but is empty");
      continue;
    }
    const parsed = parseJson(line);
    if (!parsed.ok && index > 0 && index === lines.length - 1) break; // torn when the recorded run was killed
    if (!parsed.ok || !isRecord(parsed.value)) return fail("is not a JSON object");
    const { type, version, conversation, request = last } = parsed.value;
    if (index === 0) {
      if (type !== "recording") fail('is not {"type":"recording",…}; is this a recording?');
      if (version !== recordingVersion)
        fail(`has version ${JSON.stringify(version)}; this program reads version ${recordingVersion}`);
      continue;
    }
    if (type === "request") {
      last = typeof parsed.value["request"] === "number" ? parsed.value["request"] : answers.size + 1;
      if (answers.has(last)) fail(`begins request ${last} again`);
      answers.set(last, {
        conversation: typeof conversation === "number" ? conversation : 1,
        events: [],
        error: undefined,
      });
      continue;
    }
    const answer = typeof request === "number" ? answers.get(request) : undefined;
    if (answer === undefined) return fail("belongs to no request");
    if (type === "error") {
      answer.error = readError(parsed.value) ?? fail("is an error without a message");
    } else {
      answer.events.push(
        readEvent(parsed.value) ?? fail(`is no event we know (type ${JSON.stringify(type)}), or lacks a part`),
      );
    }
  }
  return [...answers.values()];
}

type Fields = Readonly<Record<string, unknown>>;

function readError({ message, is_retryable, retry_after_ms }: Fields): ModelError | undefined {
  if (typeof message !== "string") return undefined;
  return new ModelError(message, {
    isRetryable: is_retryable !== false,
    retryAfterMs: typeof retry_after_ms === "number" ? retry_after_ms : undefined,
  });
}

function readEvent(fields: Fields): ModelEvent | undefined {
  const { type, delta, call_id, query, response_id, usage } = fields;
  switch (type) {
    case "text_delta":
    case "reasoning_delta":
    case "raw_reasoning_delta":
      return typeof delta === "string" ? { type, delta } : undefined;
    case "call_started":
    case "reasoning_section_break":
      return { type };
    case "item": {
      const item = readItem(fields["item"]);
      return item === undefined ? undefined : { type, item };
    }
    case "web_search_begin":
      return typeof call_id === "string" ? { type, call_id } : undefined;
    case "web_search_end":
      return typeof call_id === "string" && typeof query === "string" ? { type, call_id, query } : undefined;
    case "completed": {
      const id = typeof response_id === "string" ? response_id : "";
      return { type, response_id: id, usage: isRecord(usage) ? readUsage(usage) : null };
    }
    default:
      return undefined;
  }
}

function readUsage(usage: Fields) {
  return tokenUsage({
    input: usage["input_tokens"],
    cached: usage["cached_input_tokens"],
    output: usage["output_tokens"],
    reasoning: usage["reasoning_output_tokens"],
    total: usage["total_tokens"],
  });
}

function readNamedFile(file: string, exposed: readonly string[]): string {
  const flags = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;
  const fd = openNamedFile(file, { flags, exposed });
  try {
    return readOpenFile(fd, maxRecordingBytes).toString("utf8");
  } finally {
    closeSync(fd);
  }
}
