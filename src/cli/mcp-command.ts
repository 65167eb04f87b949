import type { Config } from "../config/config.ts";
import { findUnknownKeys, loadConfig } from "../config/load-config.ts";
import { UserError } from "../lib/errors.ts";
import { startLog } from "../lib/log.ts";
import { isInside } from "../lib/path-inside.ts";
import { canonicalPath } from "../process/canonical-path.ts";
import { isLooserSandbox } from "../protocol/policy.ts";
import { version } from "../version.ts";
import { currentFolder } from "./current-folder.ts";
import { McpSession } from "./mcp-session.ts";
import { ProcessOutput } from "./process-output.ts";

/** The command line of `mcp`, checked by commander. */
export interface McpOptions {
  readonly overrides: readonly string[];
}

/** Bytes of the log that are kept for a client that does not read it; what comes then is lost. */
const maxUnreadLog = 1024 * 1024;

/** Serves MCP on stdin and stdout, until one of the two ends. */
export async function mcpCommand({ overrides }: McpOptions): Promise<number> {
  const { env } = process;
  const processCwd = currentFolder();
  const config = readConfig({ overrides, env, processCwd });
  const output = new ProcessOutput();
  startLog(config.env, "warn", (text) => {
    if (process.stderr.writableLength < maxUnreadLog) output.stderr(text);
  });
  const session = new McpSession({ config, overrides, env, processCwd, version, output });
  const status = await session.serve(process.stdin);
  if (output.problem === undefined) return status;
  output.stderr(`Error: Cannot write to stdout: ${output.problem}\n`);
  return 1;
}

/** A command could change the configuration of the next call, and so undo every pin. */
function homeProblem({ mcp, sandboxPolicy, workspaceWrite, codexHome, cwd }: Config): string | undefined {
  const limit = mcp.locked.includes("sandbox") ? sandboxPolicy.mode : mcp.maxSandbox;
  const isPinned = mcp.locked.length > 0 || mcp.maxSandbox !== "danger-full-access";
  if (!isPinned || limit === "read-only") return undefined;
  const home = canonicalPath(codexHome);
  const place = [cwd, ...workspaceWrite.writable_roots].map(canonicalPath).find((folder) => isInside(home, folder));
  if (place === undefined) return undefined;
  return `commands may write "${place}", which holds the configuration "${home}" with its pins: start the server in another folder, or set mcp.max_sandbox = "read-only"`;
}

/** Nothing would be pinned, and nobody would notice. */
function misspeltPin(unknown: readonly string[]): string | undefined {
  const key = unknown.find((name) => /^mcp\b/.test(name) || /^(?:max_?sandbox|locked?)$/i.test(name));
  return key && `unknown key ${key}: docs/mcp.md lists the keys of the table mcp`;
}

/** In the words of the reference, for clients that show what stderr says of a server that did not start. */
function readConfig({
  overrides,
  ...sources
}: Pick<Parameters<typeof loadConfig>[0], "env" | "processCwd"> & McpOptions) {
  try {
    const config = loadConfig({ flags: { overrides }, ...sources });
    const { mode } = config.sandboxPolicy;
    const { maxSandbox } = config.mcp;
    if (isLooserSandbox(mode, maxSandbox)) {
      throw new UserError(
        `sandbox_mode is ${mode} and mcp.max_sandbox allows ${maxSandbox} at most: change one of them`,
      );
    }
    const problem = homeProblem(config) ?? misspeltPin(findUnknownKeys(config.codexHome, { overrides }));
    if (problem !== undefined) throw new UserError(problem);
    return config;
  } catch (cause) {
    if (!(cause instanceof UserError)) throw cause;
    const isOverride = cause.message.startsWith("Error parsing -c");
    const message = isOverride ? cause.message.replace("Error", "error") : `error loading config: ${cause.message}`;
    throw new UserError(message, { cause });
  }
}
