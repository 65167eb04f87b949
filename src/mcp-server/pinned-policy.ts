import path from "node:path";
import { isDeepStrictEqual } from "node:util";
import type { Config, ShellEnvironmentPolicy } from "../config/config.ts";
import type { LockableArgument } from "../config/mcp-settings.ts";
import { isInside } from "../lib/path-inside.ts";
import { canonicalPath } from "../process/canonical-path.ts";
import { gitParts } from "../process/git-parts.ts";
import { resolveWritableRoots } from "../process/writable-roots.ts";
import { hasNetworkAccess, isLooserSandbox, type LinuxSandboxChoice, type SandboxMode } from "../protocol/policy.ts";
import { assessCommand } from "../safety/assess-command.ts";
import { isTrustedCommand } from "../safety/trusted-commands.ts";

// How `mcp.max_sandbox` and `mcp.locked` judge what would be in force for a call, against the configuration the server
// started with. Each function returns the refusal as a sentence, or nothing.

/** Whoever runs the server has bounded its calls in any way. */
export function isPinned({ mcp: { locked, maxSandbox } }: Config): boolean {
  return locked.length > 0 || maxSandbox !== "danger-full-access";
}

/** `cwd` of both is canonical. */
export function pinRefusal(asked: Config, server: Config): string | undefined {
  return lockRefusal(asked, server) ?? environmentRefusal(asked, server) ?? sandboxRefusal(asked, server);
}

/** Commands that a person approves, or that count as harmless, run outside the sandbox with what is `set`. */
function environmentRefusal(asked: Config, server: Config): string | undefined {
  if (!isPinned(server) || !showsMore(asked.shellEnvironmentPolicy, server.shellEnvironmentPolicy)) return undefined;
  return "The shell_environment_policy is refused, because commands would have other variables or more of this server's environment. Leave it out, or change shell_environment_policy in the configuration of the server.";
}

/** A command may write below `roots`, canonical paths; what the server's own commands may write is the most. */
export function writableRootsRefusal(
  roots: readonly string[],
  { cwd, server }: { readonly cwd: string; readonly server: Config },
): string | undefined {
  if (sandboxLimit(server) === "danger-full-access") return undefined;
  const { workspaceWrite, env } = server;
  const places = resolveWritableRoots(workspaceWrite, { cwd: server.cwd, env }).map((root) => root.path);
  const outside = roots.find((root) => !places.some((place) => isInside(root, place)));
  if (outside === undefined) {
    const git = gitParts([server.cwd, ...workspaceWrite.writable_roots], places);
    const inGit = roots.find((root) => git.some((part) => isInside(root, part)) || entersGitFolder(root, places));
    return (
      inGit &&
      `The sandbox is refused, because commands could write "${inGit}", which belongs to git. Use a cwd outside of .git.`
    );
  }
  const where = `"${server.cwd}" and the writable_roots of its configuration`;
  if (canonicalPath(cwd) === outside) {
    return `The cwd "${cwd}" is refused with sandbox workspace-write, because commands could write there and this server keeps them inside ${where}. Use sandbox read-only or a cwd inside, or add the folder to sandbox_workspace_write.writable_roots of the server.`;
  }
  return `The sandbox is refused, because commands could write "${outside}" and this server keeps them inside ${where}. Leave sandbox_workspace_write out, or change it in the configuration of the server.`;
}

function entersGitFolder(root: string, places: readonly string[]): boolean {
  return places.some((place) => /(?:^|\/)\.git(?:\/|$)/i.test(path.relative(place, root)));
}

/** `execOneOffCommand` asks nobody, so what the locked approval policy would ask for cannot be had by it. */
export function unaskedRefusal(command: readonly string[], asked: Config, server: Config): string | undefined {
  if (!server.mcp.locked.includes("approval-policy")) return undefined;
  const { verdict } = assessCommand({
    approvalPolicy: server.approvalPolicy,
    sandboxPolicy: asked.sandboxPolicy,
    isTrusted: isTrustedCommand(command),
    isApprovedForSession: false,
    withEscalatedPermissions: false,
    isSandboxAvailable: asked.sandboxPolicy.mode !== "danger-full-access",
  });
  if (verdict === "run") return undefined;
  return `The command is refused, because the locked approval-policy ${server.approvalPolicy} asks for it and execOneOffCommand cannot ask. Use the tool codex. ${unlock}`;
}

/** Who is signed in decides with whose key later calls run. */
export function accountRefusal(method: string, { mcp: { locked } }: Config): string | undefined {
  return locked.includes("config") ? `${method} is refused, because "config" is locked. ${unlock}` : undefined;
}

