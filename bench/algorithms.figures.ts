import { expect, test } from "vitest";
import { LineFinder } from "../src/patch/find-lines.ts";
import { unifiedDiff } from "../src/patch/unified-diff.ts";
import { checkBudget, nodeStartMs } from "./budget.ts";

function timed(work: () => unknown): number {
  const started = performance.now();
  work();
  return performance.now() - started;
}

const base = "the start of Node";
const lines = Array.from({ length: 20_000 }, (_, index) => `line ${index}\n`);
const text = lines.join("");

test.each<[string, readonly string[], number]>([
  ["one of 20,000 lines is another", lines.with(12_000, "changed\n"), 5],
  ["no two of 20,000 lines are the same", lines.map((line) => `other ${line}`), 5],
  ["20,000 lines stand in the opposite order", lines.toReversed(), 20],
])("a diff where %s", (name, other, budget) => {
  const value = timed(() => unifiedDiff(text, other.join(""), { contextLines: 1 }));
  checkBudget(`a diff where ${name}`, { value, beside: nodeStartMs(), base, budget });
});

test("a block that is looked for in 50,000 equal lines", () => {
  const finder = new LineFinder(Array.from({ length: 50_000 }, () => "}"));
  const block = [...Array.from({ length: 25_000 }, () => "}"), "end"];
  const value = timed(() => expect(finder.find(block, { from: 0 })).toBeNull());
  checkBudget("a block in 50,000 equal lines", { value, beside: nodeStartMs(), base, budget: 10 });
});
