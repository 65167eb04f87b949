import { type BigIntStats, closeSync, fstatSync, realpathSync, statSync } from "node:fs";
import path from "node:path";
import type { Environment } from "../lib/environment.ts";
import { UserError } from "../lib/errors.ts";
import { openPinned } from "../lib/open-pinned.ts";
import { isInside } from "../lib/path-inside.ts";
import type { WorkspaceWritePolicy } from "../protocol/policy.ts";

/** A canonical path and which file it named when the session began. */
export interface WritableRoot {
  readonly path: string;
  readonly device: string;
  readonly inode: string;
}

/** Each is compared with each. */
const mostRoots = 256;

interface Candidate {
  readonly named: string;
  readonly path: string;
}

/** Configured roots, the working directory, /tmp and $TMPDIR, as far as they exist; none lies below another. */
export function resolveWritableRoots(
  policy: WorkspaceWritePolicy,
  options: { readonly cwd: string; readonly env: Environment },
): readonly WritableRoot[] {
  const temporary = options.env["TMPDIR"];
  const wanted = [...policy.writable_roots, options.cwd];
  if (!policy.exclude_slash_tmp) wanted.push("/tmp");
  if (temporary && !policy.exclude_tmpdir_env_var) wanted.push(temporary);
  const named = [...new Set(wanted.filter((root) => path.isAbsolute(root)).map((root) => path.resolve(root)))];

  // Before any link is followed: a root below another is the commands' own, and they could make it a link to elsewhere.
  if (named.length > mostRoots) throw new UserError(`there are more than ${mostRoots} writable folders`);
  const topmost = named.filter((root) => !named.some((other) => other !== root && isInside(root, other)));
  const candidates = topmost.flatMap(canonical);
  const roots = candidates.filter((root, index) => {
    const others = candidates.filter((other) => other !== root);
    if (others.some((other) => other.path !== root.path && isInside(root.path, other.path))) return false;
    if (candidates.findIndex((other) => other.path === root.path) !== index) return false;
    return !others.some((other) => leadsThrough(root, other.path));
  });
  return roots.flatMap((root) => identify(root.path) ?? []);
}

/**
 * Undefined for one that is gone. Throws when a link stands on the way by now: another command of the workspace could lead
 * the name, and so what is written, elsewhere between two looks at it.
 */
function identify(root: string): WritableRoot | undefined {
  if (statSync(root, { throwIfNoEntry: false }) === undefined) return undefined;
  const { dev, ino } = process.platform === "linux" ? statPinned(root) : statSync(root, { bigint: true });
  return { path: root, device: String(dev), inode: String(ino) };
}

function statPinned(root: string): BigIntStats {
  let fd: number;
  try {
    fd = openPinned(root);
  } catch (cause) {
    throw replaced(root, cause);
  }
  try {
    return fstatSync(fd, { bigint: true });
  } finally {
    closeSync(fd);
  }
}

function replaced(root: string, cause?: unknown): UserError {
  return new UserError(`the writable folder "${root}" was replaced since the session began`, { cause });
}

/** Throws when another file stands in its place by now. */
export function checkRoot(root: WritableRoot, found: BigIntStats): void {
  if (String(found.dev) === root.device && String(found.ino) === root.inode) return;
  throw replaced(root.path);
}

/** Empty for a root that is missing or out of reach: nothing can be written there anyway. */
function canonical(named: string): readonly Candidate[] {
  try {
    return [{ named, path: realpathSync.native(named) }];
  } catch {
    return [];
  }
}

/** True when a link on the way to a root lies in another root, where a command can turn it elsewhere. */
function leadsThrough(root: Candidate, other: string): boolean {
  if (root.named === root.path) return false;
  for (let folder = path.dirname(root.named); folder !== path.dirname(folder); folder = path.dirname(folder)) {
    if (isInside(realpathSync.native(folder), other)) return true;
  }
  return false;
}
