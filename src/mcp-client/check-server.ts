import path from "node:path";
import type { McpServerConfig } from "../config/config.ts";
import type { Environment } from "../lib/environment.ts";
import { runThrough, type Steps } from "../lib/steps.ts";
import { findProgram } from "../process/find-program.ts";
import { describeErrno } from "../process/system-error.ts";
import { foundInstead } from "./launcher.ts";
import { serverEnvironment } from "./server-environment.ts";

export interface ServerPlace {
  readonly config: McpServerConfig;
  /** The session's directory. */
  readonly cwd: string;
  /** A call of `codex mcp` has chosen that directory, not the user. */
  readonly isCwdOfCall: boolean;
}

/** The file that would be started for a configured server, or why it cannot be; nothing is started. */
export function checkServer(
  name: string,
  { env: all, ...place }: ServerPlace & { readonly env: Environment },
): { readonly program: string } | { readonly problem: string } {
  const { config } = place;
  const env = serverEnvironment(config, { env: all, cwd: place.cwd });
  const start = { ...place, env, fullPath: all["PATH"] };
  const problem = serverNameProblem(name) ?? runThrough(serverPlaceProblem(name, start));
  if (problem !== undefined) return { problem };
  const found = findProgram(config.command, { cwd: startFolder(place), env });
  return "program" in found ? found : { problem: `${config.command}: ${describeErrno(found.errno)}` };
}

export function serverNameProblem(name: string): string | undefined {
  if (/^[a-zA-Z0-9_-]+$/.test(name)) return undefined;
  return `invalid server name '${name}': must match pattern ^[a-zA-Z0-9_-]+$`;
}

interface ServerStart extends ServerPlace {
  /** The server's. */
  readonly env: Environment;
  /** With the folders of the repository. */
  readonly fullPath: string | undefined;
}

/** Why a server is not started where it would be: something there would run in its place. */
export function* serverPlaceProblem(
  name: string,
  { config, cwd, isCwdOfCall, env, fullPath }: ServerStart,
): Steps<string | undefined> {
  const { command, args } = config;
  // A folder of the configuration is a decision of the user, unless a call decides where it is.
  if (config.cwd !== undefined && (path.isAbsolute(config.cwd) || !isCwdOfCall)) return undefined;
  const place = { cwd: startFolder({ config, cwd }), env };
  const found =
    (yield* foundInstead({ command, args, ...place, isCwdOfCall })) ?? onlyInRepository(command, place, fullPath);
  if (found === undefined) return undefined;
  return `${found} of the working directory in the place of the server, outside the sandbox: write the absolute path of the server's program as its command, or set mcp_servers.${name}.cwd to the folder that it shall start in`;
}

/** What PATH would find, although it was left out for the server. */
function onlyInRepository(
  command: string,
  { cwd, env }: { readonly cwd: string; readonly env: Environment },
  fullPath: string | undefined,
): string | undefined {
  if (command.includes("/") || fullPath === undefined || "program" in findProgram(command, { cwd, env }))
    return undefined;
  const found = findProgram(command, { cwd, env: { ...env, PATH: fullPath } });
  return "program" in found ? `${command} would run ${JSON.stringify(found.program)}` : undefined;
}

export function startFolder({ config, cwd }: Pick<ServerPlace, "config" | "cwd">): string {
  return config.cwd === undefined ? cwd : path.resolve(cwd, config.cwd);
}
