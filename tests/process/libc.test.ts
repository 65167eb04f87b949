import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { locateForeignModule } from "../../src/process/libc.ts";

describe.runIf(process.platform === "linux")("the native part of the FFI", () => {
  const flavours = ["linux", "musl"].map((flavour) => `${flavour}_${process.arch}/koffi.node`);
  const packageName = `@koromix/koffi-linux-${process.arch}`;
  let root: string;
  beforeEach(() => {
    root = realpathSync(mkdtempSync(path.join(os.tmpdir(), "codex-test-")));
  });
  afterEach(() => rmSync(root, { recursive: true }));

  /** Installs the package below `folder` as npm does. */
  function install(folder: string): void {
    for (const name of flavours) {
      const file = path.join(folder, packageName, name);
      mkdirSync(path.dirname(file), { recursive: true });
      writeFileSync(file, "");
    }
  }

  /** The place of a file of ours and where the package is, both below the root. */
  const layouts: readonly { readonly name: string; readonly from: string; readonly folder: string }[] = [
    { name: "beside us", from: "lib/node_modules/ours/dist/a.cjs", folder: "lib/node_modules" },
    { name: "below us", from: "lib/node_modules/ours/dist/a.cjs", folder: "lib/node_modules/ours/node_modules" },
    { name: "far above us", from: "a/b/c/d/e.cjs", folder: "node_modules" },
  ];

  test.each(layouts)("is found where Node finds it: $name", ({ from, folder }) => {
    install(path.join(root, folder));
    const file = path.join(root, from);
    const byNode = flavours.map((name) => createRequire(file).resolve(`${packageName}/${name}`));
    expect(byNode).toContain(locateForeignModule(file));
  });

  test("is found behind a link, and named by where it lies", () => {
    install(path.join(root, "store"));
    mkdirSync(path.join(root, "node_modules"));
    symlinkSync(path.join(root, "store/@koromix"), path.join(root, "node_modules/@koromix"));
    expect(locateForeignModule(path.join(root, "dist/a.cjs"))).toMatch(path.join(root, "store"));
  });

  test("is missed when it is nowhere", () => {
    expect(() => locateForeignModule(path.join(root, "dist/a.cjs"))).toThrow("Cannot find module");
  });
});
