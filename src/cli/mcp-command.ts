import { loadConfig } from "../config/load-config.ts";
import { UserError } from "../lib/errors.ts";
import { startLog } from "../lib/log.ts";
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
    return config;
  } catch (cause) {
    if (!(cause instanceof UserError)) throw cause;
    const isOverride = cause.message.startsWith("Error parsing -c");
    const message = isOverride ? cause.message.replace("Error", "error") : `error loading config: ${cause.message}`;
    throw new UserError(message, { cause });
  }
}
