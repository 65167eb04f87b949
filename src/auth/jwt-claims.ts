import { isRecord, parseJson } from "../lib/parse-json.ts";

/**
 * What a JSON web token says, empty for any other text. Nobody has verified its signature: it decides which of the user's
 * own credentials is taken and what is shown, never what anybody may do.
 */
export function jwtClaims(token: string | undefined): Readonly<Record<string, unknown>> {
  const payload = token?.split(".")[1];
  if (payload === undefined) return {};
  const parsed = parseJson(Buffer.from(payload, "base64url").toString("utf8"));
  return parsed.ok && isRecord(parsed.value) ? parsed.value : {};
}
