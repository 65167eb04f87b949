import { closeSync } from "node:fs";
import { constants } from "node:os";
import { dropCapabilities } from "./capabilities.ts";
import { makeRuleset, queryLandlockAbi, restrictFiles } from "./landlock.ts";
import { type Libc, succeeds } from "./libc.ts";
import { installFilter, seccompFilter } from "./seccomp.ts";
import { type Cpu, supportedCpu } from "./system-calls.ts";
import type { WritableRoot } from "./writable-roots.ts";

/** What a sandboxed process keeps; everything may be read. */
export interface Restrictions {
  readonly writableRoots: readonly WritableRoot[];
  readonly network: boolean;
  readonly readOnly: boolean;
  readonly landlockAbi: number;
}

const setParentDeathSignal = 1;
const setNoNewPrivileges = 38;
const newSharedMemory = 0x08000000;

/** What holds for every sandboxed process, so that it can be done before the request comes. */
export function giveUpPrivileges(libc: Libc): void {
  // Fires when the thread that started us ends, however it ends.
  libc.syscall("prctl", setParentDeathSignal, constants.signals.SIGTERM, 0, 0, 0);
  // As root only; the memory that processes share by number is one's own then.
  succeeds(() => libc.syscall("unshare", newSharedMemory));
  dropCapabilities(libc);
  libc.syscall("prctl", setNoNewPrivileges, 1, 0, 0, 0);
}

/** Binds this thread, and whatever it becomes or starts, for good. Throws when any part cannot be had. */
export function restrictSelf(libc: Libc, restrictions: Restrictions): void {
  const { network, readOnly, landlockAbi } = restrictions;
  restrictFiles(libc, { abi: landlockAbi, writableRoots: restrictions.writableRoots, network });
  installFilter(libc, seccompFilter({ cpu: cpuOrThrow(), network, readOnly, landlockAbi }));
}

/** Goes the same way without effect: what runs for the first time takes four times as long. */
export function rehearseRestriction(libc: Libc): void {
  const options = { network: false, readOnly: false, landlockAbi: queryLandlockAbi(libc) };
  closeSync(makeRuleset(libc, { abi: options.landlockAbi, writableRoots: [], network: false }));
  seccompFilter({ cpu: cpuOrThrow(), ...options });
}

function cpuOrThrow(): Cpu {
  const cpu = supportedCpu();
  if (cpu === undefined) throw new Error(`${process.platform}-${process.arch} is not supported`);
  return cpu;
}
