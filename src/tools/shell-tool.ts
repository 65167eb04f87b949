import path from "node:path";
import * as z from "zod/mini";
import { childEnvironment } from "../process/child-env.ts";
import { looksDenied } from "../process/is-sandbox-denial.ts";
import { type CommandOutcome, type CommandRequest, runCommand } from "../process/run-command.ts";
import { SandboxSetupError } from "../process/sandbox-error.ts";
import { durationFromMs } from "../protocol/event.ts";
import { hasNetworkAccess } from "../protocol/policy.ts";
import { assessCommand } from "../safety/assess-command.ts";
import { parseCommandSummary } from "../safety/parsed-command.ts";
import { recognizePatch } from "../safety/patch-command.ts";
import { isTrustedCommand } from "../safety/trusted-commands.ts";
import { applyPatch } from "./apply-patch-tool.ts";
import { parseArguments } from "./parse-arguments.ts";
import { patchFunctions, withPatchProgram } from "./patch-program.ts";
import { failure, rejection, type ToolContext, type ToolOutput } from "./tool.ts";
import { commandAnswer, truncateMiddle } from "./tool-output.ts";

export const defaultTimeoutMs = 10_000;
/** What a shell exits with after `timeout` ended its command. */
const timedOutExitCode = 124;

const Milliseconds = z.nullish(z.int().check(z.nonnegative()));

/** `timeout` is the spelling of the reference up to 0.23. */
const ShellArguments = z.object({
  command: z.array(z.string()),
  workdir: z.nullish(z.string()),
  timeout_ms: Milliseconds,
  timeout: Milliseconds,
  with_escalated_permissions: z.nullish(z.boolean()),
  justification: z.nullish(z.string()),
});

export interface ShellCall {
  readonly command: readonly string[];
  readonly workdir: string | undefined;
  readonly timeoutMs: number;
  readonly isEscalated: boolean;
  readonly justification: string | undefined;
}

export async function runShellTool(argumentsText: string, context: ToolContext): Promise<ToolOutput> {
  const parsed = parseArguments(argumentsText, ShellArguments);
  if (!parsed.ok) return failure(parsed.problem);
  const { command, workdir, timeout_ms, timeout, with_escalated_permissions, justification } = parsed.value;
  if (timeout_ms != null && timeout != null) {
    return failure("failed to parse function arguments: duplicate field `timeout_ms`");
  }
  return runShell(
    {
      command,
      workdir: workdir ?? undefined,
      timeoutMs: timeout_ms ?? timeout ?? defaultTimeoutMs,
      isEscalated: with_escalated_permissions ?? false,
      justification: justification ?? undefined,
    },
    context,
  );
}

/** A command of the model, from its approval to its answer. */
export async function runShell(call: ShellCall, context: ToolContext): Promise<ToolOutput> {
  const { settings, approvedCommands } = context;
  const { command } = call;
  const cwd = call.workdir === undefined ? settings.cwd : path.resolve(settings.cwd, call.workdir);
  const patch = recognizePatch(command);
  if (patch.type === "patch") {
    return applyPatch({ patch: patch.patch, cwd: patch.cd === undefined ? cwd : path.resolve(cwd, patch.cd) }, context);
  }

  const { approvalPolicy, sandboxPolicy } = settings;
  const approved = { command, cwd, approvalPolicy, sandboxPolicy };
  const verdict = assessCommand({
    approvalPolicy,
    sandboxPolicy,
    isTrusted: isTrustedCommand(command),
    isApprovedForSession: approvedCommands.has(approved),
    withEscalatedPermissions: call.isEscalated,
    justification: call.justification,
    isSandboxAvailable: true, // without one the session would not have started
  });
  const attempt = (sandboxed: boolean) =>
    runAttempt({ call, cwd, sandboxed, parsed: parseCommandSummary(command) }, context);
  /** Undefined: it may run. */
  const ask = async (reason: string | undefined): Promise<ToolOutput | undefined> => {
    const answer = await context.ask({
      type: "exec_approval_request",
      call_id: context.callId,
      command,
      cwd,
      ...(reason === undefined ? {} : { reason }),
    });
    if (answer.decision === "approved_for_session") approvedCommands.add(approved);
    const isApproved = answer.decision === "approved" || answer.decision === "approved_for_session";
    return isApproved ? undefined : rejection("exec command", answer);
  };

  switch (verdict.verdict) {
    case "reject":
      return failure(verdict.reason);
    case "ask":
      return (await ask(verdict.reason)) ?? describeOutcome(await attempt(false), call);
    case "run": {
      const outcome = await attempt(verdict.sandboxed);
      if (!verdict.sandboxed || settings.approvalPolicy !== "on-failure" || !looksDenied(outcome)) {
        return describeOutcome(outcome, call);
      }
      context.emit({ type: "background_event", message: "Execution failed: the sandbox denied it" });
      const refusal = await ask("command failed; retry without sandbox?");
      if (refusal !== undefined) return refusal;
      context.emit({ type: "background_event", message: "retrying command without sandbox" });
      return describeOutcome(await attempt(false), call);
    }
    default:
      return verdict satisfies never;
  }
}

