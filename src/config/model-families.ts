/** Facts that hold for every model whose name starts with a known prefix (spec core 3). */
export interface ModelFamily {
  /** The `reasoning` field and encrypted reasoning are asked for. */
  readonly supportsReasoning: boolean;
  readonly shellTool: "function" | "local_shell";
  readonly applyPatchTool: "none" | "function" | "freeform";
  readonly supportsVerbosity: boolean;
}
