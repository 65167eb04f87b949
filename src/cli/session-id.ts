import { UserError } from "../lib/errors.ts";
import { type ConversationId, parseConversationId } from "../protocol/conversation-id.ts";
import { idsBeginningWith, sessionsFolder } from "../rollout/sessions.ts";

export const lengthOfId = 36;
const shown = 3;

/** A person may name a session by a beginning of its id that no other one has, archived ones included. Throws a UserError. */
export function findSessionId(text: string, codexHome: string): ConversationId {
  if (text.length >= lengthOfId) return parseConversationId(text);
  if (!/^[\da-f]{4}[\da-f-]*$/i.test(text)) {
    throw new UserError(`Not a session id: "${text}" (expected a UUID, or at least its first 4 characters).`);
  }
  const [id, ...others] = idsBeginningWith(codexHome, text.toLowerCase());
  if (id === undefined) throw noSession(text, codexHome);
  if (others.length === 0) return id;
  const names = [id, ...others].slice(0, shown).join(", ");
  const rest = others.length < shown ? "" : ` and ${others.length + 1 - shown} more`;
  throw new UserError(`The session id "${text}" is ambiguous: ${names}${rest} begin with it.`);
}

export function noSession(id: string, codexHome: string): UserError {
  return new UserError(`no rollout found for session id ${id} in "${sessionsFolder(codexHome)}"`);
}
