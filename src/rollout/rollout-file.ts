import { closeSync, constants, fstatSync, openSync, readFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { explainSystemError, UserError } from "../lib/errors.ts";
import { isRecord, parseJson } from "../lib/parse-json.ts";

/** Throws a UserError with the system's words alone, which clients know. */
export function readRolloutFile(file: string): Buffer {
  try {
    const fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const stat = fstatSync(fd);
      if (!stat.isFile() && !stat.isDirectory()) throw new Error("not a regular file");
      return readFileSync(fd);
    } finally {
      closeSync(fd);
    }
  } catch (cause) {
    throw new UserError(explainSystemError(cause), { cause });
  }
}

/** The same without keeping the process from other work. */
export async function readRolloutFileInSteps(file: string): Promise<Buffer> {
  try {
    const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const stat = await handle.stat();
      if (!stat.isFile() && !stat.isDirectory()) throw new Error("not a regular file");
      return await handle.readFile();
    } finally {
      await handle.close();
    }
  } catch (cause) {
    throw new UserError(explainSystemError(cause), { cause });
  }
}

/** Line by line, since a long session may be larger than a string can be. */
export function* linesOf(content: Buffer): Iterable<{ readonly text: string; readonly isTorn: boolean }> {
  for (let start = 0; start < content.length; ) {
    const lineBreak = content.indexOf(10, start);
    const isTorn = lineBreak === -1;
    const end = isTorn ? content.length : lineBreak;
    yield { text: content.toString("utf8", start, end), isTorn };
    start = end + 1;
  }
}

/**
 * The lines of a session for a copy of it under another id: without the first one, which the copy has of its own (some
 * versions take the id from the last such line), without damaged ones, and the bare items of old versions in the form
 * of today.
 */
export function linesForCopy(file: string, now: Date): Buffer {
  const parts: string[] = [];
  for (const { text } of linesOf(readRolloutFile(file))) {
    const line = parseJson(text);
    if (!line.ok || !isRecord(line.value)) continue;
    const { type } = line.value;
    if ("payload" in line.value) {
      if (type !== "session_meta") parts.push(text);
    } else if (type !== undefined) {
      parts.push(JSON.stringify({ timestamp: now.toISOString(), type: "response_item", payload: line.value }));
    }
  }
  return Buffer.from(parts.map((line) => `${line}\n`).join(""));
}
