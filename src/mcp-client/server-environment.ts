import path from "node:path";
import type { McpServerConfig } from "../config/config.ts";
import type { Environment } from "../lib/environment.ts";

/** What a server inherits; everything else it needs stands in its own `env` (spec core 14.1). */
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

export function serverEnvironment(
  { env: own }: Pick<McpServerConfig, "env">,
  env: Environment,
): Readonly<Record<string, string>> {
  const inherited = inheritedNames.flatMap((name) => {
    const value = env[name];
    return value === undefined ? [] : [[name, name === "PATH" ? withoutRelative(value) : value] as const];
  });
  return { ...Object.fromEntries(inherited), ...own };
}

/** A relative folder would be one of whatever repository the session works in. */
function withoutRelative(folders: string): string {
  return folders
    .split(path.delimiter)
    .filter((folder) => path.isAbsolute(folder))
    .join(path.delimiter);
}
