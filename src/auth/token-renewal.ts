import { UserError } from "../lib/errors.ts";
import { log } from "../lib/log.ts";
import { type ChatgptTokens, isSameAccount, parseAuthContent, readAuthContent, readAuthFile } from "./auth-file.ts";
import { withAuthLock } from "./auth-lock.ts";
import type { AuthManager } from "./auth-manager.ts";
import { type IssuerClient, openaiIssuer, TokenRefused } from "./issuer-client.ts";
import { ageOf } from "./token-age.ts";
import { renewedContent, type TokenAnswer } from "./token-content.ts";
import { replaceAuthFile } from "./write-auth-file.ts";

interface Renewal {
  readonly auth: AuthManager;
  /** Ends every wait. */
  readonly signal: AbortSignal;
}

/**
 * New tokens of the same account, from whoever was first: another process may have renewed them already, and a refresh
 * token is good for one use. Rejects with a UserError where only a new login helps, with another Error where time may.
 */
export function renewTokens(tokens: ChatgptTokens, { auth, signal }: Renewal): Promise<ChatgptTokens> {
  const renew = async () => {
    const stored = readAuthFile(auth.codexHome).auth?.tokens;
    const isOurs = stored === undefined || !isSameAccount(stored, tokens) || isKnown(stored, tokens);
    if (!isOurs && ageOf(stored) === "fresh") return stored;
    const newest = isOurs ? tokens : stored;
    return keep(newest, await refresh(newest, { auth, signal }), auth.codexHome);
  };
  return withAuthLock(auth.codexHome, renew, { signal });
}

/** What auth.json holds is what this process has read or written itself: nobody else has renewed it. */
function isKnown(stored: ChatgptTokens, tokens: ChatgptTokens): boolean {
  return [tokens.accessToken, tokens.unsaved].includes(stored.accessToken);
}

async function refresh(tokens: ChatgptTokens, { auth, signal }: Renewal): Promise<TokenAnswer> {
  if (tokens.refreshToken === undefined) throw loginAgain("there is no refresh token");
  // Files of the reference do not say whose they are: those tokens are of ChatGPT's issuer, and no other one gets them.
  const url = tokens.issuer ?? openaiIssuer;
  const clientId = tokens.clientId ?? auth.login.clientId;
  if (clientId === undefined) {
    throw loginAgain("a refresh needs the client id they were issued to: set chatgpt_client_id in config.toml");
  }
  const issuer: IssuerClient = await untilAborted(auth.issuer(url), signal); // others may wait for it as well
  const form = {
    client_id: clientId,
    grant_type: "refresh_token",
    refresh_token: tokens.refreshToken,
    scope: "openid profile email",
  };
  try {
    return await issuer.requestTokens(form, signal);
  } catch (error) {
    if (error instanceof TokenRefused) throw loginAgain(`the refresh token was refused (${error.message})`, error);
    throw error;
  }
}

/** Leaves the work to itself once the signal fires. */
function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    work.then(resolve, reject);
  });
}

/** Where another account has taken the place in the file, or somebody logged out, the tokens live on here alone. */
function keep(tokens: ChatgptTokens, answer: TokenAnswer, codexHome: string): ChatgptTokens {
  const { content = {}, problem } = readAuthContent(codexHome);
  if (problem !== undefined) log("error", "auth", `${problem}; the renewed login is good for this process only`);
  const stored = parseAuthContent(content).tokens;
  if (stored !== undefined && isSameAccount(stored, tokens) && isKnown(stored, tokens)) {
    const renewed = renewedContent(answer, content);
    const kept = parseAuthContent(renewed).tokens ?? tokens;
    try {
      replaceAuthFile(codexHome, renewed);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      log("error", "auth", `${error.message}; the renewed login is good for this process only`);
      return { ...kept, unsaved: stored.accessToken };
    }
    return kept;
  }
  const { accessToken = tokens.accessToken, refreshToken = tokens.refreshToken, expiresInMs } = answer;
  const expiresAt = expiresInMs === undefined ? undefined : Date.now() + expiresInMs;
  return { ...tokens, accessToken, refreshToken, expiresAt, refreshedAt: Date.now() };
}

function loginAgain(problem: string, cause?: unknown): UserError {
  return new UserError(`Your ChatGPT login cannot be renewed: ${problem}. Log in again: codex login`, { cause });
}
