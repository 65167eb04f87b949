import { Buffer } from "node:buffer";
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { isRecord, parseJson } from "../lib/parse-json.ts";
import { LineCutter } from "../lib/read-lines.ts";
import type { Steps } from "../lib/steps.ts";
import { isContext } from "./compacted-history.ts";
import { toResponseItem, toStoredEvent } from "./stored-item.ts";

interface SessionHead {
  readonly timestamp: string | undefined;
  readonly cwd: string | undefined;
  /** Undefined: the user has said nothing yet. */
  readonly preview: string | undefined;
}

/** Editors put their context before this line of a prompt. */
const editorMarker = "## My request for Codex:";

const firstChunk = 16 * 1024;
const largestChunk = 1024 * 1024;

/** A session has its first message sooner, however large that is; a damaged file may never come to one. */
const longestHead = { lines: 10_000, bytes: 32 * 1024 * 1024 };

/** What a list shows of a session, read up to the user's first message; undefined for a file that cannot be read. */
export function* readSessionHead(file: string): Steps<SessionHead | undefined> {
  let fd: number | undefined;
  try {
    fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
    return fstatSync(fd).isFile() ? yield* readHead(fd) : undefined;
  } catch {
    return undefined; // not ours to read, or gone since it was found
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

function* readHead(fd: number): Steps<SessionHead> {
  let meta: Readonly<Record<string, unknown>> | undefined;
  let preview: string | undefined;
  let count = 0;
  for (const line of linesOf(fd)) {
    yield;
    if (line === undefined) continue;
    count += 1;
    if (count > longestHead.lines) break;
    const parsed = parseJson(line);
    if (!parsed.ok || !isRecord(parsed.value)) continue;
    const { type, payload } = parsed.value;
    const isMeta = type === "session_meta" || type === undefined; // bare until 0.29
    if (meta === undefined && isMeta) meta = isRecord(payload) ? payload : parsed.value;
    preview = previewOf("payload" in parsed.value ? payload : parsed.value);
    if (preview !== undefined) break;
  }
  return { timestamp: textOf(meta?.["timestamp"]), cwd: textOf(meta?.["cwd"]), preview };
}

/** Of the event that tells a message, or the item before it, which old versions wrote alone. */
function previewOf(value: unknown): string | undefined {
  const event = toStoredEvent(value);
  if (event?.type === "user_message") return event.kind === "plain" ? withoutContext(event.message) : undefined;
  const item = toResponseItem(value);
  if (item?.type !== "message" || item.role !== "user" || isContext(item)) return undefined;
  return withoutContext(item.content.map((part) => (part.type === "input_image" ? "" : part.text)).join(""));
}

function withoutContext(message: string): string {
  const at = message.indexOf(editorMarker);
  return at === -1 ? message : message.slice(at + editorMarker.length).trim();
}

/** As many as are asked for; a first message may be large, and seldom is. Undefined: nothing yet. */
function* linesOf(fd: number): Iterable<string | undefined> {
  const cutter = new LineCutter({ maxBytes: longestHead.bytes });
  let size = firstChunk;
  for (let total = 0; total < longestHead.bytes; ) {
    const chunk = Buffer.allocUnsafe(size);
    const count = readSync(fd, chunk, 0, size, null);
    if (count === 0) {
      yield cutter.rest().toString("utf8");
      return;
    }
    for (const line of cutter.add(chunk.subarray(0, count))) {
      if (line !== "too long") yield line.toString("utf8");
    }
    yield undefined;
    total += count;
    size = Math.min(size * 4, largestChunk);
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}
