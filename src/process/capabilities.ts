import { type Libc, succeeds } from "./libc.ts";

const capabilityVersion = 0x20080522;
const dropFromBoundingSet = 24;
const ambientSet = 47;
const clearAmbientSet = 4;

/**
 * CHOWN, DAC_OVERRIDE, FOWNER, FSETID, KILL, SETGID, SETUID and NET_BIND_SERVICE: what package managers and builds
 * run by root need. The others would let a command read our memory, make devices or set the clock.
 */
export const keptCapabilities = 0x4fb;

/** Gives up root's powers that are not about files; does nothing where none are held. */
export function dropCapabilities(libc: Libc): void {
  const header = Buffer.alloc(8);
  header.writeUInt32LE(capabilityVersion, 0);
  // Two entries of effective, permitted and inheritable: the low words, then the high ones.
  const sets = Buffer.alloc(24);
  libc.syscall("capget", header, sets);
  const held = sets.readUInt32LE(4);
  if (held === 0 && sets.readUInt32LE(16) === 0) return;

  // Refused behind the kernel's last capability, or without the right to touch the set: the capset decides, unforgiven.
  for (let capability = 0; capability < 64; capability++) {
    const isKept = capability < 32 && ((keptCapabilities >>> capability) & 1) === 1;
    if (!isKept && !succeeds(() => libc.syscall("prctl", dropFromBoundingSet, capability, 0, 0, 0))) break;
  }
  succeeds(() => libc.syscall("prctl", ambientSet, clearAmbientSet, 0, 0, 0));
  sets.fill(0);
  sets.writeUInt32LE((held & keptCapabilities) >>> 0, 0);
  sets.writeUInt32LE((held & keptCapabilities) >>> 0, 4);
  libc.syscall("capset", header, sets);
}
