import type { Buffer } from "node:buffer";
import path from "node:path";
import { explainSystemError } from "./errors.ts";
import { type PlaceCheck, readRegularFile } from "./read-regular-file.ts";

/** Providers refuse larger ones, and a data URL of this size already costs a request of 27 MB. */
const maxImageBytes = 20 * 1024 * 1024;

type ImageFile = { readonly ok: true; readonly dataUrl: string } | { readonly ok: false; readonly problem: string };

/** Reads an image as a data URL; the problem is the cause alone, without the path. */
export function readImageFile(file: string, check?: PlaceCheck): ImageFile {
  try {
    const bytes = readRegularFile(file, maxImageBytes, check);
    const type = mimeTypes[path.extname(file).toLowerCase()] ?? typeOfContent(bytes);
    if (type === undefined) return { ok: false, problem: "not an image" };
    return { ok: true, dataUrl: `data:${type};base64,${bytes.toString("base64")}` };
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

/** Files without a telling name: the first bytes of the formats that every provider takes. */
function typeOfContent(bytes: Buffer): string | undefined {
  const start = bytes.toString("latin1", 0, 12);
  if (start.startsWith("\x89PNG")) return "image/png";
  if (start.startsWith("\xff\xd8\xff")) return "image/jpeg";
  if (start.startsWith("GIF8")) return "image/gif";
  return start.startsWith("RIFF") && start.endsWith("WEBP") ? "image/webp" : undefined;
}
