import { readFileSync, statSync } from "node:fs";
import path from "node:path";
import { explainSystemError } from "./errors.ts";

/** Providers refuse larger ones, and a data URL of this size already costs a request of 27 MB. */
const maxImageBytes = 20 * 1024 * 1024;

export type ImageFile =
  | { readonly ok: true; readonly dataUrl: string }
  | { readonly ok: false; readonly problem: string };

/** Reads an image as a data URL; the problem is the cause alone, without the path. */
export function readImageFile(file: string): ImageFile {
  try {
    const stat = statSync(file); // before reading: a FIFO or device would hang
    if (!stat.isFile())
      return { ok: false, problem: stat.isDirectory() ? "Is a directory (os error 21)" : "not a regular file" };
    if (stat.size > maxImageBytes) return { ok: false, problem: `larger than ${maxImageBytes / 1024 / 1024} MiB` };
    return { ok: true, dataUrl: `data:${mimeType(file)};base64,${readFileSync(file, "base64")}` };
  } catch (error) {
    return { ok: false, problem: explainSystemError(error) };
  }
}

const mimeTypes: Readonly<Record<string, string>> = {
  ".png": "image/png",
  ".jpg": "image/jpeg",
  ".jpeg": "image/jpeg",
  ".gif": "image/gif",
  ".webp": "image/webp",
  ".bmp": "image/bmp",
  ".svg": "image/svg+xml",
  ".tif": "image/tiff",
  ".tiff": "image/tiff",
  ".avif": "image/avif",
  ".heic": "image/heic",
};

function mimeType(file: string): string {
  return mimeTypes[path.extname(file).toLowerCase()] ?? "application/octet-stream";
}
