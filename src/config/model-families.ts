/** Facts that hold for every model whose name starts with a known prefix. */
export interface ModelFamily {
  /** The `reasoning` field and encrypted reasoning are asked for. */
  readonly supportsReasoning: boolean;
  readonly shellTool: "function" | "local_shell";
  readonly applyPatchTool: "none" | "function" | "freeform";
  readonly supportsVerbosity: boolean;
}

const plain: ModelFamily = {
  supportsReasoning: false,
  shellTool: "function",
  applyPatchTool: "none",
  supportsVerbosity: false,
};
const reasoning: ModelFamily = { ...plain, supportsReasoning: true };
const openWeights: ModelFamily = { ...plain, applyPatchTool: "function" };

/** The first prefix that fits counts. */
const families: readonly (readonly [prefix: string, family: ModelFamily])[] = [
  ["o3", reasoning],
  ["o4-mini", reasoning],
  ["codex-mini-latest", { ...reasoning, shellTool: "local_shell" }],
  ["codex-", reasoning],
  ["gpt-oss", openWeights],
  ["openai/gpt-oss", openWeights],
  ["gpt-5", { ...reasoning, supportsVerbosity: true }],
];

export function modelFamily(model: string): ModelFamily {
  return families.find(([prefix]) => model.startsWith(prefix))?.[1] ?? plain;
}

const contextWindows: ReadonlyMap<string, number> = new Map([
  ["gpt-oss-20b", 96_000],
  ["gpt-oss-120b", 96_000],
  ["o3", 200_000],
  ["o4-mini", 200_000],
  ["codex-mini-latest", 200_000],
  ["gpt-4.1", 1_047_576],
  ["gpt-4.1-2025-04-14", 1_047_576],
  ["gpt-4o", 128_000],
  ["gpt-4o-2024-05-13", 128_000],
  ["gpt-4o-2024-08-06", 128_000],
  ["gpt-4o-2024-11-20", 128_000],
  ["gpt-3.5-turbo", 16_385],
  ["gpt-5", 272_000],
]);

/** Tokens by exact model name, null when unknown. */
export function contextWindowOf(model: string): number | null {
  return contextWindows.get(model) ?? (model.startsWith("codex-") ? 272_000 : null);
}
