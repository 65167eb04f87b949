import path from "node:path";
import type { Environment } from "../lib/environment.ts";
import { UserError } from "../lib/errors.ts";
import { log } from "../lib/log.ts";
import { isInside } from "../lib/path-inside.ts";
import { hasNetworkAccess, type LinuxSandboxChoice, type SandboxPolicy } from "../protocol/policy.ts";
import { bubblewrapRefusal, type PreparedBubblewrap, prepareBubblewrap } from "./bubblewrap-sandbox.ts";
import { canonicalPath } from "./canonical-path.ts";
import { CommandHost, type HostOptions } from "./command-host.ts";
import { describeLandlock, findLandlockAbi, prepareLandlock, withForeignModule } from "./landlock-sandbox.ts";
import { prepareSeatbelt } from "./macos-sandbox.ts";
import type { CopyFolders } from "./private-copy.ts";
import type { Restrictions } from "./restrict.ts";
import type { SeatbeltProfile, SeatbeltRoot } from "./seatbelt.ts";
import { resolveWritableRoots } from "./writable-roots.ts";

/** How commands are held to a policy; made once a session, before the first request to a model. */
export type Sandbox = NoSandbox | LandlockSandbox | BubblewrapSandbox | SeatbeltSandbox;

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
  readonly backend: "none";
}

export interface LandlockSandbox extends SandboxBase {
  readonly backend: "landlock";
  readonly restrictions: Restrictions;
}

export interface BubblewrapSandbox extends SandboxBase, Omit<PreparedBubblewrap, "summary"> {
  readonly backend: "bubblewrap";
}

export interface SeatbeltSandbox extends SandboxBase {
  readonly backend: "seatbelt";
  readonly roots: readonly SeatbeltRoot[];
  readonly profile: SeatbeltProfile;
}

export interface SandboxOptions extends HostOptions {
  readonly cwd: string;
  readonly env: Environment;
  readonly codexHome?: string;
  /** Landlock where nothing is said. */
  readonly linuxSandbox?: LinuxSandboxChoice;
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
  const sandbox =
    policy.mode === "danger-full-access" ? unrestricted(options, host) : restricted(policy, options, host);
  log(
    "info",
    "sandbox",
    `${policy.mode}: ${sandbox.summary}; writable: ${sandbox.writableRoots.join(" ") || "nothing"}`,
  );
  return { ...sandbox, policy, host, close };
}

type Prepared<T extends Sandbox = Sandbox> = T extends Sandbox ? Omit<T, "policy" | "host" | "close"> : never;

function unrestricted({ cwd }: SandboxOptions, host: CommandHost): Prepared<NoSandbox> {
  const writableRoots = [path.parse(cwd).root];
  return { backend: "none", writableRoots, warnings: [], summary: "no sandbox", warmUp: () => host.warmUp() };
}

function restricted(policy: SandboxPolicy, options: SandboxOptions, host: CommandHost): Prepared {
  const { cwd, env } = options;
  const roots = policy.mode === "workspace-write" ? resolveWritableRoots(policy, { cwd, env }) : [];
  const writableRoots = roots.map((root) => root.path);
  const warnings = [...configurationWarnings(policy, options)];
  const base = { writableRoots, warnings };
  const warmUp = () => host.warmUp();
  if (process.platform === "darwin") {
    const folders = policy.mode === "workspace-write" ? [cwd, ...policy.writable_roots] : [];
    const network = hasNetworkAccess(policy);
    const seatbelt = prepareSeatbelt(writableRoots, { folders, env, network });
    return { ...base, ...seatbelt, backend: "seatbelt", summary: "Seatbelt", warmUp };
  }

  // Before the FFI is loaded, which the question for Landlock needs.
  if (!withForeignModule(() => host.protectFrom(writableRoots, copyFolders(options)))) {
    warnings.push("This program's own files lie in a folder that commands may write, and could be changed by them.");
  }
  const choice = options.linuxSandbox ?? "landlock";
  if (choice !== "landlock") {
    const found = prepareBubblewrap(policy, { host, cwd, env, writableRoots: roots });
    if ("rules" in found) {
      return {
        ...base,
        ...found,
        backend: "bubblewrap",
        warnings: [...warnings, ...found.warnings],
        warmUp,
      };
    }
    if (choice === "bwrap") throw bubblewrapRefusal(found.problem);
    warnings.push(
      `${found.problem}: commands run under Landlock instead, where they can change .git, and modes and owners ` +
        "of your files elsewhere.",
    );
  }
  const landlock = prepareLandlock(policy, { host, writableRoots: roots, abiLimit: options.landlockAbiLimit });
  const warmUpAll = () => {
    warmUp();
    host.warmUpHelper();
  };
  const allWarnings = [...warnings, ...landlock.warnings];
  return { ...base, ...landlock, backend: "landlock", warnings: allWarnings, warmUp: warmUpAll };
}

/** Where a copy of our own files may be put. */
export function copyFolders({ codexHome, env }: Pick<SandboxOptions, "codexHome" | "env">): CopyFolders {
  const named = [codexHome, "/var/tmp", "/dev/shm"].flatMap((folder) => folder ?? []);
  return { unnamed: [...named, env["TMPDIR"] ?? "/tmp", "/tmp"], named };
}

/** Whether something can be had, and in which form or why not. */
export type Availability =
  | { readonly available: true; readonly summary: string }
  | { readonly available: false; readonly reason: string };

/** What can hold commands on this machine; all that applies to its system, the first is what is taken unless told. */
export function checkSandboxes(options: {
  readonly helperPath: string;
  readonly cwd: string;
  readonly env: Environment;
}): Readonly<Record<string, Availability>> {
  if (process.platform === "darwin") return { seatbelt: { available: true, summary: "Seatbelt" } };
  const host = new CommandHost(options);
  const landlock = availability(() => ({ summary: describeLandlock(findLandlockAbi(host)) }));
  if (process.platform !== "linux") return { landlock };
  const bubblewrap = availability(() =>
    prepareBubblewrap({ mode: "read-only" }, { ...options, host, writableRoots: [] }),
  );
  return { landlock, bubblewrap };
}

function availability(check: () => { readonly summary: string } | { readonly problem: string }): Availability {
  try {
    const found = check();
    return "problem" in found
      ? { available: false, reason: found.problem }
      : { available: true, summary: found.summary };
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
