import type { EventMsg } from "../protocol/event.ts";
import { firstLine } from "./excerpt.ts";
import { showControls } from "./printable.ts";
import { shellText } from "./shell-text.ts";

/** What a run is waiting for from this event on; null for nothing, undefined for no change. */
export function waitText(msg: EventMsg): string | null | undefined {
  switch (msg.type) {
    case "exec_command_begin":
      return `Running ${firstLine(showControls(shellText(msg.command)))}`;
    case "patch_apply_begin":
      return "Applying the patch";
    case "mcp_tool_call_begin":
      return `Calling ${showControls(`${msg.invocation.server}.${msg.invocation.tool}`)}`;
    case "web_search_begin":
      return "Searching the web";
    case "task_started":
    case "agent_message":
    case "agent_reasoning":
    case "exec_command_end":
    case "patch_apply_end":
    case "mcp_tool_call_end":
    case "web_search_end":
    case "plan_update":
    case "token_count":
    case "stream_error":
      return "Waiting for the model";
    case "task_complete":
    case "turn_aborted":
    case "shutdown_complete":
      return null;
    default:
      return undefined;
  }
}
