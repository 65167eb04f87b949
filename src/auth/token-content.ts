import { isRecord } from "../lib/parse-json.ts";
import type { AuthContent } from "./auth-file.ts";
import { jwtClaims } from "./jwt-claims.ts";

/** What a token endpoint has granted. */
export interface TokenAnswer {
  readonly idToken: string | undefined;
  readonly accessToken: string | undefined;
  readonly refreshToken: string | undefined;
  /** From now on; undefined when the issuer does not say it. */
  readonly expiresInMs: number | undefined;
}

/** The tokens of a login. */
export interface TokenSet extends TokenAnswer {
  readonly accessToken: string;
  readonly issuer: string;
  readonly clientId: string;
}

/** auth.json with the key in place of every other credential; what other programs keep in it stays. */
export function apiKeyContent(key: string, { tokens, last_refresh, oauth, ...rest }: AuthContent) {
  return { ...rest, ...authMode(rest, "apikey"), OPENAI_API_KEY: key };
}

/** auth.json with the tokens in place of every other credential. */
export function loginContent(set: TokenSet, { OPENAI_API_KEY, tokens, last_refresh, oauth, ...rest }: AuthContent) {
  const claims = jwtClaims(set.idToken)["https://api.openai.com/auth"];
  return {
    OPENAI_API_KEY: null,
    ...rest,
    ...authMode(rest, "chatgpt"),
    tokens: {
      id_token: set.idToken ?? null,
      access_token: set.accessToken,
      refresh_token: set.refreshToken ?? null,
      account_id: (isRecord(claims) ? claims["chatgpt_account_id"] : undefined) ?? null,
    },
    last_refresh: timestamp(Date.now()),
    // Ours: a refresh token goes back only to those it came from.
    oauth: { issuer: set.issuer, client_id: set.clientId, ...expiry(set) },
  };
}

/** auth.json after a refresh; the issuer leaves out what stays as it was. */
export function renewedContent(answer: TokenAnswer, content: AuthContent) {
  const tokens = isRecord(content["tokens"]) ? content["tokens"] : {};
  const { expires_at, ...login } = isRecord(content["oauth"]) ? content["oauth"] : {};
  const oauth = { ...login, ...expiry(answer) };
  return {
    ...content,
    tokens: {
      ...tokens,
      ...(answer.idToken === undefined ? {} : { id_token: answer.idToken }),
      ...(answer.accessToken === undefined ? {} : { access_token: answer.accessToken }),
      ...(answer.refreshToken === undefined ? {} : { refresh_token: answer.refreshToken }),
    },
    last_refresh: timestamp(Date.now()),
    ...(Object.keys(oauth).length === 0 ? {} : { oauth }),
  };
}

/** Later releases of the reference go by this field where it is present. */
function authMode(content: AuthContent, mode: "apikey" | "chatgpt"): { readonly auth_mode?: string } {
  return "auth_mode" in content ? { auth_mode: mode } : {};
}

function expiry({ expiresInMs }: TokenAnswer): { readonly expires_at?: string } {
  return expiresInMs === undefined ? {} : { expires_at: timestamp(Date.now() + expiresInMs) };
}

/** With six digits behind the second, as the reference writes it. */
function timestamp(time: number): string {
  return new Date(time).toISOString().replace("Z", "000Z");
}
