import type { Config } from "../config/config.ts";
import type { Event } from "../protocol/event.ts";

/** Turns the events of one run into text. */
export interface Renderer {
  /** Before the first event: the run's settings and its prompt. */
  start(run: RunSummary): void;
  show(event: Event): void;
  /** After the last event; writes what is still held back. */
  finish(outcome: RunOutcome): void;
}

export interface RunSummary {
  readonly config: ShownConfig;
  readonly prompt: string;
  readonly sessionId: string;
  readonly version: string;
  readonly sandboxText: string;
}

/** What a renderer reads of the settings. */
export type ShownConfig = Pick<
  Config,
  | "cwd"
  | "model"
  | "modelProviderId"
  | "modelReasoningEffort"
  | "modelReasoningSummary"
  | "approvalPolicy"
  | "hideAgentReasoning"
  | "showRawAgentReasoning"
> & {
  readonly modelFamily: Pick<Config["modelFamily"], "supportsReasoning">;
  readonly modelProvider: Pick<Config["modelProvider"], "wireApi">;
};

export interface RunOutcome {
  readonly exitCode: number;
  readonly lastAgentMessage: string | null;
  readonly reason: "completed" | "failed" | "interrupted" | "limit";
}

/** Where a renderer's text goes; the owner deals with closed pipes and slow readers. */
export interface Output {
  stdout(text: string): void;
  stderr(text: string): void;
  readonly isStdoutTerminal: boolean;
  readonly isStderrTerminal: boolean;
  /** Colours may be written to stderr; stdout never gets any. */
  readonly hasColour: boolean;
}
