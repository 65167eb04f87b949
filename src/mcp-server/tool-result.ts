import type { CallToolResult } from "@modelcontextprotocol/sdk/types.js";
import type { TurnOutcome } from "./live-conversation.ts";

/** A call that failed before there was a conversation. */
export function failedCall(message: string): CallToolResult {
  return { content: [{ type: "text", text: message }], isError: true };
}

/** What a call of a conversation is answered with; the id stands under all the names it has had. */
export function turnResult(conversationId: string, outcome: TurnOutcome): CallToolResult {
  const ids = { conversationId, sessionId: conversationId, threadId: conversationId };
  if (outcome.ok) {
    const { text } = outcome;
    return { content: [{ type: "text", text }], structuredContent: { ...ids, content: text } };
  }
  const { message, detail } = outcome;
  return {
    content: [{ type: "text", text: message }],
    isError: true,
    error: message, // clients of August look for it
    structuredContent: { ...ids, error: message, ...(detail === undefined ? {} : { detail }) },
  };
}

/** The form of the tools of August: the payload twice. */
export function structuredResult(payload: Readonly<Record<string, unknown>>, isError: boolean): CallToolResult {
  return { content: [{ type: "text", text: JSON.stringify(payload) }], isError, structuredContent: payload };
}
