import type { EventMsg, TokenUsage } from "../protocol/event.ts";
import { formatCount } from "./format-count.ts";

/** Counts what a run did, for its last line. */
export class RunTally {
  readonly #commands = { run: 0, failed: 0 };
  readonly #toolCalls = { run: 0, failed: 0 };
  readonly #patches = { run: 0, failed: 0 };
  readonly #openPatches = new Map<string, readonly string[]>();
  readonly #changedFiles = new Set<string>();
  #tokens = 0;

  add(msg: EventMsg): void {
    switch (msg.type) {
      case "exec_command_end":
        count(this.#commands, msg.exit_code === 0);
        break;
      case "mcp_tool_call_end":
        count(this.#toolCalls, "Ok" in msg.result && msg.result.Ok.isError !== true);
        break;
      case "patch_apply_begin":
        this.#openPatches.set(msg.call_id, Object.keys(msg.changes));
        break;
      case "patch_apply_end":
        if (msg.success) for (const path of this.#openPatches.get(msg.call_id) ?? []) this.#changedFiles.add(path);
        this.#openPatches.delete(msg.call_id);
        count(this.#patches, msg.success);
        break;
      case "token_count":
        if (msg.info !== null) this.#tokens = blendedTotal(msg.info.total_token_usage);
    }
  }

  /** "1,234 tokens, 3 commands (1 failed), 2 files changed"; empty when nothing happened. */
  text(): string {
    const parts: string[] = [];
    if (this.#tokens > 0) parts.push(formatCount(this.#tokens, "token"));
    if (this.#commands.run > 0) parts.push(withFailures("command", this.#commands));
    if (this.#toolCalls.run > 0) parts.push(withFailures("tool call", this.#toolCalls));
    if (this.#patches.failed > 0) parts.push(`${formatCount(this.#patches.failed, "patch", "patches")} failed`);
    if (this.#changedFiles.size > 0) parts.push(`${formatCount(this.#changedFiles.size, "file")} changed`);
    return parts.join(", ");
  }
}

/** What was sent anew and what came back; input from the provider's cache is left out. */
export function blendedTotal(usage: TokenUsage): number {
  return Math.max(0, usage.input_tokens - usage.cached_input_tokens) + usage.output_tokens;
}

interface Calls {
  run: number;
  failed: number;
}

function count(calls: Calls, succeeded: boolean): void {
  calls.run++;
  if (!succeeded) calls.failed++;
}

function withFailures(noun: string, calls: Calls): string {
  return formatCount(calls.run, noun) + (calls.failed > 0 ? ` (${calls.failed} failed)` : "");
}
