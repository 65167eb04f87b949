import { isRecord } from "../lib/parse-json.ts";
import type { TurnContext } from "../protocol/event.ts";
import { approvalPolicies, type SandboxPolicy } from "../protocol/policy.ts";

/**
 * The session's settings as a turn's line tells them: a task may have had settings of its own, beside which ours are
 * named. Undefined when they are not whole.
 */
export function toTurnContext(line: unknown): TurnContext | undefined {
  if (!isRecord(line)) return undefined;
  const value = isRecord(line["session"]) ? line["session"] : line;
  const { cwd, model, effort, summary } = value;
  const approval_policy = approvalPolicies.find((policy) => policy === value["approval_policy"]);
  const sandbox_policy = toSandboxPolicy(value["sandbox_policy"]);
  if (typeof cwd !== "string" || typeof model !== "string") return undefined;
  if (approval_policy === undefined || sandbox_policy === undefined) return undefined;
  return {
    cwd,
    approval_policy,
    sandbox_policy,
    model,
    ...(typeof effort === "string" ? { effort } : {}),
    summary: typeof summary === "string" ? summary : "auto",
  };
}

function toSandboxPolicy(value: unknown): SandboxPolicy | undefined {
  if (!isRecord(value)) return undefined;
  const mode = value["mode"] ?? value["type"]; // later versions call it type
  switch (mode) {
    case "danger-full-access":
    case "read-only":
      return { mode };
    case "workspace-write": {
      const roots = value["writable_roots"];
      return {
        mode,
        writable_roots: Array.isArray(roots) ? roots.filter((root) => typeof root === "string") : [],
        network_access: value["network_access"] === true,
        exclude_tmpdir_env_var: value["exclude_tmpdir_env_var"] === true,
        exclude_slash_tmp: value["exclude_slash_tmp"] === true,
      };
    }
    default:
      return undefined;
  }
}
