import type { SandboxPolicy } from "../protocol/policy.ts";

/** The policy as the first line of a run shows it; programs compare it, so its wording is fixed. */
export function sandboxText(policy: SandboxPolicy): string {
  if (policy.mode !== "workspace-write") return policy.mode;
  const writable = ["workdir"];
  if (!policy.exclude_slash_tmp) writable.push("/tmp");
  if (!policy.exclude_tmpdir_env_var) writable.push("$TMPDIR");
  writable.push(...policy.writable_roots);
  const network = policy.network_access ? " (network access enabled)" : "";
  return `workspace-write [${writable.join(", ")}]${network}`;
}
