import { UserError } from "../lib/errors.ts";
import { randomUuid } from "../lib/random-uuid.ts";

/** A conversation's UUID in lower case; parsed once where it enters. On the wire it is also called session or thread id. */
export type ConversationId = string & { readonly __brand: "ConversationId" };

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

export function newConversationId(): ConversationId {
  return randomUuid() as ConversationId; // a UUID by construction
}

/** Throws a UserError when `text` is not a UUID. */
export function parseConversationId(text: string): ConversationId {
  if (!uuid.test(text)) throw new UserError(`Not a session id: "${text}" (expected a UUID).`);
  return text.toLowerCase() as ConversationId; // checked on the line above
}
