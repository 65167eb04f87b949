import type { ChildProcess } from "node:child_process";

export type ChildExit =
  | { readonly started: true; readonly code: number | null; readonly signal: NodeJS.Signals | null }
  | { readonly started: false; readonly error: unknown };

/** How a child ended, or why it never began. Never rejects. */
export function waitForExit(child: ChildProcess): Promise<ChildExit> {
  return new Promise((resolve) => {
    child.once("exit", (code, signal) => resolve({ started: true, code, signal }));
    child.on("error", (error) => {
      // Not every error is the end of the child.
      if (child.pid === undefined) resolve({ started: false, error });
    });
  });
}
