import { constants as bufferConstants } from "node:buffer";
import { closeSync, constants, fstatSync, openSync, readFileSync, type Stats } from "node:fs";
import { open } from "node:fs/promises";
import { explainSystemError, UserError } from "../lib/errors.ts";
import { isRecord, parseJson } from "../lib/parse-json.ts";

/** Which file a name led to; where others can write, the name may lead to another one the next moment. */
export interface FileIdentity {
  readonly dev: number;
  readonly ino: number;
}

export interface RolloutContent {
  readonly bytes: Buffer;
  readonly origin: FileIdentity;
}

/** More than any session has; a file of the workspace may be anything. */
const mostBytes = 2 ** 30;

/** Links are for the caller to resolve, once, so that they cannot lead elsewhere later; nothing is waited for. */
const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK, O_NOCTTY } = constants;
const flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;

/** Throws a UserError with the system's words alone, which clients know; also when it is not the file of `origin`. */
export function readRolloutFile(file: string, origin?: FileIdentity): RolloutContent {
  try {
    const fd = openSync(file, flags);
    try {
      const identity = checkRolloutFile(fstatSync(fd), { file, origin });
      return { bytes: readFileSync(fd), origin: identity };
    } finally {
      closeSync(fd);
    }
  } catch (cause) {
    throw new UserError(explainSystemError(cause), { cause });
  }
}

/** The same without keeping the process from other work. */
export async function readRolloutFileInSteps(file: string): Promise<RolloutContent> {
  try {
    const handle = await open(file, flags);
    try {
      const origin = checkRolloutFile(await handle.stat(), { file });
      return { bytes: await handle.readFile(), origin };
    } finally {
      await handle.close();
    }
  } catch (cause) {
    throw new UserError(explainSystemError(cause), { cause });
  }
}

/** Of an open file; throws a UserError when it is none that can be read, or not the one of `origin`. */
export function checkRolloutFile(
  stat: Stats,
  { file, origin }: { readonly file: string; readonly origin?: FileIdentity | undefined },
): FileIdentity {
  const { dev, ino } = stat;
  if (!stat.isFile() && !stat.isDirectory()) throw new UserError("not a regular file"); // of a folder reading tells
  if (stat.size > mostBytes) throw new UserError("larger than 1 GiB");
  if (origin !== undefined && (dev !== origin.dev || ino !== origin.ino)) {
    throw new UserError(`another file took the place of "${file}" while it was opened`);
  }
  return { dev, ino };
}

/** Line by line, since a long session may be larger than a string can be. */
export function* linesOf(content: Buffer): Iterable<{ readonly text: string; readonly isTorn: boolean }> {
  for (let start = 0; start < content.length; ) {
    const lineBreak = content.indexOf(10, start);
    const isTorn = lineBreak === -1;
    const end = isTorn ? content.length : lineBreak;
    yield { text: lineText(content.subarray(start, end)), isTorn };
    start = end + 1;
  }
}

/** What is longer than a string can be is no JSON to anybody, and is told as a damaged line is. */
export function lineText(line: Buffer): string {
  return line.length > bufferConstants.MAX_STRING_LENGTH ? "longer than a string can be" : line.toString("utf8");
}

/**
 * The lines of a session for a copy of it under another id: without the first one, which the copy has of its own (some
 * versions take the id from the last such line), without damaged ones, and the bare items of old versions in the form
 * of today.
 */
export function linesForCopy(content: Buffer, now: Date): Buffer {
  const parts: string[] = [];
  for (const { text } of linesOf(content)) {
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
