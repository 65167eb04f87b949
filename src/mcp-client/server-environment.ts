import type { McpServerConfig } from "../config/config.ts";
import { findGitRoot } from "../config/git-root.ts";
import type { Environment } from "../lib/environment.ts";
import { pathOutside } from "../process/find-program.ts";

/** What a server inherits; everything else it needs stands in its own `env`. */
const inheritedNames = [
  "HOME",
  "LOGNAME",
  "PATH",
  "SHELL",
  "USER",
  "__CF_USER_TEXT_ENCODING",
  "LANG",
  "LC_ALL",
  "TERM",
  "TMPDIR",
  "TZ",
];

/** `cwd` is the session's directory: what PATH would find in that repository is not for a server to run. */
export function serverEnvironment(
  { env: own }: Pick<McpServerConfig, "env">,
  { env, cwd }: { readonly env: Environment; readonly cwd: string },
): Readonly<Record<string, string>> {
  const root = findGitRoot(cwd) ?? cwd;
  const inherited = inheritedNames.flatMap((name) => {
    const value = env[name];
    return value === undefined ? [] : [[name, name === "PATH" ? pathOutside(value, root) : value] as const];
  });
  return { ...Object.fromEntries(inherited), ...own };
}
