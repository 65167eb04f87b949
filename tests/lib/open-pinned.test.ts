import { closeSync, mkdirSync, mkdtempSync, realpathSync, renameSync, rmSync, symlinkSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { openPinned } from "../../src/lib/open-pinned.ts";

test.skipIf(process.platform !== "linux")("a folder is opened as long as no link leads to it", () => {
  const folder = realpathSync(mkdtempSync(path.join(os.tmpdir(), "codex-pinned-")));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  mkdirSync(path.join(folder, "inside/here"), { recursive: true });
  mkdirSync(path.join(folder, "outside/here"), { recursive: true });
  const here = path.join(folder, "inside/here");
  closeSync(openPinned(here));
  renameSync(path.join(folder, "inside"), path.join(folder, "moved"));
  symlinkSync("outside", path.join(folder, "inside"));
  expect(() => openPinned(here)).toThrow(`"${here}" was replaced`);
  expect(() => openPinned(path.join(folder, "inside"))).toThrow("was replaced");
});
