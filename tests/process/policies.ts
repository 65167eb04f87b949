import type { SandboxPolicy, WorkspaceWritePolicy } from "../../src/protocol/policy.ts";

/** Only the working directory: the tests' own folders lie below the system's temporary one. */
export const workspaceOnly: WorkspaceWritePolicy = {
  mode: "workspace-write",
  writable_roots: [],
  network_access: false,
  exclude_tmpdir_env_var: true,
  exclude_slash_tmp: true,
};

/** As a user has it who set nothing. */
export const workspaceDefault: WorkspaceWritePolicy = {
  ...workspaceOnly,
  exclude_tmpdir_env_var: false,
  exclude_slash_tmp: false,
};

export function policyNamed(name: string): SandboxPolicy {
  switch (name) {
    case "read-only":
    case "danger-full-access":
      return { mode: name };
    case "workspace-only":
      return workspaceOnly;
    case "workspace-write":
      return workspaceDefault;
    case "workspace-write-network":
      return { ...workspaceDefault, network_access: true };
    default:
      throw new Error(`no policy is named "${name}"`);
  }
}
