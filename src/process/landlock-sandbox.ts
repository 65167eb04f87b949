import { UserError } from "../lib/errors.ts";
import { hasNetworkAccess, type SandboxPolicy } from "../protocol/policy.ts";
import type { CommandHost } from "./command-host.ts";
import { queryLandlockAbi } from "./landlock.ts";
import { SystemCallError } from "./libc.ts";
import type { Restrictions } from "./restrict.ts";
import { explainRefusal, landlockFailure, sandboxFailure } from "./sandbox-error.ts";
import { supportedCpu } from "./system-calls.ts";
import type { WritableRoot } from "./writable-roots.ts";

export interface LandlockOptions {
  readonly host: CommandHost;
  readonly writableRoots: readonly WritableRoot[];
  readonly abiLimit: number | undefined;
}

/** What the helper of each command is told to give up; throws a UserError where it could not. */
export function prepareLandlock(
  policy: SandboxPolicy,
  options: LandlockOptions,
): { readonly restrictions: Restrictions; readonly warnings: readonly string[]; readonly summary: string } {
  const { host, writableRoots } = options;
  const landlockAbi = Math.min(findLandlockAbi(host), options.abiLimit ?? Number.POSITIVE_INFINITY);
  const warnings = landlockAbi < 2 ? ["This kernel lets no sandboxed command rename a file into another folder."] : [];
  const network = hasNetworkAccess(policy);
  const restrictions = { writableRoots, network, readOnly: policy.mode === "read-only", landlockAbi };
  return { restrictions, warnings, summary: describeLandlock(landlockAbi) };
}

/** Throws a UserError when this machine has none. */
export function findLandlockAbi(host: CommandHost): number {
  const libc = withForeignModule(() => host.loadLibc());
  try {
    return queryLandlockAbi(libc);
  } catch (error) {
    if (!(error instanceof SystemCallError)) throw error;
    throw new UserError(landlockFailure(explainRefusal(error.call, error.errno)), { cause: error });
  }
}

/** For what both sandboxes of Linux need the FFI for; throws a UserError where it cannot be had. */
export function withForeignModule<T>(load: () => T): T {
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

export function describeLandlock(abi: number): string {
  const lacks = [
    ...(abi < 2 ? ["renaming between folders"] : []),
    ...(abi < 4 ? ["a second wall around the network"] : []),
    ...(abi < 6 ? ["keeping signals inside"] : []),
  ];
  const lacking = lacks.length === 0 ? "" : `; this kernel lacks ${lacks.join(", ")}`;
  return `Landlock (ABI ${abi}) and seccomp${lacking}`;
}
