import { Buffer } from "node:buffer";

/** How much of a command's output the model is shown. */
const limit = { bytes: 10_240, lines: 256 };

/** The JSON text that answers a command. */
export function commandAnswer(output: string, exitCode: number, durationMs: number): string {
  return JSON.stringify({
    output: truncateMiddle(output),
    metadata: { exit_code: exitCode, duration_seconds: Math.round(durationMs / 100) / 10 },
  });
}

/**
 * Keeps both ends, because a log's cause is at the top and its summary at the bottom. Half of the lines and half of the
 * bytes go to the head; the tail gets what is left of the bytes, so a single huge line keeps its end too.
 */
export function truncateMiddle(output: string): string {
  // A string has at least as many bytes as UTF-16 units, and counting them is cheap only for short ones.
  const isShort = output.length <= limit.bytes && Buffer.byteLength(output) <= limit.bytes;
  const lineCount = countLines(output);
  if (isShort && lineCount <= limit.lines) return output;

  const half = limit.lines / 2;
  const headEnd = lineCount > limit.lines ? endOfLine(output, half) : output.length;
  const head = cutEnd(output.slice(0, headEnd), limit.bytes / 2);
  const tailStart = lineCount > limit.lines ? startOfLineFromEnd(output, half) : head.length;
  const omitted = Math.max(0, lineCount - limit.lines);
  const marker = `\n[... omitted ${omitted} of ${lineCount} lines ...]\n\n`;
  const room = limit.bytes - Buffer.byteLength(head) - Buffer.byteLength(marker);
  const tail = cutStart(withoutFinalNewline(output).slice(Math.max(tailStart, head.length)), room);
  return head + marker + tail;
}

function countLines(text: string): number {
  if (text === "") return 0;
  let count = text.endsWith("\n") ? 0 : 1;
  for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) count += 1;
  return count;
}

function withoutFinalNewline(text: string): string {
  return text.endsWith("\n") ? text.slice(0, -1) : text;
}

/** Index of the newline that ends line `count`, so that the slice before it holds `count` lines without the last newline. */
function endOfLine(text: string, count: number): number {
  let at = -1;
  for (let line = 0; line < count; line += 1) at = text.indexOf("\n", at + 1);
  return at;
}

/** Index of the first character of the last `count` lines. */
function startOfLineFromEnd(text: string, count: number): number {
  let at = withoutFinalNewline(text).length;
  for (let line = 0; line < count; line += 1) at = text.lastIndexOf("\n", at - 1);
  return at + 1;
}

/** The longest beginning of `text` of at most `bytes` bytes that ends between characters. */
function cutEnd(text: string, bytes: number): string {
  if (Buffer.byteLength(text) <= bytes) return text;
  const buffer = Buffer.from(text.slice(0, bytes));
  let end = Math.min(bytes, buffer.length);
  while (end > 0 && isContinuation(buffer[end])) end -= 1;
  return buffer.toString("utf8", 0, end);
}

/** The longest end of `text` of at most `bytes` bytes that starts between characters. */
function cutStart(text: string, bytes: number): string {
  if (bytes <= 0) return "";
  if (text.length <= bytes && Buffer.byteLength(text) <= bytes) return text;
  const buffer = Buffer.from(text.slice(-bytes));
  let start = Math.max(0, buffer.length - bytes);
  while (start < buffer.length && isContinuation(buffer[start])) start += 1;
  return buffer.toString("utf8", start);
}

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}
