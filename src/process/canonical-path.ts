import { realpathSync } from "node:fs";
import path from "node:path";

/** With all links resolved; what is not there keeps its spelling. */
export function canonicalPath(file: string): string {
  try {
    return realpathSync.native(file);
  } catch {
    return path.resolve(file);
  }
}
