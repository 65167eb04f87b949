import path from "node:path";
import { isInside } from "../lib/path-inside.ts";
import type { ApprovalPolicy, SandboxPolicy } from "../protocol/policy.ts";

export type PatchVerdict =
  | { readonly verdict: "run"; readonly sandboxed: boolean }
  /** Applied without sandbox once approved. */
  | { readonly verdict: "ask" }
  /** `reason` is what the model is told. */
  | { readonly verdict: "reject"; readonly reason: string };

export interface PatchQuestion {
  /** Every absolute path that is read or written, targets of moves included. */
  readonly paths: readonly string[];
  readonly approvalPolicy: ApprovalPolicy;
  readonly sandboxPolicy: SandboxPolicy;
  readonly writableRoots: readonly string[];
  readonly isSandboxAvailable: boolean;
}

export function assessPatch(question: PatchQuestion): PatchVerdict {
  const { paths, approvalPolicy, sandboxPolicy, writableRoots, isSandboxAvailable } = question;
  if (paths.length === 0) return { verdict: "reject", reason: "patch rejected: empty patch" };
  if (approvalPolicy === "untrusted") return { verdict: "ask" };

  const isUnrestricted = sandboxPolicy.mode === "danger-full-access";
  const isAllowed =
    isUnrestricted ||
    (sandboxPolicy.mode === "workspace-write" && paths.every((file) => isWritablePath(file, writableRoots)));
  // on-failure leaves the judgement to the sandbox, so there has to be one.
  if (isAllowed || (approvalPolicy === "on-failure" && isSandboxAvailable)) {
    return { verdict: "run", sandboxed: isSandboxAvailable && !isUnrestricted };
  }
  if (approvalPolicy === "never") {
    return {
      verdict: "reject",
      reason: "patch rejected: writing outside of the project; rejected by user approval settings",
    };
  }
  return { verdict: "ask" };
}

/** Judged by the spelling alone; symbolic links are the sandbox's business. */
export function isWritablePath(file: string, roots: readonly string[]): boolean {
  const containing = roots.filter((root) => isInside(file, root));
  return containing.length > 0 && !containing.some((root) => entersGitFolder(path.relative(root, file)));
}

/** Hooks and configuration in `.git` run as programs, also those of a repository further down. */
function entersGitFolder(relative: string): boolean {
  // Some file systems take .GIT for the same name.
  return relative.split(path.sep).some((part) => part.toLowerCase() === ".git");
}
