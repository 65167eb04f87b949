import { mkdirSync, statSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { historyInfo } from "../../../src/rollout/message-history.ts";
import { makePipe, tempFolder } from "../config/temp-folder.ts";

test.each([
  ["an empty file", "", 0],
  ["three entries", "{}\n{}\n{}\n", 3],
  ["a torn entry, which does not count", "{}\n{", 1],
  ["more than one buffer", "x\n".repeat(300_000), 300_000],
])("the history's length: %s", (_, text, entryCount) => {
  const home = tempFolder({ "history.jsonl": text });
  expect(historyInfo(home)).toEqual({ logId: statSync(path.join(home, "history.jsonl")).ino, entryCount });
});

test("without a history, or with something else of its name, both numbers are 0", () => {
  const folder = tempFolder();
  mkdirSync(path.join(folder, "a/history.jsonl"), { recursive: true });
  mkdirSync(path.join(folder, "b"));
  makePipe(path.join(folder, "b/history.jsonl"));
  for (const name of ["none", "a", "b"]) {
    expect(historyInfo(path.join(folder, name))).toEqual({ logId: 0, entryCount: 0 });
  }
});
