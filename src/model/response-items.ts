import { isRecord, jsonText } from "../lib/parse-json.ts";
import type {
  ContentPart,
  LocalShellCallItem,
  MessageItem,
  ReasoningItem,
  ResponseItem,
} from "../protocol/response-item.ts";
import { newCallId } from "./call-id.ts";

type Fields = Readonly<Record<string, unknown>>;

/**
 * An output item as a model's server sends it, reduced to what goes back in the next request: without the
 * server's ids, and without parts nobody knows. Undefined: an item of a kind that is not kept.
 */
export function readItem(value: unknown): ResponseItem | undefined {
  if (!isRecord(value)) return undefined;
  switch (value["type"]) {
    case "message":
      return readMessage(value);
    case "reasoning":
      return readReasoning(value);
    case "function_call": {
      const { name, arguments: args } = value;
      if (typeof name !== "string") return undefined;
      return { type: "function_call", name, arguments: jsonText(args), call_id: callIdOf(value) };
    }
    case "custom_tool_call": {
      const { name, input, status } = value;
      if (typeof name !== "string") return undefined;
      const received = typeof status === "string" ? { status } : {};
      return { type: "custom_tool_call", ...received, call_id: callIdOf(value), name, input: jsonText(input) };
    }
    case "local_shell_call":
      return readLocalShellCall(value);
    default:
      return undefined;
  }
}

function readMessage({ role, content }: Fields): MessageItem {
  const isKnown = role === "user" || role === "system" || role === "developer";
  const parts = typeof content === "string" ? [{ type: "output_text", text: content }] : listOf(content);
  return { type: "message", role: isKnown ? role : "assistant", content: parts.flatMap(readPart) };
}

function readPart(part: Fields): ContentPart[] {
  const { type, text, refusal, image_url } = part;
  if (type === "refusal" && typeof refusal === "string") return [{ type: "output_text", text: refusal }];
  if ((type === "output_text" || type === "input_text") && typeof text === "string") return [{ type, text }];
  if (type === "input_image" && typeof image_url === "string") return [{ type, image_url }];
  return [];
}

function readReasoning({ summary, content, encrypted_content }: Fields): ReasoningItem {
  const raw = listOf(content).flatMap(({ type, text }) =>
    (type === "reasoning_text" || type === "text") && typeof text === "string" ? [{ type, text } as const] : [],
  );
  return {
    type: "reasoning",
    summary: listOf(summary).flatMap(({ text }) =>
      typeof text === "string" ? [{ type: "summary_text", text } as const] : [],
    ),
    content: raw.some(({ type }) => type === "reasoning_text") ? raw : null,
    encrypted_content: typeof encrypted_content === "string" ? encrypted_content : null,
  };
}

function readLocalShellCall(value: Fields): LocalShellCallItem | undefined {
  const { status, action } = value;
  if (!isRecord(action) || !Array.isArray(action["command"])) return undefined;
  const { timeout_ms, working_directory, env, user } = action;
  return {
    type: "local_shell_call",
    call_id: callIdOf(value),
    status: typeof status === "string" ? status : "completed",
    action: {
      type: "exec",
      command: action["command"].map(jsonText),
      timeout_ms: typeof timeout_ms === "number" ? timeout_ms : null,
      working_directory: typeof working_directory === "string" ? working_directory : null,
      env: isRecord(env) ? Object.fromEntries(Object.entries(env).map(([name, text]) => [name, jsonText(text)])) : null,
      user: typeof user === "string" ? user : null,
    },
  };
}

/** Some servers give a call only the id of its item, or none at all; without one its output could not be told apart. */
function callIdOf({ call_id, id }: Fields): string {
  const given = [call_id, id].find((one): one is string => typeof one === "string" && one !== "");
  return given ?? newCallId();
}

function listOf(value: unknown): Fields[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}
