import {
  type ContentPart,
  isToolCall,
  type MessageItem,
  type ReasoningItem,
  type ResponseItem,
  type ToolCallItem,
  type ToolOutputItem,
} from "../protocol/response-item.ts";

export type ChatMessage =
  | { readonly role: "system" | "user"; readonly content: string | readonly ChatPart[] }
  | AssistantMessage
  | { readonly role: "tool"; readonly tool_call_id: string; readonly content: string };

type ChatPart =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "image_url"; readonly image_url: { readonly url: string } };

interface AssistantMessage {
  readonly role: "assistant";
  content: string | null;
  tool_calls?: object[];
  reasoning?: string;
}

/**
 * The history as chat messages. What the model said in one go, text and calls, becomes one message, and the
 * outputs of its calls follow it directly: servers refuse any other order, and do not know of several assistant messages in a row.
 */
export function chatMessages(instructions: string, input: readonly ResponseItem[]): ChatMessage[] {
  const messages: ChatMessage[] = [{ role: "system", content: instructions }];
  const outputs = pairOutputs(input);
  const shown = reasoningShown(input);
  let run: AssistantRun | undefined;
  const endRun = () => {
    if (run !== undefined) messages.push(...run.messages());
    run = undefined;
  };
  for (const item of input) {
    if (isOutput(item)) {
      endRun();
      if (outputs.strays.has(item)) messages.push(toolMessage(item));
    } else if (item.type === "message" && item.role !== "assistant") {
      endRun();
      messages.push({ role: item.role === "user" ? "user" : "system", content: chatContent(item) });
    } else {
      run ??= new AssistantRun(outputs.of);
      if (item.type === "message") run.addText(textOf(item));
      else if (item.type !== "reasoning") run.addCall(item);
      else if (shown.has(item)) run.addReasoning(item);
    }
  }
  endRun();
  return messages;
}

/** Consecutive items of the model's. */
class AssistantRun {
  readonly #outputs: ReadonlyMap<ToolCallItem, ToolOutputItem>;
  readonly #said: AssistantMessage[] = [];
  readonly #answers: ChatMessage[] = [];
  #reasoning = "";

  constructor(outputs: ReadonlyMap<ToolCallItem, ToolOutputItem>) {
    this.#outputs = outputs;
  }

  addText(text: string): void {
    const last = this.#said.at(-1);
    if (last?.tool_calls !== undefined) {
      last.content = (last.content ?? "") + text;
    } else if (last?.content !== text) {
      this.#said.push({ role: "assistant", content: text });
    }
  }

  addCall(call: ToolCallItem): void {
    let last = this.#said.at(-1);
    if (last === undefined) {
      last = { role: "assistant", content: null };
      this.#said.push(last);
    }
    last.tool_calls ??= [];
    last.tool_calls.push(toolCall(call));
    const output = this.#outputs.get(call);
    if (output !== undefined) this.#answers.push(toolMessage(output));
  }

  addReasoning({ content }: ReasoningItem): void {
    const text = (content ?? []).map((part) => part.text).join("");
    const last = this.#said.at(-1);
    if (last === undefined) this.#reasoning += text;
    else if (text !== "") last.reasoning = (last.reasoning ?? "") + text;
  }

  messages(): ChatMessage[] {
    const first = this.#said[0];
    if (first !== undefined && this.#reasoning !== "") first.reasoning = this.#reasoning + (first.reasoning ?? "");
    return [...this.#said, ...this.#answers];
  }
}

/** Which output answers which call. Ids may repeat, so a call is looked for backwards from its output. */
function pairOutputs(input: readonly ResponseItem[]): {
  readonly of: ReadonlyMap<ToolCallItem, ToolOutputItem>;
  readonly strays: ReadonlySet<ToolOutputItem>;
} {
  const open = new Map<string, ToolCallItem>();
  const of = new Map<ToolCallItem, ToolOutputItem>();
  const strays = new Set<ToolOutputItem>();
  for (const item of input) {
    if (isToolCall(item)) {
      open.set(item.call_id, item);
    } else if (isOutput(item)) {
      const call = open.get(item.call_id);
      if (call === undefined) strays.add(item);
      else of.set(call, item);
      open.delete(item.call_id);
    }
  }
  return { of, strays };
}

/** Reasoning goes back only while the model still works on the last input. */
function reasoningShown(input: readonly ResponseItem[]): ReadonlySet<ReasoningItem> {
  const lastInput = input.findLastIndex((item) => item.type === "message" && item.role === "user");
  return new Set(input.slice(lastInput + 1).filter((item) => item.type === "reasoning"));
}

function isOutput(item: ResponseItem): item is ToolOutputItem {
  return item.type === "function_call_output" || item.type === "custom_tool_call_output";
}

function toolMessage({ call_id, output }: ToolOutputItem): ChatMessage {
  return { role: "tool", tool_call_id: call_id, content: output };
}

function toolCall(call: ToolCallItem): object {
  const id = call.call_id;
  switch (call.type) {
    case "function_call":
      return { id, type: "function", function: { name: call.name, arguments: call.arguments } };
    case "custom_tool_call":
      return { id, type: "custom", custom: { name: call.name, input: call.input } };
    case "local_shell_call":
      return { id, type: "local_shell_call", status: call.status, action: call.action };
    default:
      return call satisfies never;
  }
}

/** One text, or parts as soon as there is an image among them. */
function chatContent(message: MessageItem): string | ChatPart[] {
  return message.content.some((part) => part.type === "input_image") ? message.content.map(chatPart) : textOf(message);
}

function chatPart(part: ContentPart): ChatPart {
  return part.type === "input_image"
    ? { type: "image_url", image_url: { url: part.image_url } }
    : { type: "text", text: part.text };
}

function textOf({ content }: MessageItem): string {
  return content.map((part) => (part.type === "input_image" ? "" : part.text)).join("");
}
