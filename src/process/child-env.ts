import type { Environment } from "../lib/environment.ts";

/** Which of our variables a command inherits; the same shape as in the configuration. */
export interface ShellEnvironmentPolicy {
  readonly inherit: "all" | "core" | "none";
  readonly ignoreDefaultExcludes: boolean;
  /** Patterns: `*` any run, `?` one character, case-insensitive, whole name. */
  readonly exclude: readonly string[];
  readonly set: Readonly<Record<string, string>>;
  readonly includeOnly: readonly string[];
}

const coreNames = ["HOME", "LOGNAME", "PATH", "SHELL", "USER", "USERNAME", "TMPDIR", "TEMP", "TMP"];
const secretNames = ["*KEY*", "*SECRET*", "*TOKEN*"];
/** Ours alone: only an explicit `set` gives them to a command. */
const credentialNames: readonly string[] = ["CODEX_API_KEY", "OPENAI_API_KEY"];

/** The whole environment of a command; nothing else is inherited. */
export function childEnvironment(
  policy: ShellEnvironmentPolicy,
  parentEnv: Environment,
  options: {
    readonly networkDisabled: boolean;
    /** Variables that hold the provider's credentials: kept from commands like our own. */
    readonly credentials?: readonly string[];
  },
): Record<string, string> {
  const isExcluded = nameMatcher([...(policy.ignoreDefaultExcludes ? [] : secretNames), ...policy.exclude]);
  const isIncluded = policy.includeOnly.length === 0 ? () => true : nameMatcher(policy.includeOnly);
  const credentials = [...credentialNames, ...(options.credentials ?? [])];
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(parentEnv)) {
    if (value === undefined || policy.inherit === "none" || credentials.includes(name)) continue;
    if (policy.inherit === "core" && !coreNames.includes(name)) continue;
    if (!isExcluded(name)) env[name] = value;
  }
  Object.assign(env, policy.set);
  const kept = Object.entries(env).filter(([name]) => isIncluded(name));
  return { ...Object.fromEntries(kept), ...(options.networkDisabled ? { CODEX_SANDBOX_NETWORK_DISABLED: "1" } : {}) };
}

/** For a program of the user's own, which sees everything else. */
export function withoutCredentials(env: Environment, credentials: readonly string[]): Environment {
  const hidden = [...credentialNames, ...credentials];
  return Object.fromEntries(Object.entries(env).filter(([name]) => !hidden.includes(name)));
}

function nameMatcher(patterns: readonly string[]): (name: string) => boolean {
  const lowered = patterns.map((pattern) => pattern.toLowerCase());
  return (name) => lowered.some((pattern) => matches(pattern, name.toLowerCase()));
}

/** Whoever writes the pattern may want us to search for ever: it goes back to the last star only. */
function matches(pattern: string, name: string): boolean {
  let at = 0;
  let star = -1;
  let resume = 0;
  for (let index = 0; index < name.length; ) {
    if (pattern[at] === "*") {
      star = at++;
      resume = index;
    } else if (pattern[at] === "?" || (at < pattern.length && pattern[at] === name[index])) {
      at += 1;
      index += 1;
    } else if (star >= 0) {
      at = star + 1;
      index = ++resume;
    } else return false;
  }
  while (pattern[at] === "*") at += 1;
  return at === pattern.length;
}
