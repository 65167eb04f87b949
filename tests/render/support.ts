import type { Event, EventMsg, TokenUsage, TokenUsageInfo } from "../../src/protocol/event.ts";
import type { Output, Renderer, RunOutcome, RunSummary, ShownConfig } from "../../src/render/renderer.ts";

/** Keeps what a renderer writes, per stream and as a terminal would mix it. */
export class CapturedOutput implements Output {
  out = "";
  err = "";
  screen = "";
  writes = 0;
  readonly isStdoutTerminal: boolean;
  readonly isStderrTerminal: boolean;
  readonly hasColour: boolean;

  constructor({
    terminals = "",
    hasColour = false,
  }: { terminals?: "" | "stdout" | "stderr" | "both"; hasColour?: boolean } = {}) {
    this.isStdoutTerminal = terminals === "stdout" || terminals === "both";
    this.isStderrTerminal = terminals === "stderr" || terminals === "both";
    this.hasColour = hasColour;
  }

  stdout(text: string): void {
    this.out += text;
    this.#note(text);
  }

  stderr(text: string): void {
    this.err += text;
    this.#note(text);
  }

  #note(text: string): void {
    this.screen += text;
    this.writes++;
  }
}

export const completed: RunOutcome = { exitCode: 0, lastAgentMessage: "All done.", reason: "completed" };

export function play(renderer: Renderer, msgs: readonly EventMsg[], outcome = completed): void {
  renderer.start(runSummary());
  for (const event of asEvents(msgs)) renderer.show(event);
  renderer.finish(outcome);
}

export function asEvents(msgs: readonly EventMsg[]): readonly Event[] {
  return msgs.map((msg) => ({ id: "0", msg }));
}

export function runSummary(config: Partial<ShownConfig> = {}): RunSummary {
  return {
    config: { ...baseConfig, ...config },
    prompt: "do it",
    sessionId: "01a1fd4b-49d0-4491-88eb-a0644606c6fd",
    version: "0.34.0",
    sandboxText: "workspace-write [workdir, /tmp, $TMPDIR]",
  };
}

/** The n-th of equal responses: 100 tokens in, 10 of them cached, 20 out. */
export function tokenCount(responses: number): EventMsg {
  const info: TokenUsageInfo = {
    total_token_usage: usage(responses),
    last_token_usage: usage(1),
    model_context_window: null,
  };
  return { type: "token_count", info };
}

export function command(callId: string, argv: readonly string[]): EventMsg {
  return { type: "exec_command_begin", call_id: callId, command: argv, cwd: "/ws", parsed_cmd: [] };
}

export function commandEnd(callId: string, { exitCode = 0, output = "", ms = 6 } = {}): EventMsg {
  return {
    type: "exec_command_end",
    call_id: callId,
    stdout: output,
    stderr: "",
    aggregated_output: output,
    exit_code: exitCode,
    duration: { secs: Math.floor(ms / 1000), nanos: (ms % 1000) * 1e6 },
    formatted_output: output,
  };
}

function usage(responses: number): TokenUsage {
  return {
    input_tokens: 100 * responses,
    cached_input_tokens: 10 * responses,
    output_tokens: 20 * responses,
    reasoning_output_tokens: 5 * responses,
    total_tokens: 120 * responses,
  };
}

const baseConfig: ShownConfig = {
  cwd: "/ws",
  model: "mock-model",
  modelFamily: { supportsReasoning: false },
  modelProviderId: "mock",
  modelProvider: { wireApi: "responses" },
  modelReasoningEffort: "medium",
  modelReasoningSummary: "auto",
  approvalPolicy: "never",
  hideAgentReasoning: false,
  showRawAgentReasoning: false,
};
