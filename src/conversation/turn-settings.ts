import type { Config } from "../config/config.ts";
import type { TurnContext } from "../protocol/event.ts";
import type { ReasoningEffort, ReasoningSummary } from "../protocol/policy.ts";
import type { OverrideTurnContextOp, UserTurnOp } from "../protocol/submission.ts";
import type { ToolSettings } from "../tools/tool.ts";

/** What one turn runs with: the session's settings, or those a `user_turn` brought for its task alone. */
export interface TurnSettings extends ToolSettings {
  readonly model: string;
  readonly effort: ReasoningEffort;
  readonly summary: ReasoningSummary;
}

export function initialSettings(config: Config): TurnSettings {
  return {
    cwd: config.cwd,
    approvalPolicy: config.approvalPolicy,
    sandboxPolicy: config.sandboxPolicy,
    model: config.model,
    effort: config.modelReasoningEffort,
    summary: config.modelReasoningSummary,
  };
}

export function settingsOfTurn(op: UserTurnOp, session: TurnSettings): TurnSettings {
  return {
    cwd: op.cwd,
    approvalPolicy: op.approval_policy,
    sandboxPolicy: op.sandbox_policy,
    model: op.model,
    effort: op.effort ?? session.effort,
    summary: op.summary,
  };
}

export function overriddenSettings(op: OverrideTurnContextOp, session: TurnSettings): TurnSettings {
  return {
    cwd: op.cwd ?? session.cwd,
    approvalPolicy: op.approval_policy ?? session.approvalPolicy,
    sandboxPolicy: op.sandbox_policy ?? session.sandboxPolicy,
    model: op.model ?? session.model,
    effort: op.effort ?? session.effort,
    summary: op.summary ?? session.summary,
  };
}

/** As a rollout has them. */
export function turnContext(settings: TurnSettings): TurnContext {
  const { cwd, approvalPolicy, sandboxPolicy, model, effort, summary } = settings;
  return { cwd, approval_policy: approvalPolicy, sandbox_policy: sandboxPolicy, model, effort, summary };
}
