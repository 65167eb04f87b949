import { showInvisible } from "../lib/show-invisible.ts";
import type { ResponseItem } from "../protocol/response-item.ts";
import { stripControls } from "./printable.ts";
import type { SessionFacts } from "./session-text.ts";
import { shellText } from "./shell-text.ts";
import { callText, outputText } from "./stored-call.ts";

/** A session as a document; nothing is cut, and control characters, which no reader wants, are left out. */
export function sessionMarkdown(facts: SessionFacts, items: readonly ResponseItem[]): string {
  const { conversationId, timestamp, cwd, model } = facts;
  const head = [
    `# Session ${conversationId}`,
    "",
    ...(timestamp === undefined ? [] : [`- started: ${timestamp}`]),
    ...(cwd === undefined ? [] : [`- directory: ${cwd}`]),
    ...(model === undefined ? [] : [`- model: ${model}`]),
    "",
  ].join("\n");
  return stripControls(`${head}${items.map(itemMarkdown).join("")}`);
}

function itemMarkdown(item: ResponseItem): string {
  switch (item.type) {
    case "message": {
      const title = item.role === "assistant" ? "Codex" : item.role === "user" ? "User" : item.role;
      const parts = item.content.map((part) => (part.type === "input_image" ? "*(image)*" : part.text));
      return `\n## ${title}\n\n${parts.join("\n\n").trim()}\n`;
    }
    case "reasoning": {
      const text = item.summary.map((part) => part.text.trim()).join("\n\n");
      return text === "" ? "" : `\n${text.replaceAll(/^/gm, "> ")}\n`;
    }
    case "function_call":
    case "local_shell_call":
    case "custom_tool_call": {
      const text = showInvisible(callText(item, shellText));
      return `\n${fenced(text, text.startsWith("$ ") ? "console" : "")}`;
    }
    case "function_call_output":
    case "custom_tool_call_output":
      return `\n${fenced(outputText(item.output), "text")}`;
    default:
      return item satisfies never;
  }
}

/** The fence is longer than any in the text. */
function fenced(text: string, language: string): string {
  const longest = Math.max(0, ...[...text.matchAll(/^ {0,3}(`+)/gm)].map(([, ticks = ""]) => ticks.length));
  const fence = "`".repeat(Math.max(3, longest + 1));
  return `${fence}${language}\n${text.replace(/\n+$/, "")}\n${fence}\n`;
}
