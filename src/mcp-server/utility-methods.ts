import path from "node:path";
import { messageOf } from "../lib/errors.ts";
import { log } from "../lib/log.ts";
import { childEnvironment } from "../process/child-env.ts";
import { diffToRemote, scratchParentIn } from "../process/git-diff.ts";
import { type CommandOutcome, runCommand } from "../process/run-command.ts";
import type { Sandbox } from "../process/sandbox.ts";
import { hasNetworkAccess, type SandboxPolicy } from "../protocol/policy.ts";
import { allowed, decodeParams } from "./decode.ts";
import type { MethodContext, MethodHandler } from "./direct-methods.ts";
import { ExecParamsSchema, GitDiffParamsSchema } from "./method-schemas.ts";
import { internalError, invalidRequest, RpcFailure } from "./rpc-failure.ts";

const defaultTimeoutMs = 10_000;

export const utilityMethods = {
  gitDiffToRemote: async (call, { state, conversations }) => {
    const { cwd } = decodeParams(call.params, GitDiffParamsSchema);
    const ending = new AbortController();
    call.onCancel(() => ending.abort());
    const signal = AbortSignal.any([ending.signal, conversations.closing]);
    try {
      const { env, codexHome } = state.config;
      const scratchParent = scratchParentIn(codexHome);
      const sandbox = gitSandbox(scratchParent, { state, conversations });
      const folder = path.resolve(state.processCwd, cwd);
      const diff = await diffToRemote(folder, { env, signal, sandbox, scratchParent });
      call.onCancel(undefined);
      await call.replyInSteps(diff);
    } catch (cause) {
      call.onCancel(undefined);
      log("warn", "mcp", `gitDiffToRemote: ${messageOf(cause)}`);
      const place = JSON.stringify(cwd);
      throw new RpcFailure(invalidRequest, `failed to compute git diff to remote for cwd: ${place}`, { cause });
    }
  },

  /** A command outside of any conversation, under the policy of the configuration unless it has one of its own. */
  execOneOffCommand: async (call, { state, conversations }) => {
    const { command, timeoutMs, cwd: givenCwd, sandboxPolicy } = decodeParams(call.params, ExecParamsSchema);
    if (command.length === 0) throw new RpcFailure(invalidRequest, "command must not be empty");
    const { config } = state;
    const cwd = path.resolve(config.cwd, givenCwd ?? "");
    const policy = sandboxPolicy ?? config.sandboxPolicy;
    allowed(() => conversations.limits.checkUnasked(command, { cwd, sandboxPolicy: policy }));
    const ending = new AbortController();
    call.onCancel(() => ending.abort());
    const outcome = await failing(() =>
      runCommand({
        argv: command,
        cwd,
        env: childEnvironment(config.shellEnvironmentPolicy, config.env, {
          networkDisabled: !hasNetworkAccess(policy),
          credentials: config.credentialVariables,
        }),
        timeoutMs: timeoutMs ?? defaultTimeoutMs,
        signal: AbortSignal.any([ending.signal, conversations.closing]),
        sandbox: conversations.sandboxes.get(policy, cwd),
      }),
    );
    call.onCancel(undefined);
    if (outcome.kind === "not_started") throw execFailure(outcome.message);
    if (outcome.timedOut) throw execFailure("sandbox error: command timed out");
    if (outcome.aborted) throw execFailure("interrupted");
    call.reply({ exitCode: outcome.exitCode, stdout: outcome.stdout, stderr: outcome.stderr });
  },
} as const satisfies Readonly<Record<string, MethodHandler>>;

/**
 * Git may write in its scratch folder alone. Where no sandbox can be had, it runs without one only if this server's own
 * commands do so too.
 */
function gitSandbox(scratchParent: string, { state, conversations }: MethodContext): Sandbox {
  const scratchOnly: SandboxPolicy = {
    mode: "workspace-write",
    writable_roots: [],
    network_access: false,
    exclude_tmpdir_env_var: true,
    exclude_slash_tmp: true,
  };
  try {
    return conversations.sandboxes.getForOwn(scratchOnly, scratchParent);
  } catch (error) {
    if (state.config.sandboxPolicy.mode !== "danger-full-access") throw error;
    return conversations.sandboxes.getForOwn({ mode: "danger-full-access" }, scratchParent);
  }
}

async function failing(action: () => Promise<CommandOutcome>): Promise<CommandOutcome> {
  try {
    return await action();
  } catch (cause) {
    throw execFailure(messageOf(cause));
  }
}

function execFailure(detail: string): RpcFailure {
  return new RpcFailure(internalError, `exec failed: ${detail}`);
}
