import { fstatSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { makePrivateCopy } from "../../src/process/private-copy.ts";
import { temporaryFolder } from "./support.ts";

let folder = "";
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(() => rmSync(folder, { recursive: true }));

const foldersOf = (...folders: readonly string[]) => ({ unnamed: folders, named: folders });

test("a copy that cannot do without a name is made only where no command may write", () => {
  const file = path.join(folder, "file");
  writeFileSync(file, "content");
  let uses = 0;
  const use = () => {
    uses++;
    throw new Error("not here");
  };
  expect(makePrivateCopy(file, { unnamed: [folder], named: [], use })).toBeUndefined();
  expect([uses, readdirSync(folder)]).toEqual([1, ["file"]]);
});

test.skipIf(process.platform !== "linux")("a copy has no name and can be opened by its descriptor", () => {
  const file = path.join(folder, "file");
  writeFileSync(file, "content");
  const copy = makePrivateCopy(file, { ...foldersOf("/no/such/folder", folder), use: (fd) => `/proc/self/fd/${fd}` });
  writeFileSync(file, "changed");
  expect(readFileSync(copy?.result ?? "", "utf8")).toBe("content");
  expect(fstatSync(copy?.fd ?? -1).nlink).toBe(0);
  expect(readdirSync(folder)).toEqual(["file"]);
});

test.skipIf(process.platform !== "linux")("the next way is tried when a copy cannot be used", () => {
  const file = path.join(folder, "file");
  writeFileSync(file, "content");
  let uses = 0;
  const use = () => {
    uses++;
    if (uses < 4) throw new Error("not here");
    return uses;
  };
  expect(makePrivateCopy(file, { ...foldersOf(folder, folder), use })?.result).toBe(4);
  expect(makePrivateCopy(file, { ...foldersOf("/no/such/folder"), use })).toBeUndefined();
  expect(readdirSync(folder)).toEqual(["file"]);
});
