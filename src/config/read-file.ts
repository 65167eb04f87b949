import { type Buffer, isUtf8 } from "node:buffer";
import { statSync } from "node:fs";
import { type PlaceCheck, readFileStart, readRegularFile } from "../lib/read-regular-file.ts";

const maxTextBytes = 16 * 1024 * 1024;

/** A whole UTF-8 file, undefined without one. */
export function readTextFile(file: string): string | undefined {
  const start = isDevice(file) ? undefined : readFileStart(file, maxTextBytes);
  if (start === undefined) return undefined;
  if (start.isCut) throw new Error(`larger than ${maxTextBytes} bytes`);
  return decode(start.bytes);
}

/** The same of a file that somebody relies on; throws without one. */
export function readWholeTextFile(file: string, check?: PlaceCheck): string {
  return isDevice(file) ? "" : decode(readRegularFile(file, maxTextBytes, check));
}

function decode(bytes: Buffer): string {
  const text = bytes.toString("utf8");
  if (text.includes("\uFFFD") && !isUtf8(bytes)) throw new Error("stream did not contain valid UTF-8");
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
}

/** As much of a text as `maxBytes` allow, undefined without a file. A character that does not fit is left out. */
export function readTextStart(
  file: string,
  maxBytes: number,
  check?: PlaceCheck,
): { readonly text: string; readonly bytes: number; readonly isCut: boolean } | undefined {
  const start = isDevice(file) ? undefined : readFileStart(file, maxBytes + 1, check); // the byte behind the end tells whether a character ends there
  if (start === undefined) return undefined;
  const { bytes } = start;
  if (bytes.length <= maxBytes) return { text: bytes.toString("utf8"), bytes: bytes.length, isCut: false };
  let end = maxBytes;
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return { text: bytes.toString("utf8", 0, end), bytes: maxBytes, isCut: true };
}

/** A character device counts as empty, for the sake of links to /dev/null. */
function isDevice(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false })?.isCharacterDevice() === true;
}
