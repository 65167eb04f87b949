import type { ChalkInstance } from "chalk";
import type {
  EventMsg,
  ExecCommandEnd,
  McpInvocation,
  McpToolCallEnd,
  PatchApplyBegin,
  PatchApplyEnd,
  PlanItem,
  PlanUpdate,
} from "../protocol/event.ts";
import { excerpt, firstLine } from "./excerpt.ts";
import { formatNumber } from "./format-count.ts";
import { durationInMs, formatDuration } from "./format-duration.ts";
import { diffText, patchText } from "./patch-text.ts";
import { showControls, showLine, stripControls } from "./printable.ts";
import type { RunSummary } from "./renderer.ts";
import { runSettings } from "./run-settings.ts";
import { blendedTotal } from "./run-tally.ts";
import { shellText } from "./shell-text.ts";

/** A line that gets a time stamp, and the lines below it. */
export interface LogBlock {
  readonly title: string;
  readonly body?: string;
}

/** Words and colours of the log; remembers of a call's beginning what its end does not repeat. */
export class LogBlocks {
  readonly #paint: ChalkInstance;
  readonly #now: () => number;
  readonly #commands = new Map<string, string>();
  readonly #patches = new Map<string, { readonly autoApproved: boolean; readonly startedAt: number }>();

  constructor(paint: ChalkInstance, now: () => number) {
    this.#paint = paint;
    this.#now = now;
  }

  /** The settings, then the prompt. */
  head(run: RunSummary): readonly [LogBlock, LogBlock] {
    const rule = "--------\n";
    const settings = Object.entries(runSettings(run))
      .map(([name, value]) => `${this.#paint.bold(`${name}:`)} ${showLine(value)}\n`)
      .join("");
    return [
      { title: `OpenAI Codex v${run.version} (research preview)`, body: rule + settings + rule },
      { title: this.#paint.cyan.bold("User instructions:"), body: stripControls(run.prompt) },
    ];
  }

  /** Undefined for events that show nothing, and for the model's texts, which come in pieces. */
  of(msg: EventMsg): LogBlock | undefined {
    switch (msg.type) {
      case "exec_command_begin": {
        const command = showControls(shellText(msg.command));
        this.#commands.set(msg.call_id, command);
        return { title: `${this.#paint.magenta("exec")} ${this.#paint.bold(command)} in ${showLine(msg.cwd)}` };
      }
      case "exec_command_end":
        return this.#commandEnd(msg);
      case "patch_apply_begin":
        return this.#patch(msg);
      case "patch_apply_end":
        return this.#patchEnd(msg);
      case "turn_diff":
        return { title: this.#paint.magenta("turn diff:"), body: `${diffText(msg.unified_diff, this.#paint)}\n` };
      case "mcp_tool_call_begin":
        return { title: `${this.#paint.magenta("tool")} ${this.#paint.bold(invocationText(msg.invocation))}` };
      case "mcp_tool_call_end":
        return this.#toolCallEnd(msg);
      case "web_search_end":
        return { title: `🌐 Searched: ${stripControls(msg.query)}` };
      case "plan_update":
        return planBlock(msg);
      case "token_count":
        if (msg.info === null) return undefined;
        return { title: `tokens used: ${formatNumber(blendedTotal(msg.info.total_token_usage))}` };
      case "error":
        return {
          title: `${this.#paint.red("ERROR:")} ${showControls(msg.message)}`,
          ...(msg.detail === undefined ? {} : { body: this.#paint.dim(showControls(msg.detail)) }),
        };
      case "stream_error":
      case "background_event":
        return { title: this.#paint.dim(showControls(msg.message)) };
      case "turn_aborted":
        return { title: "task interrupted" };
      case "session_configured":
      case "task_started":
      case "task_complete":
      case "shutdown_complete":
      case "agent_message":
      case "agent_message_delta":
      case "agent_reasoning":
      case "agent_reasoning_delta":
      case "agent_reasoning_raw_content":
      case "agent_reasoning_raw_content_delta":
      case "agent_reasoning_section_break":
      case "user_message":
      case "exec_command_output_delta":
      case "exec_approval_request":
      case "apply_patch_approval_request":
      case "web_search_begin":
      case "conversation_history":
      case "get_history_entry_response":
      case "mcp_list_tools_response":
      case "list_custom_prompts_response":
        return undefined;
      default:
        return msg satisfies never;
    }
  }

  #commandEnd({ call_id, exit_code, duration, aggregated_output }: ExecCommandEnd): LogBlock {
    const command = firstLine(this.#commands.get(call_id) ?? "command");
    this.#commands.delete(call_id);
    const verdict = exit_code === 0 ? "succeeded" : `exited ${exit_code}`;
    const paint = exit_code === 0 ? this.#paint.green : this.#paint.red;
    const title = `${paint.bold(command)} ${verdict} in ${formatDuration(durationInMs(duration))}:`;
    return { title, body: this.#paint.dim(excerpt(aggregated_output)) };
  }

  #patch({ call_id, auto_approved: autoApproved, changes }: PatchApplyBegin): LogBlock {
    this.#patches.set(call_id, { autoApproved, startedAt: this.#now() });
    const title = `${this.#paint.magenta("apply_patch")} auto_approved=${autoApproved}:`;
    return { title, body: patchText(changes, this.#paint) };
  }

  #patchEnd({ call_id, success, stdout, stderr }: PatchApplyEnd): LogBlock {
    const { autoApproved, startedAt } = this.#patches.get(call_id) ?? { autoApproved: true, startedAt: this.#now() };
    this.#patches.delete(call_id);
    const verdict = `exited ${success ? 0 : 1} in ${formatDuration(this.#now() - startedAt)}`;
    const paint = success ? this.#paint.green : this.#paint.red;
    const title = paint(`apply_patch(auto_approved=${autoApproved}) ${verdict}:`);
    return { title, body: this.#paint.dim(excerpt(success ? stdout : stderr)) };
  }

  #toolCallEnd({ invocation, duration, result }: McpToolCallEnd): LogBlock {
    const isSuccess = "Ok" in result && result.Ok.isError !== true;
    const paint = isSuccess ? this.#paint.green : this.#paint.red;
    const verdict = `${isSuccess ? "success" : "failed"} in ${formatDuration(durationInMs(duration))}`;
    const body = "Ok" in result ? JSON.stringify(result.Ok, null, 2) : result.Err;
    return {
      title: paint(`${firstLine(invocationText(invocation))} ${verdict}:`),
      body: this.#paint.dim(excerpt(body)),
    };
  }
}

const planMarks: Readonly<Record<PlanItem["status"], string>> = { completed: "✔", in_progress: "→", pending: "•" };

function planBlock({ explanation, plan }: PlanUpdate): LogBlock {
  const title = explanation === null || explanation === "" ? "plan:" : `plan: ${explanation}`;
  const steps = plan.map(({ step, status }) => `${planMarks[status]} ${step}\n`).join("");
  return { title: stripControls(title), body: stripControls(steps) };
}

function invocationText({ server, tool, arguments: args }: McpInvocation): string {
  const text = args === null || args === undefined ? "" : JSON.stringify(args);
  return showControls(`${server}.${tool}(${text})`);
}
