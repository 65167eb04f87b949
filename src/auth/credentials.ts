import type { ModelProvider } from "../config/model-providers.ts";
import type { Environment } from "../lib/environment.ts";
import { UserError } from "../lib/errors.ts";
import type { AuthFile } from "./auth-file.ts";

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

export type PreferredAuthMethod = "chatgpt" | "apikey";

/** What wants to be signed. */
export interface CredentialNeed {
  readonly provider: ModelProvider;
  readonly preferredAuthMethod: PreferredAuthMethod | undefined;
}

/** What there is to sign with. */
interface CredentialSources {
  readonly env: Environment;
  /** Asked only where it counts. */
  readonly stored: () => AuthFile | undefined;
}

/**
 * The credential for a provider; undefined: requests go unsigned. A provider that names a variable gets that and nothing
 * else; stored and general credentials go only where they belong, and never over the chat wire (4.3).
 * Throws a UserError when the provider's variable is missing.
 */
export function resolveCredential(
  { provider, preferredAuthMethod }: CredentialNeed,
  { env, stored }: CredentialSources,
): Credential | undefined {
  if (provider.envKey !== undefined) {
    const key = fromEnvironment(env, provider.envKey);
    if (key !== undefined) return key;
    const instructions = provider.envKeyInstructions === undefined ? "" : ` ${provider.envKeyInstructions}`;
    throw new UserError(`Missing environment variable: \`${provider.envKey}\`.${instructions}`);
  }
  if (!provider.requiresOpenaiAuth || provider.wireApi === "chat") return undefined;
  const key = fromEnvironment(env, "CODEX_API_KEY");
  if (key !== undefined) return key;
  const general = fromEnvironment(env, "OPENAI_API_KEY");
  if (general !== undefined && preferredAuthMethod !== "chatgpt") return general;
  const auth = stored();
  const ofFile = auth && fromAuthFile(auth, preferredAuthMethod);
  return ofFile?.kind === "chatgpt" ? ofFile : (general ?? ofFile);
}

function fromEnvironment(env: Environment, name: string): Credential | undefined {
  const token = env[name]?.trim();
  return token ? { kind: "api-key", token, source: name } : undefined;
}

/** These plans include our requests; with any other the account's API key pays for them. */
const includedPlans: ReadonlySet<string | undefined> = new Set(["free", "plus", "pro", "team"]);

function fromAuthFile(
  { apiKey, tokens }: AuthFile,
  preferred: PreferredAuthMethod | undefined,
): Credential | undefined {
  const wantsKey = preferred === "apikey" || !includedPlans.has(tokens?.plan);
  if (tokens !== undefined && (apiKey === undefined || !wantsKey)) {
    const { accessToken: token, accountId, plan } = tokens;
    return { kind: "chatgpt", token, source: "auth.json", accountId, plan };
  }
  return apiKey === undefined ? undefined : { kind: "api-key", token: apiKey, source: "auth.json" };
}
