/** Items exchanged with the model, spelled as on the Responses wire; the same shapes are kept in history and rollouts. */
export type ResponseItem =
  | MessageItem
  | ReasoningItem
  | FunctionCallItem
  | FunctionCallOutputItem
  | CustomToolCallItem
  | CustomToolCallOutputItem
  | LocalShellCallItem;

export interface MessageItem {
  readonly type: "message";
  readonly role: "user" | "assistant" | "system" | "developer";
  readonly content: readonly ContentPart[];
}

export type ContentPart =
  | { readonly type: "input_text"; readonly text: string }
  | { readonly type: "input_image"; readonly image_url: string }
  | { readonly type: "output_text"; readonly text: string };

export interface ReasoningItem {
  readonly type: "reasoning";
  readonly summary: readonly { readonly type: "summary_text"; readonly text: string }[];
  /** The raw reasoning, kept only when it holds a `reasoning_text` part; otherwise null. */
  readonly content: readonly ReasoningContent[] | null;
  readonly encrypted_content: string | null;
}

export interface ReasoningContent {
  readonly type: "reasoning_text" | "text";
  readonly text: string;
}

export interface FunctionCallItem {
  readonly type: "function_call";
  readonly name: string;
  /** JSON text as the model wrote it; may be broken. */
  readonly arguments: string;
  readonly call_id: string;
}

export interface FunctionCallOutputItem {
  readonly type: "function_call_output";
  readonly call_id: string;
  readonly output: string;
}

export interface CustomToolCallItem {
  readonly type: "custom_tool_call";
  readonly status?: string;
  readonly call_id: string;
  readonly name: string;
  readonly input: string;
}

export interface CustomToolCallOutputItem {
  readonly type: "custom_tool_call_output";
  readonly call_id: string;
  readonly output: string;
}

export interface LocalShellCallItem {
  readonly type: "local_shell_call";
  readonly call_id: string;
  readonly status: string;
  readonly action: {
    readonly type: "exec";
    readonly command: readonly string[];
    readonly timeout_ms?: number | null;
    readonly working_directory?: string | null;
    readonly env?: Readonly<Record<string, string>> | null;
    readonly user?: string | null;
  };
}

export type ToolCallItem = FunctionCallItem | CustomToolCallItem | LocalShellCallItem;
export type ToolOutputItem = FunctionCallOutputItem | CustomToolCallOutputItem;

export function isToolCall(item: ResponseItem): item is ToolCallItem {
  return item.type === "function_call" || item.type === "custom_tool_call" || item.type === "local_shell_call";
}

/** The output item that answers `call`: each kind of call has its own kind of answer. */
export function outputFor(call: ToolCallItem, output: string): ToolOutputItem {
  return call.type === "custom_tool_call"
    ? { type: "custom_tool_call_output", call_id: call.call_id, output }
    : { type: "function_call_output", call_id: call.call_id, output };
}

export function userMessage(text: string): MessageItem {
  return { type: "message", role: "user", content: [{ type: "input_text", text }] };
}
