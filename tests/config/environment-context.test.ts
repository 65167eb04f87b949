import { expect, test } from "vitest";
import {
  type EnvironmentFacts,
  environmentContextText,
  userInstructionsText,
} from "../../src/config/environment-context.ts";
import type { SandboxPolicy } from "../../src/protocol/policy.ts";

const workspaceWrite: SandboxPolicy = {
  mode: "workspace-write",
  writable_roots: ["/extra"],
  network_access: false,
  exclude_tmpdir_env_var: false,
  exclude_slash_tmp: false,
};

test.each<[name: string, facts: EnvironmentFacts, lines: readonly string[]]>([
  [
    "everything",
    { cwd: "/ws", approvalPolicy: "never", sandboxPolicy: workspaceWrite, shell: "bash" },
    [
      "  <cwd>/ws</cwd>",
      "  <approval_policy>never</approval_policy>",
      "  <sandbox_mode>workspace-write</sandbox_mode>",
      "  <network_access>restricted</network_access>",
      "  <shell>bash</shell>",
    ],
  ],
  [
    "an unknown shell, full access",
    { cwd: "/a & <b>", approvalPolicy: "on-request", sandboxPolicy: { mode: "danger-full-access" }, shell: undefined },
    [
      "  <cwd>/a & <b></cwd>",
      "  <approval_policy>on-request</approval_policy>",
      "  <sandbox_mode>danger-full-access</sandbox_mode>",
      "  <network_access>enabled</network_access>",
    ],
  ],
  ["only a new directory", { cwd: "/other" }, ["  <cwd>/other</cwd>"]],
  [
    "only a new sandbox",
    { sandboxPolicy: { ...workspaceWrite, network_access: true } },
    ["  <sandbox_mode>workspace-write</sandbox_mode>", "  <network_access>enabled</network_access>"],
  ],
  ["only a new approval policy", { approvalPolicy: "untrusted" }, ["  <approval_policy>untrusted</approval_policy>"]],
])("the environment context tells %s", (_, facts, lines) => {
  expect(environmentContextText(facts)).toBe(["<environment_context>", ...lines, "</environment_context>"].join("\n"));
});

test("user instructions stand between their tags", () => {
  expect(userInstructionsText("be brief\n")).toBe("<user_instructions>\n\nbe brief\n\n\n</user_instructions>");
});
