import type { ModelProvider } from "../config/model-providers.ts";
import type { Environment } from "../lib/environment.ts";
import { UserError } from "../lib/errors.ts";
import { type AuthFile, readAuthFile } from "./auth-file.ts";

/** What signs a request; never printed, logged or stored. */
export type Credential =
  | { readonly kind: "api-key"; readonly token: string; readonly source: string }
  | {
      readonly kind: "chatgpt";
      readonly token: string;
      readonly source: string;
      readonly accountId: string | undefined;
      readonly plan: string | undefined;
    };

export interface CredentialOptions {
  readonly env: Environment;
  readonly codexHome: string;
  readonly preferredAuthMethod?: "chatgpt" | "apikey" | undefined;
  /** Told about a broken auth.json, which then counts as missing. */
  readonly warn?: (sentence: string) => void;
}

/**
 * The credential for `provider`; undefined: requests go unsigned. A provider that names a variable gets that and nothing
 * else; stored and general credentials go only where they belong (spec core D2), and never over the chat wire (4.3).
 * Throws a UserError when the provider's variable is missing.
 */
export function resolveCredential(provider: ModelProvider, options: CredentialOptions): Credential | undefined {
  const { env, codexHome, preferredAuthMethod, warn } = options;
  if (provider.envKey !== undefined) {
    const key = fromEnvironment(env, provider.envKey);
    if (key !== undefined) return key;
    const instructions = provider.envKeyInstructions === undefined ? "" : ` ${provider.envKeyInstructions}`;
    throw new UserError(`Missing environment variable: \`${provider.envKey}\`.${instructions}`);
  }
  if (!provider.requiresOpenaiAuth || provider.wireApi === "chat") return undefined;
  const key = fromEnvironment(env, "CODEX_API_KEY") ?? fromEnvironment(env, "OPENAI_API_KEY");
  if (key !== undefined) return key;
  const { auth, problem } = readAuthFile(codexHome);
  if (problem !== undefined) warn?.(problem);
  return auth === undefined ? undefined : fromAuthFile(auth, preferredAuthMethod);
}

function fromEnvironment(env: Environment, name: string): Credential | undefined {
  const token = env[name]?.trim();
  return token ? { kind: "api-key", token, source: name } : undefined;
}

/** These plans include our requests; with any other the account's API key pays for them. */
const includedPlans: ReadonlySet<string | undefined> = new Set(["free", "plus", "pro", "team"]);

function fromAuthFile(
  { apiKey, tokens }: AuthFile,
  preferred: CredentialOptions["preferredAuthMethod"],
): Credential | undefined {
  const wantsKey = preferred === "apikey" || !includedPlans.has(tokens?.plan);
  if (tokens !== undefined && (apiKey === undefined || !wantsKey)) {
    const { accessToken: token, accountId, plan } = tokens;
    return { kind: "chatgpt", token, source: "auth.json", accountId, plan };
  }
  return apiKey === undefined ? undefined : { kind: "api-key", token: apiKey, source: "auth.json" };
}
