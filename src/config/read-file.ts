import { isUtf8 } from "node:buffer";
import { closeSync, openSync, readFileSync, readSync, statSync } from "node:fs";

const maxTextBytes = 16 * 1024 * 1024;

/** A whole UTF-8 file, undefined without one. */
export function readTextFile(file: string): string | undefined {
  const size = sizeOf(file);
  if (size === undefined) return undefined;
  if (size > maxTextBytes) throw new Error(`larger than ${maxTextBytes} bytes`);
  const text = readFileSync(file, "utf8");
  if (text.includes("\uFFFD") && !isUtf8(readFileSync(file))) throw new Error("stream did not contain valid UTF-8");
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
}

/** As much of a text as `maxBytes` allow, undefined without a file. A character that does not fit is left out. */
export function readTextStart(
  file: string,
  maxBytes: number,
): { readonly text: string; readonly bytes: number; readonly isCut: boolean } | undefined {
  const size = sizeOf(file);
  if (size === undefined) return undefined;
  if (size <= maxBytes) return { text: readFileSync(file, "utf8"), bytes: size, isCut: false };
  const content = Buffer.alloc(maxBytes + 1); // the byte behind the end tells whether a character ends there
  const fd = openSync(file, "r");
  try {
    readSync(fd, content, 0, content.length, 0);
  } finally {
    closeSync(fd);
  }
  let end = maxBytes;
  while (end > 0 && ((content[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return { text: content.toString("utf8", 0, end), bytes: maxBytes, isCut: true };
}

/** Lets nothing through that reading could wait for; a character device counts as empty, for the sake of /dev/null. */
function sizeOf(file: string): number | undefined {
  const stat = statSync(file, { throwIfNoEntry: false }); // an exception would cost more than the rest
  if (stat === undefined || stat.isFile()) return stat?.size;
  if (stat.isCharacterDevice()) return undefined;
  throw new Error(stat.isDirectory() ? "Is a directory (os error 21)" : "not a regular file");
}
