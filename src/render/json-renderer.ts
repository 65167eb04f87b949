import type { Event, EventMsg } from "../protocol/event.ts";
import { BufferedOutput } from "./buffered-output.ts";
import type { PromptLine, SettingsLine } from "./json-line-schema.ts";
import type { Output, Renderer, RunSummary } from "./renderer.ts";
import { runSettings } from "./run-settings.ts";

/** Events that `exec --json` has always kept to itself. */
export const unprinted: ReadonlySet<EventMsg["type"]> = new Set<EventMsg["type"]>([
  "agent_message_delta",
  "agent_reasoning_delta",
  "session_configured",
  "task_complete",
  "shutdown_complete",
]);

/** `--json`: the run's settings, its prompt, then one event a line. */
export class JsonRenderer implements Renderer {
  readonly #output: BufferedOutput;

  constructor(output: Output) {
    this.#output = new BufferedOutput(output);
  }

  start(run: RunSummary): void {
    this.#line(runSettings(run));
    this.#line({ prompt: run.prompt });
  }

  show(event: Event): void {
    if (!unprinted.has(event.msg.type)) this.#line(event);
  }

  finish(): void {
    this.#output.flush();
  }

  #line(value: SettingsLine | PromptLine | Event): void {
    this.#output.write("stdout", `${JSON.stringify(value)}\n`);
  }
}
