import { isRecord } from "../lib/parse-json.ts";
import type { EventMsg, UserMessage } from "../protocol/event.ts";
import type { ContentPart, LocalShellCallItem, ReasoningContent, ResponseItem } from "../protocol/response-item.ts";

type Fields = Readonly<Record<string, unknown>>;

/** An item read from a rollout, also of other versions; undefined when it is of no kind we know or lacks something. */
export function toResponseItem(value: unknown): ResponseItem | undefined {
  if (!isRecord(value)) return undefined;
  const { name, call_id } = value;
  switch (value["type"]) {
    case "message":
      return toMessage(value);
    case "reasoning":
      return {
        type: "reasoning",
        summary: texts(value["summary"], ["summary_text"]).map(({ text }) => ({ type: "summary_text", text })),
        content: toReasoningContent(value["content"]),
        encrypted_content: stringOr(value["encrypted_content"], null),
      };
    case "function_call": {
      const { arguments: text } = value;
      if (!isString(name) || !isString(text) || !isString(call_id)) return undefined;
      return { type: "function_call", name, arguments: text, call_id };
    }
    case "function_call_output":
    case "custom_tool_call_output":
      if (!isString(call_id)) return undefined;
      return { type: value["type"], call_id, output: toOutput(value["output"]) };
    case "custom_tool_call": {
      const { input, status } = value;
      if (!isString(name) || !isString(input) || !isString(call_id)) return undefined;
      return { type: "custom_tool_call", ...(isString(status) ? { status } : {}), call_id, name, input };
    }
    case "local_shell_call":
      return toLocalShellCall(value);
    default:
      return undefined;
  }
}

/** The events that rollouts keep; undefined for all others. */
export function toStoredEvent(value: unknown): EventMsg | undefined {
  if (!isRecord(value)) return undefined;
  const { type, message, text } = value;
  switch (type) {
    case "user_message":
      return isString(message)
        ? { type, message, kind: toKind(value["kind"]), ...imagesOf(value["images"]) }
        : undefined;
    case "agent_message":
      return isString(message) ? { type, message } : undefined;
    case "agent_reasoning":
    case "agent_reasoning_raw_content":
      return isString(text) ? { type, text } : undefined;
    case "token_count":
      return toTokenCount(value["info"]);
    default:
      return undefined;
  }
}

function toMessage(value: Fields): ResponseItem | undefined {
  const { role, content } = value;
  if (role !== "user" && role !== "assistant" && role !== "system" && role !== "developer") return undefined;
  if (!Array.isArray(content)) return undefined;
  return { type: "message", role, content: content.flatMap(toContentPart) };
}

function toContentPart(part: unknown): readonly ContentPart[] {
  if (!isRecord(part)) return [];
  const { type, text, image_url } = part;
  if ((type === "input_text" || type === "output_text") && isString(text)) return [{ type, text }];
  return type === "input_image" && isString(image_url) ? [{ type, image_url }] : [];
}

function toReasoningContent(content: unknown): readonly ReasoningContent[] | null {
  const parts = texts(content, ["reasoning_text", "text"]);
  return parts.some(({ type }) => type === "reasoning_text") ? parts : null;
}

function toLocalShellCall(value: Fields): LocalShellCallItem | undefined {
  const { status, action } = value;
  const callId = value["call_id"] ?? value["id"]; // some versions knew only the item's own id
  if (!isString(callId) || !isString(status) || !isRecord(action) || !isStrings(action["command"])) return undefined;
  const { command, timeout_ms, working_directory, env, user } = action;
  return {
    type: "local_shell_call",
    call_id: callId,
    status,
    action: {
      type: "exec",
      command,
      timeout_ms: typeof timeout_ms === "number" ? timeout_ms : null,
      working_directory: stringOr(working_directory, null),
      env: isRecord(env) ? Object.fromEntries(Object.entries(env).filter(isStringEntry)) : null,
      user: stringOr(user, null),
    },
  };
}

/** Later versions store an output as a list of content parts. */
function toOutput(output: unknown): string {
  if (isString(output)) return output;
  if (!Array.isArray(output)) return JSON.stringify(output ?? "");
  return texts(output, ["input_text", "output_text", "text"])
    .map(({ text }) => text)
    .join("\n");
}

function toTokenCount(info: unknown): EventMsg {
  if (!isRecord(info)) return { type: "token_count", info: null };
  const { total_token_usage, last_token_usage, model_context_window } = info;
  return {
    type: "token_count",
    info: {
      total_token_usage: toUsage(total_token_usage),
      last_token_usage: toUsage(last_token_usage),
      model_context_window: typeof model_context_window === "number" ? model_context_window : null,
    },
  };
}

function toUsage(value: unknown) {
  const count = (name: string): number => {
    const number = isRecord(value) ? value[name] : undefined;
    return typeof number === "number" ? number : 0;
  };
  return {
    input_tokens: count("input_tokens"),
    cached_input_tokens: count("cached_input_tokens"),
    output_tokens: count("output_tokens"),
    reasoning_output_tokens: count("reasoning_output_tokens"),
    total_tokens: count("total_tokens"),
  };
}

function toKind(kind: unknown): UserMessage["kind"] {
  return kind === "user_instructions" || kind === "environment_context" ? kind : "plain";
}

function imagesOf(images: unknown): { readonly images?: readonly string[] } {
  return isStrings(images) && images.length > 0 ? { images } : {};
}

function texts<T extends string>(
  parts: unknown,
  types: readonly T[],
): readonly { readonly type: T; readonly text: string }[] {
  if (!Array.isArray(parts)) return [];
  return parts.flatMap((part: unknown) => {
    if (!isRecord(part) || !isString(part["text"])) return [];
    const type = types.find((candidate) => candidate === part["type"]);
    return type === undefined ? [] : [{ type, text: part["text"] }];
  });
}

function isString(value: unknown): value is string {
  return typeof value === "string";
}

function isStrings(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every(isString);
}

function isStringEntry(entry: readonly [string, unknown]): entry is [string, string] {
  return isString(entry[1]);
}

function stringOr<T>(value: unknown, other: T): string | T {
  return isString(value) ? value : other;
}
