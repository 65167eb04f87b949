import path from "node:path";
import type { SandboxPolicy } from "../protocol/policy.ts";

/** Where patches and commands may write under workspace-write; empty in the other modes. Symbolic links are kept. */
export function writableRoots(
  policy: SandboxPolicy,
  { cwd, tmpdir }: { readonly cwd: string; readonly tmpdir: string | undefined },
): readonly string[] {
  if (policy.mode !== "workspace-write") return [];
  const roots = [...policy.writable_roots, cwd];
  if (!policy.exclude_slash_tmp && process.platform !== "win32") roots.push("/tmp");
  if (!policy.exclude_tmpdir_env_var && tmpdir !== undefined && path.isAbsolute(tmpdir)) roots.push(tmpdir);
  return [...new Set(roots.map((root) => path.resolve(cwd, root)))];
}
