import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { AuthManager } from "../../src/auth/auth-manager.ts";
import { startChatGptLogin } from "../../src/auth/browser-login.ts";
import type { CredentialNeed } from "../../src/auth/credentials.ts";
import { loadConfig } from "../../src/config/load-config.ts";
import { openAuth } from "../../src/conversation/open-auth.ts";
import type { Environment } from "../../src/lib/environment.ts";
import { providerAt } from "../model/ask.ts";
import { browse, type OpenIdProvider } from "../support/openid-provider.ts";
import type { Workspace } from "../support/workspace.ts";

/** The built-in provider, as far as credentials go. */
export const need: CredentialNeed = {
  provider: providerAt("https://api.openai.com/v1", { requiresOpenaiAuth: true }),
  preferredAuthMethod: undefined,
};

/** The credentials of a process that starts in this place now, with these lines of config.toml. */
export function openIn(place: Workspace, lines: readonly string[] = [], env: Environment = {}): AuthManager {
  writeFileSync(path.join(place.home, "config.toml"), lines.join("\n"));
  return openAuth(loadConfig({ flags: {}, env: { ...place.env, ...env }, processCwd: place.work }), "1.2.3");
}

/** A process in which somebody has just signed in. */
export async function signedIn(place: Workspace, provider: OpenIdProvider): Promise<AuthManager> {
  const auth = openIn(place, provider.config);
  await signIn(auth);
  return auth;
}

export async function signIn(auth: AuthManager): Promise<void> {
  const login = await startChatGptLogin(auth);
  await browse(login.authUrl);
  const outcome = await login.completed;
  if (!outcome.success) throw new Error(outcome.error);
}

export interface StoredAuth {
  readonly OPENAI_API_KEY?: string | null;
  readonly tokens?: Readonly<Record<"id_token" | "access_token" | "refresh_token" | "account_id", string | null>>;
  readonly last_refresh?: string;
  readonly oauth?: Readonly<Record<string, string>>;
  readonly [other: string]: unknown;
}

export const authFileOf = (place: Workspace) => path.join(place.home, "auth.json");

export function storedIn(place: Workspace): StoredAuth {
  return JSON.parse(readFileSync(authFileOf(place), "utf8")) as StoredAuth;
}

export function store(place: Workspace, content: object): void {
  mkdirSync(place.home, { recursive: true });
  writeFileSync(authFileOf(place), JSON.stringify(content), { mode: 0o600 });
}

/** As if the access token had expired a minute ago, or would in `seconds`. */
export function expire(place: Workspace, seconds = -60): void {
  const content = storedIn(place);
  const expires_at = new Date(Date.now() + seconds * 1000).toISOString();
  store(place, { ...content, oauth: { ...content.oauth, expires_at } });
}

export function modeOf(file: string): string {
  return (statSync(file).mode & 0o777).toString(8);
}

/** A token of three parts, of which nobody will check the signature. */
export function jwt(claims: object): string {
  return `e30.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.sig`;
}
