import type { Config } from "../config/config.ts";
import type { ModelFamily } from "../config/model-families.ts";
import { hasNetworkAccess } from "../protocol/policy.ts";
import type { FunctionToolDefinition, ToolDefinition } from "../protocol/tool-definition.ts";
import type { ToolSettings } from "./tool.ts";

/** What this turn offers the model, in the reference's order. Every request pays for these texts. */
export function toolDefinitions(
  family: ModelFamily,
  settings: ToolSettings,
  config: Pick<Config, "tools">,
): readonly ToolDefinition[] {
  const tools: ToolDefinition[] = [shellDefinition(family, settings)];
  if (config.tools.plan) tools.push(updatePlanDefinition);
  if (family.applyPatchTool === "freeform") tools.push(applyPatchFreeform);
  else if (family.applyPatchTool === "function" || config.tools.applyPatch) tools.push(applyPatchFunction);
  if (config.tools.webSearch) tools.push({ type: "web_search" });
  if (config.tools.viewImage) tools.push(viewImageDefinition);
  return tools;
}

function shellDefinition(family: ModelFamily, settings: ToolSettings): ToolDefinition {
  if (settings.approvalPolicy !== "on-request") {
    return family.shellTool === "local_shell"
      ? { type: "local_shell" }
      : shell("Runs a command and returns its output.");
  }
  switch (settings.sandboxPolicy.mode) {
    case "danger-full-access":
      return shell("Runs a command and returns its output.");
    case "read-only":
      return shell(
        "Runs a command and returns its output. Commands are sandboxed: they can read everything and write nothing, and reach no network.",
      );
    case "workspace-write": {
      const network = hasNetworkAccess(settings.sandboxPolicy) ? "" : " or needs the network";
      return shell(
        `Runs a command in a sandbox and returns its output. It may write to the working directory and the temporary folders. Set with_escalated_permissions, with a one-sentence justification for the person who decides, only when a command that the task needs writes elsewhere${network}, or failed because of the sandbox.`,
        {
          with_escalated_permissions: { type: "boolean", description: "Ask to run outside the sandbox" },
          justification: { type: "string", description: "Why; one sentence, with with_escalated_permissions only" },
        },
      );
    }
    default:
      return settings.sandboxPolicy satisfies never;
  }
}

function shell(description: string, extra: Readonly<Record<string, unknown>> = {}): FunctionToolDefinition {
  return functionTool("shell", description, {
    properties: {
      command: { type: "array", items: { type: "string" }, description: "The program and its arguments" },
      workdir: { type: "string", description: "Directory to run in" },
      timeout_ms: { type: "number", description: "Time limit in milliseconds; default 10000" },
      ...extra,
    },
    required: ["command"],
  });
}

const updatePlanDefinition = functionTool("update_plan", "Shows the person your plan and how far you are.", {
  properties: {
    explanation: { type: "string", description: "Why the plan changed" },
    plan: {
      type: "array",
      items: {
        type: "object",
        properties: {
          step: { type: "string" },
          status: { type: "string", enum: ["pending", "in_progress", "completed"] },
        },
        required: ["step", "status"],
        additionalProperties: false,
      },
    },
  },
  required: ["plan"],
});

const applyPatchFunction = functionTool(
  "apply_patch",
  "Edits files. input starts with *** Begin Patch and ends with *** End Patch; in between stand sections *** Add File: PATH (every line with +), *** Delete File: PATH and *** Update File: PATH (optionally *** Move to: PATH on the next line) with chunks: an @@ line, optionally with the enclosing function's line, then unchanged lines with a blank, removed with -, added with + in front; about three unchanged lines around a change. Paths are relative to the working directory.",
  {
    properties: { input: { type: "string", description: "The whole patch" } },
    required: ["input"],
  },
);

const applyPatchFreeform: ToolDefinition = {
  type: "custom",
  name: "apply_patch",
  description: "Edits files with a patch. The input is the patch itself, not JSON.",
  format: {
    type: "grammar",
    syntax: "lark",
    definition: `start: "*** Begin Patch" LF hunk+ "*** End Patch" LF?
hunk: add | delete | update
add: "*** Add File: " path LF ("+" /(.*)/ LF)*
delete: "*** Delete File: " path LF
update: "*** Update File: " path LF ("*** Move to: " path LF)? chunk+
chunk: ("@@" | "@@ " /(.+)/) LF line+ ("*** End of File" LF)?
line: ("+" | "-" | " ") /(.*)/ LF
path: /(.+)/
%import common.LF
`,
  },
};

const viewImageDefinition = functionTool("view_image", "Shows you a local image file.", {
  properties: { path: { type: "string", description: "Path of the image" } },
  required: ["path"],
});

function functionTool(
  name: string,
  description: string,
  schema: { readonly properties: Readonly<Record<string, unknown>>; readonly required: readonly string[] },
): FunctionToolDefinition {
  const parameters = { type: "object", ...schema, additionalProperties: false };
  return { type: "function", name, description, strict: false, parameters };
}
