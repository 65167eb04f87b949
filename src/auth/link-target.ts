import { lstatSync, readlinkSync } from "node:fs";
import path from "node:path";

const mostLinks = 40;

/**
 * A link is followed: its owner keeps the file elsewhere, and a file in its place would leave the old credentials there.
 * What it leads to is replaced in its own folder like the file itself.
 */
export function linkTarget(file: string): string {
  let target = file;
  for (let links = 0; links < mostLinks; links += 1) {
    const stats = lstatSync(target, { throwIfNoEntry: false });
    if (stats === undefined || stats.isFile()) return target;
    if (!stats.isSymbolicLink()) throw new Error("not a regular file");
    target = path.resolve(path.dirname(target), readlinkSync(target));
  }
  throw Object.assign(new Error("too many links"), { code: "ELOOP" });
}
