import type { ConversationId } from "../protocol/conversation-id.ts";

type ParsedId = { readonly ok: true; readonly id: ConversationId } | { readonly ok: false; readonly problem: string };

const groupLengths = [8, 4, 4, 4, 12] as const;

/** A UUID in any of its spellings (upper case, without hyphens, in braces, as a URN); problems in the words clients know. */
export function parseUuid(text: string): ParsedId {
  const bare = text.replace(/^urn:uuid:/i, "").replace(/^\{(.*)\}$/s, "$1");
  const skipped = text.indexOf(bare);
  const wrong = [...bare].findIndex((letter) => !/[0-9a-fA-F-]/.test(letter));
  if (wrong !== -1) {
    const expected = "expected an optional prefix of `urn:uuid:` followed by [0-9a-fA-F-]";
    return problem(`invalid character: ${expected}, found \`${[...bare][wrong]}\` at ${skipped + wrong + 1}`);
  }
  const groups = bare.split("-");
  if (groups.length === 1) {
    if (bare.length !== 32)
      return problem(`invalid length: expected length 32 for simple format, found ${bare.length}`);
  } else {
    if (groups.length !== groupLengths.length) {
      return problem(`invalid group count: expected 5, found ${groups.length}`);
    }
    const short = groupLengths.findIndex((length, at) => groups[at]?.length !== length);
    if (short !== -1) {
      const found = groups[short]?.length;
      return problem(`invalid group length in group ${short}: expected ${groupLengths[short]}, found ${found}`);
    }
  }
  const hex = groups.join("").toLowerCase();
  const cuts = [0, 8, 12, 16, 20, 32];
  const id = cuts
    .slice(1)
    .map((end, at) => hex.slice(cuts[at], end))
    .join("-");
  return { ok: true, id: id as ConversationId }; // 32 digits in the five groups of a UUID
}

function problem(text: string): ParsedId {
  return { ok: false, problem: text };
}
