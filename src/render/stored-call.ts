import { isRecord, parseJson } from "../lib/parse-json.ts";
import type { ToolCallItem } from "../protocol/response-item.ts";

/** A call as a person would write it down: the command, the patch, or the tool with its arguments. */
export function callText(call: ToolCallItem, commandText: (command: readonly string[]) => string): string {
  switch (call.type) {
    case "local_shell_call":
      return `$ ${commandText(call.action.command)}`;
    case "custom_tool_call":
      return `${call.name}\n${call.input}`;
    case "function_call": {
      const args = parseJson(call.arguments);
      if (!args.ok || !isRecord(args.value)) return `${call.name} ${call.arguments}`;
      const { command, input } = args.value;
      const isCommand = Array.isArray(command) && command.every((word) => typeof word === "string");
      if (isCommand) return `$ ${commandText(command)}`;
      if (call.name === "apply_patch" && typeof input === "string") return `apply_patch\n${input}`;
      return `${call.name} ${call.arguments}`;
    }
    default:
      return call satisfies never;
  }
}

/** Commands are answered in JSON, of which a person wants the output. */
export function outputText(output: string): string {
  const parsed = parseJson(output);
  if (!parsed.ok || !isRecord(parsed.value) || typeof parsed.value["output"] !== "string") return output;
  const { output: text, metadata } = parsed.value;
  const exitCode = isRecord(metadata) ? metadata["exit_code"] : undefined;
  return typeof exitCode === "number" && exitCode !== 0 ? `${text.trimEnd()}\n(exit status ${exitCode})` : text;
}
