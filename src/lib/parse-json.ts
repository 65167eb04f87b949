import { messageOf } from "./errors.ts";

export type Parsed<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: string };

/**
 * The parser reads any depth, but `JSON.stringify` has a limit of a few thousand levels, and readers of what we write
 * have lower ones (Python's: 1,000). Nothing that people or programs mean comes near this.
 */
const mostLevels = 500;
export const tooDeepText = `nested more than ${mostLevels} levels deep`;

/** JSON text to a value of unknown shape, which can be written again; the problem is the parser's own sentence. */
export function parseJson(text: string): Parsed<unknown> {
  const parsed = parseDeepJson(text);
  if (!parsed.ok || text.length <= 2 * mostLevels || !isTooDeep(parsed.value)) return parsed; // a level takes two characters
  return { ok: false, problem: tooDeepText };
}

/** The same for those who only take parts of it; where `isTooDeep`, the whole cannot be written. */
export function parseDeepJson(text: string): Parsed<unknown> {
  try {
    return { ok: true, value: JSON.parse(text) };
  } catch (error) {
    return { ok: false, problem: messageOf(error) };
  }
}

/** Of a parsed value. Plain loops, since this looks at all that comes from outside. */
export function isTooDeep(value: unknown, levels = mostLevels): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (levels === 0) return true;
  if (Array.isArray(value)) {
    for (const element of value) if (typeof element === "object" && isTooDeep(element, levels - 1)) return true;
    return false;
  }
  const fields = value as Readonly<Record<string, unknown>>; // neither an array nor null
  for (const key in fields) {
    const member = fields[key];
    if (typeof member === "object" && isTooDeep(member, levels - 1)) return true;
  }
  return false;
}

/** A string as it is, anything else as JSON; "" for nothing. For values of others, since `String()` throws for some. */
export function jsonText(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "");
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
