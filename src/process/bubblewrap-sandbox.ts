import { existsSync, lstatSync } from "node:fs";
import type { Environment } from "../lib/environment.ts";
import { UserError } from "../lib/errors.ts";
import { hasNetworkAccess, type SandboxPolicy } from "../protocol/policy.ts";
import { type Bubblewrap, type BubblewrapRules, findBubblewrap, foldersAbove } from "./bubblewrap.ts";
import type { CommandHost } from "./command-host.ts";
import { keepDescriptors } from "./exec-in-place.ts";
import { gitParts } from "./git-parts.ts";
import { newestAbi } from "./landlock.ts";
import { withForeignModule } from "./landlock-sandbox.ts";
import { mountCheck } from "./mount-check.ts";
import { bubblewrapFailure } from "./sandbox-error.ts";
import { seccompFilter } from "./seccomp.ts";
import { supportedCpu } from "./system-calls.ts";
import type { WritableRoot } from "./writable-roots.ts";

export interface BubblewrapOptions {
  readonly host: CommandHost;
  readonly cwd: string;
  readonly env: Environment;
  readonly writableRoots: readonly WritableRoot[];
}

export interface PreparedBubblewrap {
  readonly bubblewrap: Bubblewrap;
  readonly rules: BubblewrapRules;
  readonly warnings: readonly string[];
  readonly summary: string;
}

/** How bubblewrap is run under a policy, or why it cannot be here. */
export function prepareBubblewrap(
  policy: SandboxPolicy,
  { host, cwd, env, writableRoots }: BubblewrapOptions,
): PreparedBubblewrap | { readonly problem: string } {
  const libc = withForeignModule(() => host.loadLibc());
  const cpu = supportedCpu();
  if (cpu === undefined) throw new Error(`${process.arch} is not supported`);
  // Bubblewrap passes on whatever it gets.
  keepDescriptors(libc);
  const network = hasNetworkAccess(policy);
  // Mounts govern what an old Landlock does not, so that the filter need not.
  const filter = seccompFilter({ cpu, network, readOnly: policy.mode === "read-only", landlockAbi: newestAbi });
  const paths = writableRoots.map((root) => root.path);
  const found = findBubblewrap(libc, { env, exposed: [cwd, ...paths], filter, known: host.bubblewraps });
  if ("problem" in found) return found;
  const folders = policy.mode === "workspace-write" ? [cwd, ...policy.writable_roots] : [];
  // A mount needs something to lie over: what is not there yet stays the commands' own.
  const readOnly = gitParts(folders, paths).filter((part) => existsSync(part));
  const links = readOnly.filter((part) => lstatSync(part).isSymbolicLink());
  const warnings = links.map((link) => `Commands can put another in the place of "${link}", which is a symbolic link.`);
  const { bubblewrap } = found;
  const check = mountCheck(host.perl, { roots: writableRoots, folders: foldersAbove(readOnly, writableRoots) });
  const rules = { writableRoots, readOnly, network, filter, check };
  return { bubblewrap, rules, warnings, summary: describeBubblewrap(bubblewrap) };
}

export function describeBubblewrap({ version, program }: Bubblewrap): string {
  return `${version} (${program}) and seccomp`;
}

export function bubblewrapRefusal(problem: string): UserError {
  return new UserError(bubblewrapFailure(`${problem}, and linux_sandbox asks for it.`));
}
