import { quoteCommand } from "../lib/quote-command.ts";
import type { EventMsg } from "../protocol/event.ts";
import type { IdToken } from "./message.ts";
import type { Outgoing } from "./outgoing.ts";

/** A client that waits for progress must never wait longer than ten seconds: silence is looked for, and broken in time. */
const lookEveryMs = 2_500;
const silenceMs = 4_900;
const longestMessage = 200;

/** `notifications/progress` for one call, so that a host does not give it up while it works. */
export class Progress {
  readonly #outgoing: Outgoing;
  readonly #token: IdToken;
  readonly #timer: NodeJS.Timeout;
  readonly #startedAt = performance.now();
  #count = 0;
  #lastMessage = "starting";
  #lastAt = performance.now();

  constructor(outgoing: Outgoing, token: IdToken) {
    this.#outgoing = outgoing;
    this.#token = token;
    this.#timer = setInterval(() => {
      if (performance.now() - this.#lastAt < silenceMs) return;
      this.#send(`${this.#lastMessage} (${this.#elapsedSeconds()} s)`);
    }, lookEveryMs);
    this.#timer.unref();
  }

  tell(msg: EventMsg): void {
    const message = describe(msg);
    if (message === undefined) return;
    this.#lastMessage = message;
    this.#send(message);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #send(message: string): void {
    this.#count += 1;
    this.#lastAt = performance.now();
    const text = JSON.stringify(message);
    this.#outgoing.notifyJson(
      "notifications/progress",
      `{"progressToken":${this.#token},"progress":${this.#count},"message":${text}}`,
    );
  }

  #elapsedSeconds(): number {
    return Math.round((performance.now() - this.#startedAt) / 1000);
  }
}

/** What an event means to somebody who waits; undefined where it is not worth a word. */
function describe(msg: EventMsg): string | undefined {
  switch (msg.type) {
    case "session_configured":
      return `session ${msg.session_id} started with ${msg.model}`;
    case "task_started":
      return "thinking";
    case "agent_reasoning":
      return line(msg.text.replaceAll("**", ""));
    case "agent_message":
      return line(msg.message);
    case "exec_command_begin":
      return line(`running ${quoteCommand(msg.command)}`);
    case "exec_command_end":
      return `the command exited with ${msg.exit_code}`;
    case "exec_approval_request":
      return line(`waiting for approval of ${quoteCommand(msg.command)}`);
    case "apply_patch_approval_request":
      return line(`waiting for approval of changes to ${Object.keys(msg.changes).join(", ")}`);
    case "patch_apply_begin":
      return line(`changing ${Object.keys(msg.changes).join(", ")}`);
    case "patch_apply_end":
      return msg.success ? "the changes are made" : "the changes could not be made";
    case "plan_update":
      return line(msg.plan.find(({ status }) => status === "in_progress")?.step ?? "the plan has changed");
    case "mcp_tool_call_begin":
      return line(`calling ${msg.invocation.tool} of ${msg.invocation.server}`);
    case "mcp_tool_call_end":
      return line(`${msg.invocation.tool} of ${msg.invocation.server} has answered`);
    case "web_search_begin":
      return "searching the web";
    case "web_search_end":
      return line(`searched the web for ${msg.query}`);
    case "background_event":
    case "stream_error":
    case "error":
      return line(msg.message);
    case "turn_aborted":
      return "interrupted";
    case "task_complete":
      return "done";
    default:
      return undefined;
  }
}

/** The first line that says anything, short enough to be shown. */
function line(text: string): string | undefined {
  const first = text
    .split("\n")
    .find((part) => part.trim() !== "")
    ?.trim();
  return first !== undefined && first.length > longestMessage ? `${first.slice(0, longestMessage - 1)}…` : first;
}
