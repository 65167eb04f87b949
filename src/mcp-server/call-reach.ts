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

function fileRefusal(asked: Config, own: Config): string | undefined {
  const { instructionsFile: instructions, resumePath, codexHome } = asked;
  const isOurs = (file: string) => isInside(canonicalPath(file), canonicalPath(codexHome));
  const refuse = (key: string, instead: string) =>
    `The config of the call is refused, because ${key} names a file in the server's CODEX_HOME. ${instead}`;
  if (instructions !== undefined && !own.instructionsFiles.includes(instructions) && isOurs(instructions)) {
    return refuse("experimental_instructions_file", "Name another file, or put the key into config.toml.");
  }
  if (resumePath !== undefined && resumePath !== own.resumePath && isOurs(resumePath)) {
    return refuse("experimental_resume", "Use the tool codex-reply or the method resumeConversation.");
  }
  return undefined;
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
  const leak =
    credentials(asked).find(
      (text) => (isPinned || includes(known, text, credentials)) && !includes(there, text, credentials),
    ) ??
    (constants(asked).some((text) => includes(known, text, constants) && !includes(there, text, constants))
      ? "a header or parameter"
      : undefined);
  if (leak === undefined) return undefined;
  return `The config of the call is refused, because model_providers.${id} would send ${leak} to an address where the server's configuration does not send it. Put the provider into config.toml or give it to the server with -c.`;
}

function credentials({ envKey, envHttpHeaders, requiresOpenaiAuth, wireApi }: ModelProvider): readonly string[] {
  const variables = [...(envKey === undefined ? [] : [envKey]), ...Object.values(envHttpHeaders)];
  const texts = variables.map((name) => `the variable ${name}`);
  const usesAccount = requiresOpenaiAuth && wireApi === "responses" && envKey === undefined;
  return usesAccount ? [...texts, "the OpenAI credential", "the variable OPENAI_API_KEY"] : texts;
}

/** Shorter ones are nobody's secret. */
const shortestSecret = 8;

function constants({ httpHeaders, queryParams }: ModelProvider): readonly string[] {
  return [...Object.values(httpHeaders), ...Object.values(queryParams)].filter((text) => text.length >= shortestSecret);
}
