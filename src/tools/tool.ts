import type { Config } from "../config/config.ts";
import type { ServerTool } from "../mcp-client/connections.ts";
import type { TurnDiff } from "../patch/turn-diff.ts";
import type { Sandbox } from "../process/sandbox.ts";
import type { ApplyPatchApprovalRequest, EventMsg, ExecApprovalRequest } from "../protocol/event.ts";
import type { ApprovalPolicy, ReviewDecision, SandboxPolicy } from "../protocol/policy.ts";
import type { MessageItem } from "../protocol/response-item.ts";
import type { ApprovedCommands } from "./approved-commands.ts";

/** What the model is told about a call; a failure it should know is a value, never an exception. */
export interface ToolOutput {
  readonly text: string;
  readonly isSuccess: boolean;
}

export function failure(text: string): ToolOutput {
  return { text, isSuccess: false };
}

/** What a person decided, or somebody in their place, who says why. */
export interface ApprovalAnswer {
  readonly decision: ReviewDecision;
  readonly reason?: string;
}

/** What the model is told of a command or patch that was not allowed. */
export function rejection(what: "exec command" | "patch", { reason }: ApprovalAnswer): ToolOutput {
  return failure(`${what} rejected by user${reason === undefined ? "" : `: ${reason}`}`);
}

/** The settings a tool call runs under: the session's, or those of the turn that overrode them. */
export interface ToolSettings {
  readonly cwd: string;
  readonly approvalPolicy: ApprovalPolicy;
  readonly sandboxPolicy: SandboxPolicy;
}

/** What a tool may do to the conversation that called it. */
export interface ToolContext {
  readonly callId: string;
  readonly config: Config;
  readonly settings: ToolSettings;
  readonly signal: AbortSignal;
  /** What this task's patches changed so far; made by the first of them, so that a start does not load it. */
  turnDiff(create: (root: string) => TurnDiff): TurnDiff;
  readonly approvedCommands: ApprovedCommands;
  emit(msg: EventMsg): void;
  /** A promise while a reader of the events is far behind; whoever emits many waits for it. */
  pressure(): Promise<unknown> | undefined;
  /** Ends with the person's answer, or "abort" when the task is interrupted while the question is open. */
  ask(request: ExecApprovalRequest | ApplyPatchApprovalRequest): Promise<ApprovalAnswer>;
  /** The sandbox of `policy` in the settings' directory, prepared once. */
  sandbox(policy: SandboxPolicy): Sandbox;
  /** The tool of a configured server that the model knows by this name. */
  serverTool(name: string): ServerTool | undefined;
  /** Puts a message behind this call's output in the next request. */
  addInput(item: MessageItem): void;
}
