import type { FileOperation, FileResult } from "./file-operations.ts";
import type { Restrictions } from "./restrict.ts";

/** What the helper is told, once, on its control descriptor; the end of the descriptor without a request ends it. */
export type HelperRequest =
  | (ExecRequest & { readonly kind: "exec" })
  | {
      readonly kind: "files";
      readonly operations: readonly FileOperation[];
      /** Null where bubblewrap holds the helper already. */
      readonly restrictions: Restrictions | null;
    };

export interface ExecRequest {
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly mark: string;
  readonly restrictions: Restrictions;
}

/**
 * What it answers, one JSON line each. Without `restricted` it never came so far; after it, silence means that the
 * helper has become the command.
 */
export type HelperReport =
  | { readonly kind: "setup"; readonly call: string; readonly errno: number; readonly message: string }
  | { readonly kind: "restricted" }
  | { readonly kind: "exec"; readonly errno: number }
  | { readonly kind: "files"; readonly result: FileResult };

/** The control descriptor in the helper: a stream socket whose other end we hold. */
export const controlFd = 3;

/** The helper's second argument where it need not restrict itself. */
export const confined = "confined";
