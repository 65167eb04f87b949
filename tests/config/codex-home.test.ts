import { symlinkSync } from "node:fs";
import { userInfo } from "node:os";
import path from "node:path";
import { expect, test } from "vitest";
import { findCodexHome } from "../../src/config/codex-home.ts";
import { UserError } from "../../src/lib/errors.ts";
import { tempFolder } from "./temp-folder.ts";

test.each([
  ["unset", undefined],
  ["empty", ""],
])("CODEX_HOME %s: the home is ~/.codex, which need not exist", (_, value) => {
  expect(findCodexHome({ HOME: "/nowhere", CODEX_HOME: value }, "/")).toBe("/nowhere/.codex");
});

test("without HOME the user database says where home is", () => {
  expect(findCodexHome({}, "/")).toBe(path.join(userInfo().homedir, ".codex"));
});

test("CODEX_HOME is made canonical and may be relative", () => {
  const folder = tempFolder({ "real/config.toml": "" });
  symlinkSync("real", path.join(folder, "link"));
  expect(findCodexHome({ CODEX_HOME: path.join(folder, "link") }, "/")).toBe(path.join(folder, "real"));
  expect(findCodexHome({ CODEX_HOME: "link" }, folder)).toBe(path.join(folder, "real"));
});

test("CODEX_HOME must be a folder that exists", () => {
  const folder = tempFolder({ file: "" });
  expect(() => findCodexHome({ CODEX_HOME: `${folder}/file` }, "/")).toThrow(
    new UserError(`Not a directory (os error 20): CODEX_HOME is "${folder}/file"`),
  );
  expect(() => findCodexHome({ CODEX_HOME: `${folder}/none` }, "/")).toThrow(
    new UserError(`No such file or directory (os error 2): CODEX_HOME is "${folder}/none"`),
  );
});