/** `setDefaultModel` writes config.toml. */
export function defaultModelRefusal({ mcp: { locked } }: Config): string | undefined {
  const name = locked.find((argument) => argument === "model" || argument === "config");
  return name && `setDefaultModel is refused, because "${name}" is locked. ${unlock}`;
}

export function configRefusal(settings: Readonly<Record<string, unknown>>): string {
  const keys = Object.keys(settings).join(", ");
  return `The config of the call (${keys}) is refused, because "config" is locked and it would change the server's configuration. Leave it out. ${unlock}`;
}

const unlock = "Whoever runs the server can unlock it (mcp.locked, --lock).";

/** What a locked argument stands for; `sandbox` is judged as a whole, and `config` where it is still known. */
const lockedValues: Readonly<Record<Exclude<LockableArgument, "config" | "sandbox">, (config: Config) => unknown>> = {
  "approval-policy": (config) => config.approvalPolicy,
  "base-instructions": (config) => [config.baseInstructions, config.developerInstructions],
  cwd: (config) => config.cwd,
  "include-plan-tool": (config) => config.tools.plan,
  model: (config) => config.model,
  profile: (config) => config.profile,
};

function lockRefusal(asked: Config, server: Config): string | undefined {
  for (const name of server.mcp.locked) {
    if (name === "config" || name === "sandbox") continue;
    const [wanted, own] = [asked, server].map(lockedValues[name]);
    // With `never` no question could lead out of the sandbox; with `untrusted` one can.
    const isTighter = name === "approval-policy" && wanted === "untrusted" && own !== "never";
    if (isDeepStrictEqual(wanted, own) || isTighter) continue;
    if (name === "base-instructions") return `Other instructions are refused, because "${name}" is locked. ${unlock}`;
    return `${name} ${describe(wanted)} is refused, because it is locked to ${describe(own)}. ${unlock}`;
  }
  return undefined;
}

function describe(value: unknown): string {
  return value === undefined ? "none" : JSON.stringify(value);
}

/** Locking the argument bounds the policy by the server's own. */
function sandboxLimit({ mcp, sandboxPolicy }: Config): SandboxMode {
  const own = mcp.locked.includes("sandbox") ? sandboxPolicy.mode : mcp.maxSandbox;
  return isLooserSandbox(own, mcp.maxSandbox) ? mcp.maxSandbox : own;
}

function sandboxRefusal(asked: Config, server: Config): string | undefined {
  const limit = sandboxLimit(server);
  if (limit === "danger-full-access") return undefined;
  const { sandboxPolicy: policy, cwd, env } = asked;
  const change = (key: string) => `Leave it out, or change ${key} in the configuration of the server.`;
  if (isLooserSandbox(policy.mode, limit)) {
    return `The sandbox ${policy.mode} is refused, because this server allows ${limit} at most (mcp.max_sandbox, mcp.locked, --lock). Ask for ${limit} or less.`;
  }
  if (hasNetworkAccess(policy) && !server.workspaceWrite.network_access) {
    return `Network access is refused, because this server's commands have none. ${change("sandbox_workspace_write.network_access")}`;
  }
  if (strength.indexOf(asked.linuxSandbox) < strength.indexOf(server.linuxSandbox)) {
    return `linux_sandbox ${asked.linuxSandbox} is refused, because this server has ${server.linuxSandbox}. ${change("linux_sandbox")}`;
  }
  if (asked.tools.webSearch && !server.tools.webSearch && !server.workspaceWrite.network_access) {
    return `tools.web_search is refused, because this server has no network. ${change("tools.web_search")}`;
  }
  if (policy.mode !== "workspace-write") return undefined;
  const roots = resolveWritableRoots(policy, { cwd, env }).map((root) => root.path);
  return writableRootsRefusal(roots, { cwd, server });
}

/** The weakest first. */
const strength: readonly LinuxSandboxChoice[] = ["landlock", "auto", "bwrap"];

const inherited: readonly ShellEnvironmentPolicy["inherit"][] = ["none", "core", "all"];

function showsMore(asked: ShellEnvironmentPolicy, own: ShellEnvironmentPolicy): boolean {
  const isOnly = (name: string) => own.includeOnly.length === 0 || own.includeOnly.includes(name);
  return (
    inherited.indexOf(asked.inherit) > inherited.indexOf(own.inherit) ||
    (asked.ignoreDefaultExcludes && !own.ignoreDefaultExcludes) ||
    own.exclude.some((pattern) => !asked.exclude.includes(pattern)) ||
    (own.includeOnly.length > 0 && asked.includeOnly.length === 0) ||
    !isDeepStrictEqual({ ...asked.set }, { ...own.set }) ||
    !asked.includeOnly.every(isOnly)
  );
}
