import { fileHoles, filePromises } from "./file-probes.ts";
import { gitHoles, gitPromises } from "./git-probes.ts";
import { networkHoles, networkPromises } from "./network-probes.ts";
import type { Probe } from "./probe.ts";
import { commandPromises, processHoles, processPromises } from "./process-probes.ts";

/**
 * First those with the number of another process: bubblewrap counts its own from 1, and the later ones might by
 * chance have that number.
 */
export const probeGroups: Readonly<Record<string, readonly Probe[]>> = {
  "Other processes and the kernel": processPromises,
  Files: filePromises,
  Network: networkPromises,
  Git: gitPromises,
  "What a command must not notice": commandPromises,
  "Holes, and where the two differ": [...processHoles, ...fileHoles, ...networkHoles, ...gitHoles],
};

export const allProbes: readonly Probe[] = Object.values(probeGroups).flat();
