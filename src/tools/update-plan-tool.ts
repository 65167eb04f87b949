import * as z from "zod/mini";
import { parseArguments } from "./parse-arguments.ts";
import { failure, type ToolContext, type ToolOutput } from "./tool.ts";

const PlanArguments = z.strictObject({
  explanation: z.nullish(z.string()),
  plan: z.array(z.strictObject({ step: z.string(), status: z.enum(["pending", "in_progress", "completed"]) })),
});

export function runUpdatePlanTool(argumentsText: string, context: ToolContext): ToolOutput {
  const parsed = parseArguments(argumentsText, PlanArguments);
  if (!parsed.ok) return failure(parsed.problem);
  const { explanation, plan } = parsed.value;
  context.emit({ type: "plan_update", explanation: explanation ?? null, plan });
  return { text: "Plan updated", isSuccess: true };
}
