import { type ApprovalPolicy, approvalPolicies, type SandboxMode, sandboxModes } from "../protocol/policy.ts";
import type { ResponseItem } from "../protocol/response-item.ts";

/** What a model was last told about where it works; undefined what it was never told. */
export interface ToldFacts {
  readonly cwd: string | undefined;
  readonly approvalPolicy: ApprovalPolicy | undefined;
  readonly sandboxMode: SandboxMode | undefined;
  readonly hasNetwork: boolean | undefined;
}

/** What a session began with: of the messages since then, one of the user's own could say anything. */
export function firstToldFacts(items: readonly ResponseItem[]): ToldFacts {
  return toldFacts(items.filter(isEnvironment).slice(0, 1));
}

function isEnvironment(item: ResponseItem): boolean {
  if (item.type !== "message" || item.role !== "user") return false;
  const [part] = item.content;
  return (
    part?.type === "input_text" &&
    /^<environment_context>(?:\n *<(\w+)>.*<\/\1>)*\n<\/environment_context>$/.test(part.text.trim())
  );
}

/** Reads the messages of environmentContextText, of which later ones tell only what has changed. */
export function toldFacts(items: readonly ResponseItem[]): ToldFacts {
  const facts = new Map<string, string>();
  for (const item of items) {
    if (item.type !== "message" || item.role !== "user") continue;
    const [part] = item.content;
    if (part?.type !== "input_text" || !part.text.startsWith("<environment_context>")) continue;
    for (const [, tag = "", value = ""] of part.text.matchAll(/^ *<(\w+)>(.*)<\/\1>$/gm)) facts.set(tag, value);
  }
  const network = facts.get("network_access");
  return {
    cwd: facts.get("cwd"),
    approvalPolicy: approvalPolicies.find((policy) => policy === facts.get("approval_policy")),
    sandboxMode: sandboxModes.find((mode) => mode === facts.get("sandbox_mode")),
    hasNetwork: network === undefined ? undefined : network === "enabled",
  };
}