interface Attempt {
  readonly call: ShellCall;
  readonly cwd: string;
  readonly sandboxed: boolean;
  readonly parsed: ReturnType<typeof parseCommandSummary>;
}

async function runAttempt({ call, cwd, sandboxed, parsed }: Attempt, context: ToolContext): Promise<CommandOutcome> {
  const { command } = call;
  const { callId, config, settings, emit, signal } = context;
  const policy = sandboxed ? settings.sandboxPolicy : ({ mode: "danger-full-access" } as const);
  const sandbox = context.sandbox(policy);
  const env = {
    ...childEnvironment(config.shellEnvironmentPolicy, withPatchProgram(config.env), {
      networkDisabled: !hasNetworkAccess(policy),
      credentials: config.credentialVariables,
    }),
    ...patchFunctions(command),
  };
  emit({ type: "exec_command_begin", call_id: callId, command, cwd, parsed_cmd: parsed });
  const outcome = await runCommandOrSay({
    argv: command,
    cwd,
    env,
    timeoutMs: call.timeoutMs,
    signal,
    sandbox,
    onOutput: (stream, chunk) => {
      emit({ type: "exec_command_output_delta", call_id: callId, stream, chunk: chunk.toString("base64") });
      return context.pressure();
    },
  });
  if (signal.aborted) return outcome; // the interrupt is the end of this call
  emit({ type: "exec_command_end", call_id: callId, ...endFields(outcome) });
  sandbox.warmUp(); // one command is seldom the last
  return outcome;
}

/** A sandbox that could not be set up is no failure of the command: it did not start, and the model is told why. */
async function runCommandOrSay(request: CommandRequest): Promise<CommandOutcome> {
  try {
    return await runCommand(request);
  } catch (error) {
    if (error instanceof SandboxSetupError) return { kind: "not_started", message: error.message };
    throw error;
  }
}

function endFields(outcome: CommandOutcome) {
  if (outcome.kind === "not_started") {
    const { message } = outcome;
    return {
      stdout: "",
      stderr: message,
      aggregated_output: message,
      exit_code: -1,
      duration: durationFromMs(0),
      formatted_output: message,
    };
  }
  return {
    stdout: outcome.stdout,
    stderr: outcome.stderr,
    aggregated_output: outcome.aggregatedOutput,
    exit_code: outcome.timedOut ? timedOutExitCode : outcome.exitCode,
    duration: durationFromMs(outcome.durationMs),
    formatted_output: truncateMiddle(outcome.aggregatedOutput),
  };
}

/** What the model is told. A command that fails is a result like any other. */
function describeOutcome(outcome: CommandOutcome, call: ShellCall): ToolOutput {
  if (outcome.kind === "not_started") return failure(`execution error: ${outcome.message}`);
  if (outcome.timedOut) {
    const note = `command timed out after ${call.timeoutMs} milliseconds`;
    const output = outcome.aggregatedOutput === "" ? note : `${note}\n${outcome.aggregatedOutput}`;
    return failure(commandAnswer(output, timedOutExitCode, outcome.durationMs));
  }
  const text = commandAnswer(outcome.aggregatedOutput, outcome.exitCode, outcome.durationMs);
  return { text, isSuccess: outcome.exitCode === 0 };
}
