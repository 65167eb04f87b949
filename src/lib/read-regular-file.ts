import type { Buffer } from "node:buffer";
import { readFileSync, statSync } from "node:fs";

/** Reads a file but nothing that is none: a FIFO or a device in a hostile repository would keep us waiting for ever. */
export function readRegularFile(file: string): Buffer {
  const stat = statSync(file);
  if (!stat.isFile() && !stat.isDirectory()) throw new Error("not a regular file"); // a directory fails below, with EISDIR
  return readFileSync(file);
}
