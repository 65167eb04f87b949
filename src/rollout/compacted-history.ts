import { type MessageItem, type ResponseItem, userMessage } from "../protocol/response-item.ts";

const opening = "<compacted_conversation>";
const beforeDigest = "<user_messages>\n";
const afterDigest = "\n</user_messages>\n\n<summary>\n";

/** What a client is told when the compaction it asked for is done; no words of the model. */
export const compactionNote = "Compact task completed";

/** Characters; about 6,000 tokens, so that even a small context has room for the work. */
const longestDigest = 24_000;

/**
 * What a history becomes when `summary` takes the place of the work so far: instructions and environment
 * context as they were, one message with the user's earlier words and the summary, and then what nobody has answered yet.
 */
export function compactedHistory(items: readonly ResponseItem[], summary: string): readonly ResponseItem[] {
  const said = items.filter((item) => !isContext(item));
  const unanswered = said.slice(said.findLastIndex((item) => !isUserMessage(item) || digestIn(item) !== undefined) + 1);
  const digest = said.slice(0, said.length - unanswered.length).flatMap((item) => {
    if (!isUserMessage(item)) return [];
    const text = digestIn(item) ?? textOf(item); // of an earlier summary only the user's words live on
    return text === "" ? [] : [text];
  });
  const bridge = [
    opening,
    "To save space, this message stands for the conversation so far. Files and programs are as that work left them.",
    "",
    `${beforeDigest}${cutMiddle(digest.join("\n\n"))}${afterDigest}${summary}`,
    "</summary>",
    "</compacted_conversation>",
  ].join("\n");
  return [...items.filter(isContext), userMessage(bridge), ...unanswered];
}

/** Instructions and environment: what every request begins with, whatever was said since. */
export function isContext(item: ResponseItem): boolean {
  if (item.type !== "message") return false;
  if (item.role !== "user") return item.role !== "assistant";
  return /^<(?:user_instructions|environment_context)>/.test(textOf(item));
}

function isUserMessage(item: ResponseItem): item is MessageItem {
  return item.type === "message" && item.role === "user";
}

function digestIn(item: MessageItem): string | undefined {
  const text = textOf(item);
  if (!text.startsWith(opening)) return undefined;
  const start = text.indexOf(beforeDigest) + beforeDigest.length;
  return text.slice(start, text.lastIndexOf(afterDigest));
}

function textOf({ content }: MessageItem): string {
  return content.map((part) => (part.type === "input_image" ? "" : part.text)).join("");
}

/** Keeps both ends: the task stands at the beginning, the last wishes at the end. */
function cutMiddle(text: string): string {
  if (text.length <= longestDigest) return text;
  const half = longestDigest / 2;
  const head = text.slice(0, half).replace(/[\ud800-\udbff]$/, ""); // half a character would be no valid text
  const tail = text.slice(-half).replace(/^[\udc00-\udfff]/, "");
  return `${head}\n[... ${text.length - longestDigest} characters left out ...]\n${tail}`;
}
