import { closeSync, constants as fsConstants, fstatSync, openSync } from "node:fs";
import { pathOnly } from "../lib/open-pinned.ts";
import type { Libc } from "./libc.ts";
import { checkRoot, type WritableRoot } from "./writable-roots.ts";

/** The newest interface we know how to fill in; later kernels keep understanding it. */
export const newestAbi = 7;

const truncate = 1 << 14;
const ioctlDevice = 1 << 15;
const makeCharacterDevice = 1 << 6;
const makeBlockDevice = 1 << 11;
const execute = 1;
const writeFile = 1 << 1;
const readFile = 1 << 2;
const readFolder = 1 << 3;
/** All that a rule on something other than a folder may name. */
const fileRights = execute | writeFile | readFile | truncate | ioctlDevice;

const createVersion = 1;
export const ruleOnPath = 1;

export interface LandlockRules {
  readonly abi: number;
  readonly writableRoots: readonly WritableRoot[];
  readonly network: boolean;
}

/** The interface version to use on this kernel; throws a SystemCallError where there is none. */
export function queryLandlockAbi(libc: Libc): number {
  return Math.min(libc.syscall("landlock_create_ruleset", 0, 0, createVersion), newestAbi);
}

/** File rights that a ruleset of this ABI can govern. */
function handledRights(abi: number): number {
  let rights = 0x1fff;
  if (abi >= 2) rights |= 1 << 13;
  if (abi >= 3) rights |= truncate;
  if (abi >= 5) rights |= ioctlDevice;
  return rights;
}

/** From here on this thread, and what it becomes, writes below the roots only. */
export function restrictFiles(libc: Libc, rules: LandlockRules): void {
  const ruleset = makeRuleset(libc, rules);
  libc.syscall("landlock_restrict_self", ruleset, 0);
  closeSync(ruleset);
}

/** A descriptor; it has no effect by itself. */
export function makeRuleset(libc: Libc, rules: LandlockRules): number {
  const { attributes, allowed } = planRuleset(rules);
  const ruleset = libc.syscall("landlock_create_ruleset", attributes, attributes.length, 0);
  for (const { path, rightsOnFolder, rightsOnFile, expected } of allowed) {
    const fd = openSync(path, pathOnly | fsConstants.O_NOFOLLOW);
    try {
      const found = fstatSync(fd, { bigint: true });
      if (expected !== undefined) checkRoot(expected, found);
      const rule = Buffer.alloc(12);
      rule.writeBigUInt64LE(BigInt(found.isDirectory() ? rightsOnFolder : rightsOnFile), 0);
      rule.writeInt32LE(fd, 8);
      libc.syscall("landlock_add_rule", ruleset, ruleOnPath, rule, 0);
    } finally {
      closeSync(fd);
    }
  }
  return ruleset;
}

/** What a path may be used for, and all below it if it is a folder. */
interface AllowedPath {
  readonly path: string;
  readonly rightsOnFolder: number;
  readonly rightsOnFile: number;
  readonly expected?: WritableRoot;
}

/** A ruleset as data, for whichever program is to be bound by it: `attributes` as the kernel reads them. */
export function planRuleset({ abi, network, writableRoots }: LandlockRules): {
  readonly attributes: Buffer;
  readonly allowed: readonly AllowedPath[];
} {
  const handled = handledRights(abi);
  const attributes = Buffer.alloc(abi >= 6 ? 24 : abi >= 4 ? 16 : 8);
  attributes.writeBigUInt64LE(BigInt(handled), 0);
  if (abi >= 4) attributes.writeBigUInt64LE(network ? 0n : 3n, 8);
  if (abi >= 6) attributes.writeBigUInt64LE(network ? 2n : 3n, 16);
  const allow = (path: string, rights: number, expected?: WritableRoot): AllowedPath => ({
    path,
    rightsOnFolder: rights & handled,
    rightsOnFile: rights & handled & fileRights,
    ...(expected === undefined ? {} : { expected }),
  });
  // Without the device rights root could make a disk's node in the workspace and write the disk through it.
  const inRoots = handled & ~(makeCharacterDevice | makeBlockDevice | ioctlDevice);
  return {
    attributes,
    allowed: [
      allow("/", execute | readFile | readFolder),
      allow("/dev/null", readFile | writeFile | truncate | ioctlDevice),
      ...writableRoots.map((root) => allow(root.path, inRoots, root)),
    ],
  };
}
