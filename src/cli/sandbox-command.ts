import { existsSync, writeSync } from "node:fs";
import { constants } from "node:os";
import path from "node:path";
import { programFile } from "../assets.ts";
import type { Config } from "../config/config.ts";
import { loadConfig } from "../config/load-config.ts";
import { UserError } from "../lib/errors.ts";
import { startLog } from "../lib/log.ts";
import { childEnvironment } from "../process/child-env.ts";
import { runInForeground } from "../process/foreground-command.ts";
import { prepareSandbox } from "../process/sandbox.ts";
import { describeErrno } from "../process/system-error.ts";
import { hasNetworkAccess, type SandboxMode, type SandboxPolicy } from "../protocol/policy.ts";
import { showLine } from "../render/printable.ts";
import { currentFolder } from "./current-folder.ts";

/** The command line of `sandbox`, checked by commander. */
export interface SandboxOptions {
  readonly overrides: readonly string[];
  readonly mode?: SandboxMode;
  /** Relative to this process, not to -C. */
  readonly addedFolders: readonly string[];
  readonly network: boolean;
  readonly cwd?: string;
}

/** What a shell says of a command it cannot run. */
const notFoundStatus = 127;
const notExecutableStatus = 126;

/** One command under a policy, in the place of this process: on Linux only a failure comes back from here. */
export async function sandboxCommand(argv: readonly string[], options: SandboxOptions): Promise<number> {
  const config = loadPolicy(options);
  // Not by way of `process.stderr`, which would change the flags of a stream that the command inherits.
  const say = (text: string) => {
    try {
      writeSync(2, text);
    } catch {
      // a warning that nobody reads is no reason to stop
    }
  };
  startLog(process.env, "error", say);
  const policy = widen(config.sandboxPolicy, options);
  const { cwd, codexHome, linuxSandbox } = config;
  const sandbox = prepareSandbox(policy, {
    cwd,
    env: process.env,
    codexHome,
    linuxSandbox,
    helperPath: programFile("sandbox-helper.cjs"),
  });
  for (const warning of [...config.warnings, ...sandbox.warnings]) say(`Warning: ${showLine(warning)}\n`);

  const env = childEnvironment(everything, process.env, {
    networkDisabled: !hasNetworkAccess(policy),
    credentials: config.credentialVariables,
  });
  process.chdir(cwd);
  const end = await runInForeground({ argv, env }, sandbox);
  if (end.kind === "exited") return end.exitCode;
  const { ENOENT, ENOTDIR } = constants.errno;
  const exitCode = end.errno === ENOENT || end.errno === ENOTDIR ? notFoundStatus : notExecutableStatus;
  throw new UserError(`Cannot run "${argv[0]}": ${describeErrno(end.errno)}`, { exitCode });
}

const everything = { inherit: "all", ignoreDefaultExcludes: true, exclude: [], set: {}, includeOnly: [] } as const;

/** Where more is asked for than read-only can have, and nothing is said of the mode, workspace-write is meant. */
function loadPolicy({ mode, overrides, addedFolders, network, cwd }: SandboxOptions): Config {
  const load = (sandboxMode: SandboxMode | undefined) =>
    loadConfig({
      flags: {
        overrides,
        ...(cwd === undefined ? {} : { cwd }),
        ...(sandboxMode === undefined ? {} : { sandboxMode }),
      },
      env: process.env,
      processCwd: currentFolder(),
    });
  const config = load(mode);
  const wantsMore = network || addedFolders.length > 0;
  return wantsMore && config.sandboxPolicy.mode === "read-only" ? load("workspace-write") : config;
}

function widen(policy: SandboxPolicy, { addedFolders, network }: SandboxOptions): SandboxPolicy {
  if (policy.mode !== "workspace-write") return policy;
  const added = addedFolders.map((folder) => {
    if (!existsSync(folder)) throw new UserError(`No such directory: "${folder}"`);
    return path.resolve(folder);
  });
  return {
    ...policy,
    writable_roots: [...policy.writable_roots, ...added],
    network_access: policy.network_access || network,
  };
}
