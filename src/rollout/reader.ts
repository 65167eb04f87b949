import { closeSync, constants, fstatSync, openSync, readFileSync } from "node:fs";
import { explainSystemError, UserError } from "../lib/errors.ts";
import { isRecord, parseJson } from "../lib/parse-json.ts";
import { type ConversationId, parseConversationId } from "../protocol/conversation-id.ts";
import type { EventMsg, TurnContext } from "../protocol/event.ts";
import type { ResponseItem } from "../protocol/response-item.ts";
import { withMissingOutputs } from "./answer-calls.ts";
import { compactedHistory } from "./compacted-history.ts";
import { toResponseItem, toStoredEvent } from "./stored-item.ts";
import { toTurnContext } from "./stored-turn-context.ts";

export interface StoredConversation {
  readonly conversationId: ConversationId;
  readonly meta: StoredMeta;
  /** What the next request has to begin with, in the model's order. */
  readonly items: readonly ResponseItem[];
  /** What a client is shown of the past. */
  readonly events: readonly EventMsg[];
  /** The settings of the last turn, where the file tells them. */
  readonly lastTurn: TurnContext | undefined;
  /** Lines that could not be read. */
  readonly skipped: number;
}

/** Facts of the first line; older versions wrote fewer. */
interface StoredMeta {
  readonly timestamp: string | undefined;
  readonly cwd: string | undefined;
  readonly instructions: string | undefined;
}

/** Reads a rollout of this or an earlier version; throws a UserError when the file holds no conversation. */
export function readRollout(file: string): StoredConversation {
  const content = readWholeFile(file);
  const draft = new Draft();
  for (const line of linesOf(content)) draft.addLine(line);
  if (draft.isEmpty) throw new UserError("empty session file");
  return draft.finish();
}

class Draft {
  isEmpty = true;
  #meta: Readonly<Record<string, unknown>> | undefined;
  #items: ResponseItem[] = [];
  readonly #events: EventMsg[] = [];
  #lastTurn: TurnContext | undefined;
  #skipped = 0;

  addLine(line: string): void {
    if (line.trim() === "") return;
    this.isEmpty = false;
    const parsed = parseJson(line);
    if (!parsed.ok || !isRecord(parsed.value)) this.#skipped += 1;
    else if ("payload" in parsed.value) this.#addTyped(parsed.value["type"], parsed.value["payload"]);
    else this.#addBare(parsed.value);
  }

  finish(): StoredConversation {
    const { id, timestamp, cwd, instructions } = this.#meta ?? {};
    return {
      conversationId: conversationIdOf(id),
      meta: { timestamp: textOf(timestamp), cwd: textOf(cwd), instructions: textOf(instructions) },
      items: withMissingOutputs(this.#items),
      events: this.#events,
      lastTurn: this.#lastTurn,
      skipped: this.#skipped,
    };
  }

  #addTyped(type: unknown, payload: unknown): void {
    switch (type) {
      case "session_meta":
        if (isRecord(payload)) this.#meta ??= payload; // a forked session repeats the lines of its origin
        break;
      case "response_item":
        this.#addItem(payload);
        break;
      case "event_msg": {
        const event = toStoredEvent(payload);
        if (event !== undefined) this.#events.push(event);
        break;
      }
      case "turn_context":
        this.#lastTurn = toTurnContext(payload) ?? this.#lastTurn;
        break;
      case "compacted":
        this.#compact(payload);
        break;
    }
  }

  /** Up to 0.29: a line with the id first, then items as they are, between them lines about the state. */
  #addBare(value: Readonly<Record<string, unknown>>): void {
    if ("record_type" in value) return;
    if (this.#meta === undefined && value["type"] === undefined) this.#meta = value;
    else this.#addItem(value);
  }

  #addItem(value: unknown): void {
    const item = toResponseItem(value);
    if (item !== undefined) this.#items.push(item);
  }

  /** A summary took the place of what was said before. */
  #compact(payload: unknown): void {
    if (!isRecord(payload)) return;
    const { message, replacement_history } = payload;
    if (Array.isArray(replacement_history)) {
      this.#items = replacement_history.flatMap((value) => toResponseItem(value) ?? []);
    } else if (typeof message === "string") {
      this.#items = [...compactedHistory(this.#items, message)];
    }
  }
}

function conversationIdOf(id: unknown): ConversationId {
  try {
    return parseConversationId(textOf(id) ?? "");
  } catch (cause) {
    throw new UserError("failed to parse conversation ID from rollout file", { cause });
  }
}

/** Line by line, since a long session may be larger than a string can be. */
function* linesOf(content: Buffer): Iterable<string> {
  for (let start = 0; start < content.length; ) {
    const lineBreak = content.indexOf(10, start);
    const end = lineBreak === -1 ? content.length : lineBreak;
    yield content.toString("utf8", start, end);
    start = end + 1;
  }
}

function readWholeFile(file: string): Buffer {
  try {
    const fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const stat = fstatSync(fd);
      if (!stat.isFile() && !stat.isDirectory()) throw new Error("not a regular file");
      return readFileSync(fd);
    } finally {
      closeSync(fd);
    }
  } catch (cause) {
    throw new UserError(explainSystemError(cause), { cause }); // clients know the system's words alone
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}
