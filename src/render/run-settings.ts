import type { RunSummary } from "./renderer.ts";

/** What the head of a run says about its settings, in its fixed order. */
export function runSettings({ config, sandboxText }: RunSummary): readonly (readonly [string, string])[] {
  const settings: (readonly [string, string])[] = [
    ["workdir", config.cwd],
    ["model", config.model],
    ["provider", config.modelProviderId],
    ["approval", config.approvalPolicy],
    ["sandbox", sandboxText],
  ];
  // Only requests on this wire carry the `reasoning` field, and only for models that know it.
  if (config.modelProvider.wireApi === "responses" && config.modelFamily.supportsReasoning) {
    settings.push(["reasoning effort", config.modelReasoningEffort]);
    settings.push(["reasoning summaries", config.modelReasoningSummary]);
  }
  return settings;
}
