import { messageOf } from "../lib/errors.ts";
import type { ToolCallItem } from "../protocol/response-item.ts";
import { applyPatch, runApplyPatchTool } from "./apply-patch-tool.ts";
import { runMcpTool } from "./mcp-tool.ts";
import { defaultTimeoutMs, runShell, runShellTool } from "./shell-tool.ts";
import { failure, type ToolContext, type ToolOutput } from "./tool.ts";
import { runUpdatePlanTool } from "./update-plan-tool.ts";
import { runViewImageTool } from "./view-image-tool.ts";

/** Executes one call of the model. Never throws: what went wrong is the answer, because every call must have one. */
export async function runToolCall(item: ToolCallItem, context: ToolContext): Promise<ToolOutput> {
  try {
    return await dispatch(item, context);
  } catch (error) {
    return failure(`execution error: ${messageOf(error)}`);
  }
}

function dispatch(item: ToolCallItem, context: ToolContext): Promise<ToolOutput> | ToolOutput {
  switch (item.type) {
    case "local_shell_call":
      return runShell(
        {
          command: item.action.command,
          workdir: item.action.working_directory ?? undefined,
          timeoutMs: item.action.timeout_ms ?? defaultTimeoutMs,
          isEscalated: false,
          justification: undefined,
        },
        context,
      );
    case "custom_tool_call":
      if (item.name === "apply_patch") return applyPatch({ patch: item.input, cwd: context.settings.cwd }, context);
      return failure(`unsupported custom tool call: ${item.name}`);
    case "function_call":
      return runFunction(item.name, item.arguments, context);
    default:
      return item satisfies never;
  }
}

function runFunction(name: string, argumentsText: string, context: ToolContext): Promise<ToolOutput> | ToolOutput {
  switch (name) {
    case "shell":
    case "container.exec": // what some models were trained to call it
      return runShellTool(argumentsText, context);
    case "apply_patch":
      return runApplyPatchTool(argumentsText, context);
    case "update_plan":
      return runUpdatePlanTool(argumentsText, context);
    case "view_image":
      return runViewImageTool(argumentsText, context);
    default: {
      const serverTool = context.serverTool(name);
      if (serverTool !== undefined) return runMcpTool(serverTool, argumentsText, context);
      return failure(`unsupported call: ${name}`);
    }
  }
}
