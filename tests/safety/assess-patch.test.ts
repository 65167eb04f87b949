import path from "node:path";
import { describe, expect, test } from "vitest";
import type { ApprovalPolicy, SandboxMode, SandboxPolicy } from "../../src/protocol/policy.ts";
import { assessPatch, isWritablePath, type PatchVerdict } from "../../src/safety/assess-patch.ts";
import { writableRoots } from "../../src/safety/writable-roots.ts";

const cwd = "/home/me/project";
const workspaceWrite = {
  mode: "workspace-write",
  writable_roots: [],
  network_access: false,
  exclude_tmpdir_env_var: false,
  exclude_slash_tmp: false,
} as const satisfies SandboxPolicy;
const policies: Readonly<Record<SandboxMode, SandboxPolicy>> = {
  "read-only": { mode: "read-only" },
  "workspace-write": workspaceWrite,
  "danger-full-access": { mode: "danger-full-access" },
};

const sandboxed: PatchVerdict = { verdict: "run", sandboxed: true };
const free: PatchVerdict = { verdict: "run", sandboxed: false };
const ask: PatchVerdict = { verdict: "ask" };
const reject: PatchVerdict = {
  verdict: "reject",
  reason: "patch rejected: writing outside of the project; rejected by user approval settings",
};

function verdictOf(approvalPolicy: ApprovalPolicy, mode: SandboxMode, paths: readonly string[], sandbox = true) {
  const sandboxPolicy = policies[mode];
  return assessPatch({
    paths,
    approvalPolicy,
    sandboxPolicy,
    writableRoots: writableRoots(sandboxPolicy, { cwd, tmpdir: undefined }),
    isSandboxAvailable: sandbox,
  });
}

const inside = [`${cwd}/a.txt`, `${cwd}/b/c.txt`];
const outside = [`${cwd}/a.txt`, "/home/me/other.txt"];

describe("policy and mode, patch inside the roots and outside", () => {
  test.each<[ApprovalPolicy, SandboxMode, PatchVerdict, PatchVerdict]>([
    ["untrusted", "read-only", ask, ask],
    ["untrusted", "workspace-write", ask, ask],
    ["untrusted", "danger-full-access", ask, ask],
    ["on-failure", "read-only", sandboxed, sandboxed],
    ["on-failure", "workspace-write", sandboxed, sandboxed],
    ["on-failure", "danger-full-access", free, free],
    ["on-request", "read-only", ask, ask],
    ["on-request", "workspace-write", sandboxed, ask],
    ["on-request", "danger-full-access", free, free],
    ["never", "read-only", reject, reject],
    ["never", "workspace-write", sandboxed, reject],
    ["never", "danger-full-access", free, free],
  ])("%s, %s", (approvalPolicy, mode, expectedInside, expectedOutside) => {
    expect(verdictOf(approvalPolicy, mode, inside)).toEqual(expectedInside);
    expect(verdictOf(approvalPolicy, mode, outside)).toEqual(expectedOutside);
  });

  test.each<[ApprovalPolicy, PatchVerdict, PatchVerdict]>([
    ["untrusted", ask, ask],
    ["on-failure", free, ask],
    ["on-request", free, ask],
    ["never", free, reject],
  ])("%s, workspace-write without a sandbox on this platform", (approvalPolicy, expectedInside, expectedOutside) => {
    expect(verdictOf(approvalPolicy, "workspace-write", inside, false)).toEqual(expectedInside);
    expect(verdictOf(approvalPolicy, "workspace-write", outside, false)).toEqual(expectedOutside);
  });

  test.each<ApprovalPolicy>(["untrusted", "never"])("%s rejects a patch without changes", (approvalPolicy) => {
    const expected = { verdict: "reject", reason: "patch rejected: empty patch" };
    expect(verdictOf(approvalPolicy, "danger-full-access", [])).toEqual(expected);
  });
});

describe(".git is protected", () => {
  test.each([
    [".git/x", [cwd]],
    [".git", [cwd]],
    [".GIT/hooks/pre-commit", [cwd]],
    ["vendor/lib/.git/config", [cwd]],
    [".git/x", ["/tmp", cwd, "/"]],
    [".git/x", ["/home/me"]],
    [".git/x", [`${cwd}/.git`, cwd]],
  ])("%s below the roots %j", (file, roots) => {
    expect(isWritablePath(path.join(cwd, file), roots)).toBe(false);
  });

  test.each([".gitignore", ".github/x", "git/x", "a.git/x"])("%s is not", (file) => {
    expect(isWritablePath(path.join(cwd, file), [cwd])).toBe(true);
  });

  test("also in a project below /tmp", () => {
    const roots = writableRoots(workspaceWrite, { cwd: "/tmp/project", tmpdir: undefined });
    expect(isWritablePath("/tmp/project/.git/x", roots)).toBe(false);
    expect(isWritablePath("/tmp/project/x", roots)).toBe(true);
  });
});

test.each([
  ["../out", false],
  ["sub/../../out", false],
  ["sub/../in", true],
  ["..in", true],
  [".", true],
  ["/etc/passwd", false],
  ["/home/me/project2/x", false],
  ["/tmp/x", true],
  ["/tmp/../etc/x", false],
  ["a/../.git/x", false],
])("%s is writable: %s", (file, expected) => {
  const roots = writableRoots(workspaceWrite, { cwd, tmpdir: undefined });
  expect(isWritablePath(path.isAbsolute(file) ? file : `${cwd}/${file}`, roots)).toBe(expected);
});
