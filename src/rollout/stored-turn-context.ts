import { isRecord } from "../lib/parse-json.ts";
import type { TurnContext } from "../protocol/event.ts";
import { approvalPolicies, type SandboxPolicy } from "../protocol/policy.ts";

/**
 * The session's settings as a turn's line tells them: a task may have had settings of its own, beside which ours are
 * named. What is not understood counts as the strictest there is: a later version may have forbidden something.
 */
export function toTurnContext(line: unknown): TurnContext | undefined {
  if (!isRecord(line)) return undefined;
  const value = isRecord(line["session"]) ? line["session"] : line;
  const { cwd, model, effort, summary } = value;
  return {
    cwd: typeof cwd === "string" ? cwd : "",
    approval_policy: approvalPolicies.find((policy) => policy === value["approval_policy"]) ?? "untrusted",
    sandbox_policy: toSandboxPolicy(value["sandbox_policy"]),
    model: typeof model === "string" ? model : "",
    ...(typeof effort === "string" ? { effort } : {}),
    summary: typeof summary === "string" ? summary : "auto",
  };
}

function toSandboxPolicy(value: unknown): SandboxPolicy {
  if (!isRecord(value)) return { mode: "read-only" };
  const mode = value["mode"] ?? value["type"]; // later versions call it type
  switch (mode) {
    case "danger-full-access":
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
      return { mode: "read-only" };
  }
}
