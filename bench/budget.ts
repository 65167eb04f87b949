import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { expect } from "vitest";

interface Figure {
  readonly value: number;
  /** Measured in the same run, in the same unit. */
  readonly beside: number;
  /** What the value is held against; it stands in what is printed. */
  readonly base: string;
  /** The most that the ratio may be. */
  readonly budget: number;
}

/** Prints a figure as a ratio, and fails above its budget. */
export function checkBudget(name: string, { value, beside, base, budget }: Figure): void {
  const ratio = value / beside;
  process.stdout.write(`${name}: ${ratio.toFixed(2)} x ${base} (budget ${budget})\n`);
  expect(ratio, name).toBeLessThan(budget);
}

/** How long Node takes to start and end, in milliseconds; the unit of what a person waits for. */
export function nodeStartMs(): number {
  const times = Array.from({ length: 7 }, () => {
    const started = performance.now();
    spawnSync(process.execPath, ["-e", "0"]);
    return performance.now() - started;
  });
  return median(times);
}

export function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/** Resident memory of a process in megabytes, or the most it has had. Needs /proc. */
export function memoryMb(pid: number | undefined, what: "VmRSS" | "VmHWM" = "VmRSS"): number {
  return Number(new RegExp(`${what}:\\s+(\\d+)`).exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024;
}
