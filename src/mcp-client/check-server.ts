import type { McpServerConfig } from "../config/config.ts";
import type { Environment } from "../lib/environment.ts";
import { findProgram } from "../process/find-program.ts";
import { describeErrno } from "../process/system-error.ts";
import { serverEnvironment } from "./server-environment.ts";

/** The file that would be started for a configured server, or why it cannot be; nothing is started. */
export function checkServer(
  name: string,
  { config, cwd, env }: { readonly config: McpServerConfig; readonly cwd: string; readonly env: Environment },
): { readonly program: string } | { readonly problem: string } {
  const problem = serverNameProblem(name);
  if (problem !== undefined) return { problem };
  const found = findProgram(config.command, { cwd, env: serverEnvironment(config, env) });
  return "program" in found ? found : { problem: `${config.command}: ${describeErrno(found.errno)}` };
}

export function serverNameProblem(name: string): string | undefined {
  if (/^[a-zA-Z0-9_-]+$/.test(name)) return undefined;
  return `invalid server name '${name}': must match pattern ^[a-zA-Z0-9_-]+$`;
}
