import { isToolCall, outputFor, type ResponseItem } from "../protocol/response-item.ts";

/**
 * Makes every call have exactly one output: `aborted` right behind a call without one, and outputs
 * that answer no call are left out. A history in order comes back as it is. Call ids may repeat, as local servers count anew.
 */
export function withMissingOutputs(items: readonly ResponseItem[]): readonly ResponseItem[] {
  const waiting = new Map<string, number[]>();
  const strays = new Set<number>();
  for (let index = 0; index < items.length; index += 1) {
    const item = items[index];
    switch (item?.type) {
      case "function_call":
      case "local_shell_call":
      case "custom_tool_call": {
        const key = keyOf(item.type === "custom_tool_call", item.call_id);
        const calls = waiting.get(key);
        if (calls === undefined) waiting.set(key, [index]);
        else calls.push(index);
        break;
      }
      case "function_call_output":
      case "custom_tool_call_output": {
        const key = keyOf(item.type === "custom_tool_call_output", item.call_id);
        const calls = waiting.get(key);
        if (calls === undefined) strays.add(index);
        else if (calls.length === 1) waiting.delete(key);
        else calls.pop();
        break;
      }
    }
  }
  if (waiting.size === 0 && strays.size === 0) return items;
  const unanswered = new Set([...waiting.values()].flat());
  return items.flatMap((item, index) => {
    if (strays.has(index)) return [];
    return unanswered.has(index) && isToolCall(item) ? [item, outputFor(item, "aborted")] : [item];
  });
}

/** A call and its output have the same key; those of custom tools are a kind of their own. */
function keyOf(isCustom: boolean, callId: string): string {
  return isCustom ? `\0${callId}` : callId;
}
