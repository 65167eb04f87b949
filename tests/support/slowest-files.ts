import type { Reporter, TestModule } from "vitest/node";

const shown = 10;

/** Prints the slowest test files at the end of a run of many, with the time that each took. */
export class SlowestFiles implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    if (modules.length <= shown) return;
    const times = modules.map((module) => ({ name: module.relativeModuleId, ms: module.diagnostic().duration }));
    const slowest = times.toSorted((one, other) => other.ms - one.ms).slice(0, shown);
    const lines = slowest.map(({ name, ms }) => `${(ms / 1000).toFixed(1).padStart(8)} s  ${name}`);
    process.stdout.write(`\nThe slowest files:\n${lines.join("\n")}\n`);
  }
}
