import type { ChatgptTokens } from "./auth-file.ts";

/** `due`: they still serve, and it is time to renew them. */
export type TokenAge = "fresh" | "due" | "expired";

/** Tokens are renewed this long before they expire, so that they live as long as the request they sign. */
const renewalMs = 60_000;
/** Tokens that say nothing about their end are renewed at this age, as the reference does. */
const longestAgeMs = 28 * 24 * 3_600_000;

export function ageOf({ expiresAt, refreshedAt }: ChatgptTokens, now = Date.now()): TokenAge {
  if (expiresAt !== undefined && expiresAt <= now) return "expired";
  if (expiresAt !== undefined && expiresAt - renewalMs <= now) return "due";
  return refreshedAt !== undefined && now - refreshedAt > longestAgeMs ? "due" : "fresh";
}
