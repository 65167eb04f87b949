import { constants } from "node:os";
import { dropCapabilities } from "./capabilities.ts";
import { restrictFiles } from "./landlock.ts";
import type { Libc } from "./libc.ts";
import { installFilter, seccompFilter } from "./seccomp.ts";
import { supportedCpu } from "./system-calls.ts";
import type { WritableRoot } from "./writable-roots.ts";

/** What a sandboxed process keeps; everything may be read. */
export interface Restrictions {
  readonly writableRoots: readonly WritableRoot[];
  readonly network: boolean;
  readonly readOnly: boolean;
  readonly landlockAbi: number;
}

const setNoNewPrivileges = 38;

/** Binds this thread, and whatever it becomes or starts, for good. Throws when any part cannot be had. */
export function restrictSelf(libc: Libc, restrictions: Restrictions): void {
  const cpu = supportedCpu();
  if (cpu === undefined) throw new Error(`${process.platform}-${process.arch} is not supported`);
  const { network, readOnly, landlockAbi } = restrictions;
  dropCapabilities(libc);
  libc.syscall("prctl", setNoNewPrivileges, 1, 0, 0, 0);
  restrictFiles(libc, { abi: landlockAbi, writableRoots: restrictions.writableRoots, network });
  installFilter(libc, seccompFilter({ cpu, network, readOnly, landlockAbi }));
}

const setParentDeathSignal = 1;

/** Ends this process when the thread that started it ends, however it ends. */
export function dieWithParent(libc: Libc): void {
  libc.syscall("prctl", setParentDeathSignal, constants.signals.SIGTERM, 0, 0, 0);
}
