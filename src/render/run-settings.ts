import type { SettingsLine } from "./json-line-schema.ts";
import type { RunSummary } from "./renderer.ts";

/** What the head of a run says about its settings, in its fixed order. */
export function runSettings({ config, sandboxText, sessionId }: RunSummary): SettingsLine {
  // Only requests on this wire carry the `reasoning` field, and only for models that know it.
  const reasons = config.modelProvider.wireApi === "responses" && config.modelFamily.supportsReasoning;
  const reasoning = {
    "reasoning effort": config.modelReasoningEffort,
    "reasoning summaries": config.modelReasoningSummary,
  };
  return {
    workdir: config.cwd,
    model: config.model,
    provider: config.modelProviderId,
    approval: config.approvalPolicy,
    sandbox: sandboxText,
    ...(reasons ? reasoning : {}),
    "session id": sessionId,
  };
}
