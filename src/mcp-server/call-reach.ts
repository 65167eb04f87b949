import { isDeepStrictEqual } from "node:util";
import type { Config } from "../config/config.ts";
import type { ModelProvider } from "../config/model-providers.ts";
import { isInside } from "../lib/path-inside.ts";
import { canonicalPath } from "../process/canonical-path.ts";

// What no `config` of a call may reach, pinned or not: programs outside the sandbox, this program's own files, and the
// keys of whoever runs the server. `own` is the server's configuration without the call. Each function returns the
// refusal as a sentence, or nothing.

interface Reach {
  readonly own: Config;
  readonly allowsPrograms: boolean;
  /** Whoever runs the server has bounded its calls, so no variable of the environment is a call's to send. */
  readonly isPinned: boolean;
}

export function reachRefusal(asked: Config, reach: Reach): string | undefined {
  const { own, allowsPrograms } = reach;
  return (
    (allowsPrograms ? undefined : programRefusal(asked, own)) ??
    fileRefusal(asked, own) ??
    providerRefusal(asked, reach)
  );
}

function programRefusal(asked: Config, own: Config): string | undefined {
  if (asked.notify.length > 0 && !isDeepStrictEqual(asked.notify, own.notify)) return refuseProgram("notify");
  const other = Object.entries(asked.mcpServers).find(
    ([name, server]) => !isDeepStrictEqual(server, own.mcpServers[name]),
  );
  return other && refuseProgram(`mcp_servers.${other[0]}`);
}

function refuseProgram(key: string): string {
  return `The config of the call is refused, because ${key} would start a program outside the sandbox that the server's configuration does not name. Put it into config.toml or give it to the server with -c, or set mcp.allow_call_programs = true there.`;
}

/** Instructions are judged where they are read. */
function fileRefusal({ resumePath, codexHome }: Config, own: Config): string | undefined {
  if (resumePath === undefined || resumePath === own.resumePath) return undefined;
  if (!isInside(canonicalPath(resumePath), canonicalPath(codexHome))) return undefined;
  return "The config of the call is refused, because experimental_resume names a file in the server's CODEX_HOME. Use the tool codex-reply or the method resumeConversation.";
}

/**
 * A key of the server goes only where the server's configuration sends it. A call without pins may name a provider of its
 * own with a variable of its own, as the reference allows it.
 */
function providerRefusal(
  { modelProviderId: id, modelProvider: asked }: Config,
  { own, isPinned }: Reach,
): string | undefined {
  const known = [...own.modelProviders.values()];
  const there = known.filter(({ baseUrl }) => baseUrl === asked.baseUrl);
  const includes = (providers: readonly ModelProvider[], text: string, textsOf: typeof credentials) =>
    providers.some((provider) => textsOf(provider).includes(text));
  const isOurs = (text: string) =>
    includes(known, text, credentials) || own.dotEnvNames.some((name) => text === `the variable ${name}`);
  const leak =
    credentials(asked).find((text) => (isPinned || isOurs(text)) && !includes(there, text, credentials)) ??
    (constants(asked).some((text) => includes(known, text, constants) && !includes(there, text, constants))
      ? "a header or parameter"
      : undefined) ??
    routingHeader(asked, there);
  if (leak === undefined) {
    if (!isPinned || there.length > 0) return undefined;
    return `The config of the call is refused, because model_providers.${id} is at an address that the server's configuration does not name, and this server bounds its calls. Put the provider into config.toml or give it to the server with -c.`;
  }
  return `The config of the call is refused, because model_providers.${id} would send ${leak} to an address where the server's configuration does not send it. Put the provider into config.toml or give it to the server with -c.`;
}

/** Of a request with a key such a header says where it goes in the end. */
function routingHeader({ httpHeaders }: ModelProvider, there: readonly ModelProvider[]): string | undefined {
  const isOwn = (name: string, value: string) => there.some((provider) => provider.httpHeaders[name] === value);
  const found = Object.entries(httpHeaders).find(
    ([name, value]) => /^(?:host|:authority|forwarded|x-forwarded-.*)$/i.test(name) && !isOwn(name, value),
  );
  return found && there.length > 0 ? `a key with the header ${found[0]}` : undefined;
}

function credentials({ envKey, envHttpHeaders, requiresOpenaiAuth, wireApi }: ModelProvider): readonly string[] {
  const variables = [...(envKey === undefined ? [] : [envKey]), ...Object.values(envHttpHeaders)];
  const texts = variables.map((name) => `the variable ${name}`);
  const usesAccount = requiresOpenaiAuth && wireApi === "responses" && envKey === undefined;
  const ofAccount = ["the OpenAI credential", "the variable OPENAI_API_KEY", "the variable CODEX_API_KEY"];
  return usesAccount ? [...texts, ...ofAccount] : texts;
}

/** Shorter ones are nobody's secret. */
const shortestSecret = 8;

function constants({ httpHeaders, queryParams }: ModelProvider): readonly string[] {
  return [...Object.values(httpHeaders), ...Object.values(queryParams)].filter((text) => text.length >= shortestSecret);
}
