import { UserError } from "../lib/errors.ts";
import { isRecord, parseJson } from "../lib/parse-json.ts";
import { runInSteps, runThrough, type Steps } from "../lib/steps.ts";
import { type ConversationId, parseConversationId } from "../protocol/conversation-id.ts";
import type { EventMsg, TurnContext } from "../protocol/event.ts";
import { isToolCall, type MessageItem, outputFor, type ResponseItem } from "../protocol/response-item.ts";
import { withMissingOutputs } from "./answer-calls.ts";
import { compactedHistory, compactionNote, isContext } from "./compacted-history.ts";
import {
  type FileIdentity,
  linesOf,
  type RolloutContent,
  readRolloutFile,
  readRolloutFileInSteps,
} from "./rollout-file.ts";
import { toResponseItem, toStoredEvent } from "./stored-item.ts";
import { toTurnContext } from "./stored-turn-context.ts";

export interface StoredConversation {
  readonly conversationId: ConversationId;
  readonly meta: StoredMeta;
  /** What the next request has to begin with, in the model's order. */
  readonly items: readonly ResponseItem[];
  /** Those of `items` that the file should have at its end and has not, as after a crash. */
  readonly missing: readonly ResponseItem[];
  /** What a client is shown of the past. */
  readonly events: readonly EventMsg[];
  /** The settings of the last turn, where the file tells them. */
  readonly lastTurn: TurnContext | undefined;
  /** Damaged lines that were passed over; a torn last one, as a crash leaves it, is not counted. */
  readonly skipped: number;
  /** Of the file as it was read. */
  readonly size: number;
  readonly origin: FileIdentity;
}

/** Facts of the first line; older versions wrote fewer. */
interface StoredMeta {
  readonly timestamp: string | undefined;
  readonly cwd: string | undefined;
  readonly instructions: string | undefined;
}

/**
 * Reads a rollout of this or an earlier version; throws a UserError when the file holds no conversation, or is not the one
 * of `known`.
 */
export function readRollout(file: string, known?: FileIdentity): StoredConversation {
  return runThrough(parse(readRolloutFile(file, known)));
}

/** The same in steps, for a process that has others to serve meanwhile. */
export async function readRolloutInSteps(file: string): Promise<StoredConversation> {
  return runInSteps(parse(await readRolloutFileInSteps(file)));
}

function* parse({ bytes, origin }: RolloutContent): Steps<StoredConversation> {
  const draft = new Draft();
  for (const { text, isTorn } of linesOf(bytes)) {
    draft.addLine(text, isTorn);
    yield;
  }
  if (draft.isEmpty) throw new UserError("empty session file");
  return { ...draft.finish(), size: bytes.length, origin };
}

class Draft {
  isEmpty = true;
  #meta: Readonly<Record<string, unknown>> | undefined;
  #items: ResponseItem[] = [];
  readonly #events: EventMsg[] = [];
  /** Answers that were shown and whose items a crash may have kept from the file. */
  #shown: string[] = [];
  #lastTurn: TurnContext | undefined;
  #skipped = 0;

  /** `isTorn`: the line has no end. */
  addLine(line: string, isTorn = false): void {
    if (line.trim() === "") return;
    this.isEmpty = false;
    const parsed = parseJson(line);
    if (!parsed.ok || !isRecord(parsed.value)) this.#skipped += isTorn ? 0 : 1;
    else if ("payload" in parsed.value) this.#addTyped(parsed.value["type"], parsed.value["payload"]);
    else this.#addBare(parsed.value);
  }

  finish(): Omit<StoredConversation, "size" | "origin"> {
    const { id, timestamp, cwd, instructions } = this.#meta ?? {};
    const last = this.#items.at(-1);
    const shown = this.#shown.map(answer);
    return {
      conversationId: conversationIdOf(id),
      meta: { timestamp: textOf(timestamp), cwd: textOf(cwd), instructions: textOf(instructions) },
      items: withMissingOutputs([...this.#items, ...shown]),
      missing: last !== undefined && isToolCall(last) ? [outputFor(last, "aborted"), ...shown] : shown,
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
        if (event === undefined) break;
        this.#events.push(event);
        if (event.type === "agent_message" && event.message !== compactionNote) this.#shown.push(event.message);
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
    else this.#events.push(...eventsOf(this.#addItem(value)));
  }

  #addItem(value: unknown): ResponseItem | undefined {
    const item = toResponseItem(value);
    if (item === undefined) return undefined;
    this.#items.push(item);
    if (item.type === "message") this.#forgetShown(item);
    return item;
  }

  /**
   * The items of a response follow the events that showed them. What was shown before those that now have their item
   * was an attempt that broke off; input ends a turn, and an answer without its item was given up with it.
   */
  #forgetShown({ role, content }: MessageItem): void {
    if (role !== "assistant") this.#shown = [];
    for (const part of role === "assistant" && this.#shown.length > 0 ? content : []) {
      if (part.type === "output_text") this.#shown.splice(0, this.#shown.lastIndexOf(part.text) + 1);
    }
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

function answer(text: string): MessageItem {
  return { type: "message", role: "assistant", content: [{ type: "output_text", text }] };
}

/** What later versions write beside an item. */
function eventsOf(item: ResponseItem | undefined): readonly EventMsg[] {
  if (item?.type === "reasoning") return item.summary.map(({ text }) => ({ type: "agent_reasoning", text }));
  if (item?.type !== "message" || isContext(item)) return [];
  const message = item.content.map((part) => (part.type === "input_image" ? "" : part.text)).join("");
  return [item.role === "user" ? { type: "user_message", message, kind: "plain" } : { type: "agent_message", message }];
}

function conversationIdOf(id: unknown): ConversationId {
  try {
    return parseConversationId(textOf(id) ?? "");
  } catch (cause) {
    throw new UserError("failed to parse conversation ID from rollout file", { cause });
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}
