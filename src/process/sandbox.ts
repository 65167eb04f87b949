import path from "node:path";
import type { Environment } from "../lib/environment.ts";
import { UserError } from "../lib/errors.ts";
import { isInside } from "../lib/path-inside.ts";
import { hasNetworkAccess, type SandboxPolicy } from "../protocol/policy.ts";
import { canonicalPath } from "./canonical-path.ts";
import { CommandHost } from "./command-host.ts";
import { describeLandlock, findLandlockAbi, prepareLandlock } from "./linux-sandbox.ts";
import { prepareSeatbelt } from "./macos-sandbox.ts";
import type { Restrictions } from "./restrict.ts";
import type { SeatbeltProfile, SeatbeltRoot } from "./seatbelt.ts";
import { resolveWritableRoots } from "./writable-roots.ts";

/** How commands are held to a policy; made once a session, before the first request to a model. */
export type Sandbox = NoSandbox | LinuxSandbox | MacosSandbox;

interface SandboxBase {
  readonly policy: SandboxPolicy;
  /** Canonical; no one lies below another. */
  readonly writableRoots: readonly string[];
  /** Sentences for the user: what is weaker here than it could be. */
  readonly warnings: readonly string[];
  /** For a status output: what enforces the policy, and what this kernel lacks for it. */
  readonly summary: string;
  readonly host: CommandHost;
  /** Prepares the next command while nothing else is to be done; cheap to call again. */
  warmUp(): void;
  close(): void;
}

export interface NoSandbox extends SandboxBase {
  readonly type: "None";
}

export interface LinuxSandbox extends SandboxBase {
  readonly type: "LinuxSeccomp";
  readonly restrictions: Restrictions;
}

export interface MacosSandbox extends SandboxBase {
  readonly type: "MacosSeatbelt";
  readonly roots: readonly SeatbeltRoot[];
  readonly profile: SeatbeltProfile;
}

export interface SandboxOptions {
  readonly cwd: string;
  readonly env: Environment;
  /** The built helper; the FFI is looked up from there. */
  readonly helperPath: string;
  readonly codexHome?: string;
  /** One for a whole process, when it has several sandboxes; without it the sandbox has its own. */
  readonly host?: CommandHost;
  /** Behaves like an older kernel; for tests. */
  readonly landlockAbiLimit?: number;
}

/** Throws a UserError when the policy cannot be enforced here: then nothing may run. */
export function prepareSandbox(policy: SandboxPolicy, options: SandboxOptions): Sandbox {
  const host = options.host ?? new CommandHost(options);
  const close = () => {
    if (options.host === undefined) host.close();
  };
  if (policy.mode === "danger-full-access") {
    const warmUp = () => {
      host.guard.start();
      host.warmUpPipes();
    };
    const writableRoots = [path.parse(options.cwd).root];
    return { type: "None", policy, writableRoots, warnings: [], summary: "none", host, warmUp, close };
  }

  const { cwd, env, codexHome } = options;
  const roots = policy.mode === "workspace-write" ? resolveWritableRoots(policy, { cwd, env }) : [];
  const writableRoots = roots.map((root) => root.path);
  const warnings = configurationWarnings(policy, options);
  const base = { policy, writableRoots, host, close };
  if (process.platform === "darwin") {
    const seatbelt = prepareSeatbelt(writableRoots, { env, network: hasNetworkAccess(policy) });
    const warmUp = () => host.guard.start();
    return { ...base, ...seatbelt, type: "MacosSeatbelt", warnings, summary: "Seatbelt", warmUp };
  }
  const landlock = prepareLandlock(policy, {
    host,
    writableRoots: roots,
    copyFolders: [codexHome, env["TMPDIR"], "/tmp", "/var/tmp", "/dev/shm"].flatMap((folder) => folder ?? []),
    abiLimit: options.landlockAbiLimit,
  });
  const warmUp = () => {
    host.guard.start();
    host.warmUpHelper();
  };
  return { ...base, ...landlock, type: "LinuxSeccomp", warnings: [...warnings, ...landlock.warnings], warmUp };
}

/** Whether commands can be sandboxed here, and by what or why not; costs one system call. */
export function checkSandbox(options: {
  readonly helperPath: string;
}): { readonly available: true; readonly summary: string } | { readonly available: false; readonly reason: string } {
  if (process.platform === "darwin") return { available: true, summary: "Seatbelt" };
  try {
    return { available: true, summary: describeLandlock(findLandlockAbi(new CommandHost(options))) };
  } catch (error) {
    if (error instanceof UserError) return { available: false, reason: error.message };
    throw error;
  }
}

/** Not for /tmp and $TMPDIR: whoever puts a home there means it to be of no value. */
function configurationWarnings(policy: SandboxPolicy, options: SandboxOptions): readonly string[] {
  if (policy.mode !== "workspace-write") return [];
  const folders = [options.cwd, ...policy.writable_roots].map(canonicalPath);
  const inWorkspace = (file: string) => folders.find((folder) => isInside(canonicalPath(file), folder));
  const holder = options.codexHome === undefined ? undefined : inWorkspace(options.codexHome);
  const home = options.env["HOME"];
  if (holder !== undefined) {
    return [`Commands may write "${holder}", which holds this program's own configuration: they can change it.`];
  }
  if (home && inWorkspace(home) !== undefined) {
    return [`Commands may write "${home}", the home folder: they can change what other programs run at their start.`];
  }
  return [];
}
