import { describe, expect, test } from "vitest";
import type { ApprovalPolicy, SandboxMode, SandboxPolicy } from "../../src/protocol/policy.ts";
import { assessCommand, type CommandQuestion, type CommandVerdict } from "../../src/safety/assess-command.ts";

const policies: Readonly<Record<SandboxMode, SandboxPolicy>> = {
  "read-only": { mode: "read-only" },
  "workspace-write": {
    mode: "workspace-write",
    writable_roots: [],
    network_access: false,
    exclude_tmpdir_env_var: false,
    exclude_slash_tmp: false,
  },
  "danger-full-access": { mode: "danger-full-access" },
};

const sandboxed: CommandVerdict = { verdict: "run", sandboxed: true };
const free: CommandVerdict = { verdict: "run", sandboxed: false };
const ask: CommandVerdict = { verdict: "ask" };
const askWithReason: CommandVerdict = { verdict: "ask", reason: "needs the network" };
const reject: CommandVerdict = {
  verdict: "reject",
  reason: "exec command rejected: auto-rejected because command is not on trusted list",
};

function verdictOf(approvalPolicy: ApprovalPolicy, mode: SandboxMode, facts: Partial<CommandQuestion>): CommandVerdict {
  return assessCommand({
    approvalPolicy,
    sandboxPolicy: policies[mode],
    isTrusted: false,
    isApprovedForSession: false,
    withEscalatedPermissions: false,
    isSandboxAvailable: true,
    ...facts,
  });
}

describe("policy and mode, plain, with escalated permissions, trusted either way", () => {
  test.each<[ApprovalPolicy, SandboxMode, CommandVerdict, CommandVerdict, CommandVerdict]>([
    ["untrusted", "read-only", ask, ask, sandboxed],
    ["untrusted", "workspace-write", ask, ask, sandboxed],
    ["untrusted", "danger-full-access", ask, ask, free],
    ["on-failure", "read-only", sandboxed, sandboxed, sandboxed],
    ["on-failure", "workspace-write", sandboxed, sandboxed, sandboxed],
    ["on-failure", "danger-full-access", free, free, free],
    ["on-request", "read-only", sandboxed, askWithReason, sandboxed],
    ["on-request", "workspace-write", sandboxed, askWithReason, sandboxed],
    ["on-request", "danger-full-access", free, free, free],
    ["never", "read-only", sandboxed, sandboxed, sandboxed],
    ["never", "workspace-write", sandboxed, sandboxed, sandboxed],
    ["never", "danger-full-access", free, free, free],
  ])("%s, %s", (approvalPolicy, mode, plain, escalated, trusted) => {
    const escalation = { withEscalatedPermissions: true, justification: "needs the network" };
    expect(verdictOf(approvalPolicy, mode, {})).toEqual(plain);
    expect(verdictOf(approvalPolicy, mode, escalation)).toEqual(escalated);
    expect(verdictOf(approvalPolicy, mode, { isTrusted: true })).toEqual(trusted);
    expect(verdictOf(approvalPolicy, mode, { isTrusted: true, ...escalation })).toEqual(trusted);
    expect(verdictOf(approvalPolicy, mode, { isApprovedForSession: true })).toEqual(free);
  });
});

describe("without a sandbox on this platform", () => {
  test.each<[ApprovalPolicy, CommandVerdict]>([
    ["untrusted", ask],
    ["on-failure", ask],
    ["on-request", ask],
    ["never", reject],
  ])("%s", (approvalPolicy, expected) => {
    const facts = { isSandboxAvailable: false };
    expect(verdictOf(approvalPolicy, "read-only", facts)).toEqual(expected);
    expect(verdictOf(approvalPolicy, "workspace-write", facts)).toEqual(expected);
    expect(verdictOf(approvalPolicy, "workspace-write", { ...facts, isTrusted: true })).toEqual(free);
    expect(verdictOf(approvalPolicy, "workspace-write", { ...facts, isApprovedForSession: true })).toEqual(free);
  });
});

test("a justification alone is no request", () => {
  expect(verdictOf("on-request", "workspace-write", { justification: "x" })).toEqual(sandboxed);
  expect(verdictOf("on-request", "workspace-write", { withEscalatedPermissions: true })).toEqual(ask);
});
