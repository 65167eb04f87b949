import { readFileSync } from "node:fs";
import path from "node:path";
import type { Environment } from "../lib/environment.ts";
import { UserError } from "../lib/errors.ts";
import { isInside } from "../lib/path-inside.ts";
import { hasNetworkAccess, type SandboxPolicy } from "../protocol/policy.ts";
import { canonicalPath } from "./canonical-path.ts";
import { CommandHost } from "./command-host.ts";
import { queryLandlockAbi } from "./landlock.ts";
import { SystemCallError } from "./libc.ts";
import type { Restrictions } from "./restrict.ts";
import { explainRefusal, sandboxFailure } from "./sandbox-error.ts";
import { type SeatbeltProfile, type SeatbeltRoot, seatbeltProfile } from "./seatbelt.ts";
import { supportedCpu } from "./system-calls.ts";
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
      host.tryLibc();
      host.guard.start();
    };
    const writableRoots = [path.parse(options.cwd).root];
    return { type: "None", policy, writableRoots, warnings: [], summary: "none", host, warmUp, close };
  }

  const roots = policy.mode === "workspace-write" ? resolveWritableRoots(policy, options) : [];
  const writableRoots = roots.map((root) => root.path);
  const warnings = [...configurationWarnings(policy, options)];
  const base = { policy, writableRoots, host, close };
  if (process.platform === "darwin") {
    const seatbeltRoots = writableRoots.map(seatbeltRoot);
    const network = hasNetworkAccess(policy);
    const profile = seatbeltProfile({ roots: seatbeltRoots, network, ...macosCacheFolder(options.env) });
    const warmUp = () => host.guard.start();
    const type = "MacosSeatbelt";
    return { ...base, type, roots: seatbeltRoots, profile, warnings, summary: "Seatbelt", warmUp };
  }

  const copyFolders = [options.codexHome, options.env["TMPDIR"], "/tmp", "/var/tmp", "/dev/shm"].flatMap(
    (folder) => folder ?? [],
  );
  if (!prepareLibc(() => host.protectFrom(writableRoots, copyFolders))) {
    warnings.push("This program's own files lie in a folder that commands may write, and could be changed by them.");
  }
  const landlockAbi = Math.min(findLandlockAbi(host), options.landlockAbiLimit ?? Number.POSITIVE_INFINITY);
  if (landlockAbi < 2) warnings.push("This kernel cannot allow renaming files between folders to sandboxed commands.");
  const restrictions: Restrictions = {
    writableRoots: roots,
    network: hasNetworkAccess(policy),
    readOnly: policy.mode === "read-only",
    landlockAbi,
  };
  const warmUp = () => {
    host.guard.start();
    host.warmUpHelper();
  };
  return { ...base, type: "LinuxSeccomp", restrictions, warnings, summary: describeLandlock(landlockAbi), warmUp };
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

function findLandlockAbi(host: CommandHost): number {
  const libc = prepareLibc(() => host.loadLibc());
  try {
    return queryLandlockAbi(libc);
  } catch (error) {
    if (!(error instanceof SystemCallError)) throw error;
    throw new UserError(sandboxFailure(explainRefusal(error.call, error.errno)), { cause: error });
  }
}

function prepareLibc<T>(load: () => T): T {
  const { platform, arch } = process;
  if (platform === "win32") {
    throw new UserError(
      "cannot sandbox commands on Windows. Run this program inside WSL 2 (wsl --install), or use " +
        "--sandbox danger-full-access in a machine you can lose.",
    );
  }
  if (platform !== "linux" || supportedCpu() === undefined) {
    throw new UserError(sandboxFailure(`${platform}-${arch} is not supported.`));
  }
  try {
    return load();
  } catch (cause) {
    const name = `@koromix/koffi-linux-${arch}`;
    const reason = `the optional package ${name} is missing (was it installed with --omit=optional?).`;
    throw new UserError(sandboxFailure(reason), { cause });
  }
}

function describeLandlock(abi: number): string {
  const lacks = [
    ...(abi < 2 ? ["renaming between folders"] : []),
    ...(abi < 4 ? ["a second wall around the network"] : []),
    ...(abi < 6 ? ["keeping signals inside"] : []),
  ];
  const lacking = lacks.length === 0 ? "" : `; this kernel lacks ${lacks.join(", ")}`;
  return `Landlock (ABI ${abi}) and seccomp${lacking}`;
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

/** What a command could plant there would run outside of the sandbox, at the next use of git. */
function seatbeltRoot(root: string): SeatbeltRoot {
  const git = path.join(root, ".git");
  return { path: root, readOnly: [git, ...namedByGitFile(git)] };
}

/** In a worktree or submodule `.git` is a file that names the real folder. */
function namedByGitFile(git: string): readonly string[] {
  try {
    const named = /^gitdir: (.+)$/m.exec(readFileSync(git, "utf8"))?.[1];
    return named === undefined ? [] : [path.resolve(path.dirname(git), named)];
  } catch {
    // A folder, or nothing.
    return [];
  }
}

/** Beside the user's temporary folder, which is the only one of the two that the environment names. */
function macosCacheFolder(env: Environment): { readonly cacheFolder?: string } {
  const temporary = env["TMPDIR"];
  if (!temporary || !/^(\/private)?\/var\/folders\/[^/]+\/[^/]+\/T\/?$/.test(temporary)) return {};
  return { cacheFolder: canonicalPath(path.join(temporary, "..", "C")) };
}
