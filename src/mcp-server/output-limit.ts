import { Buffer } from "node:buffer";
import type { EventMsg } from "../protocol/event.ts";

/** The end event of a command with its texts cut in the middle; all else as it is. */
export function withLimitedOutput(msg: EventMsg, maxBytes: number | undefined): EventMsg {
  if (maxBytes === undefined || msg.type !== "exec_command_end") return msg;
  const { stdout, stderr, aggregated_output } = msg;
  return {
    ...msg,
    stdout: cut(stdout, maxBytes),
    stderr: cut(stderr, maxBytes),
    aggregated_output: cut(aggregated_output, maxBytes),
  };
}

function cut(text: string, maxBytes: number): string {
  if (text.length * 3 <= maxBytes) return text; // no character takes more
  const bytes = Buffer.from(text);
  if (bytes.length <= maxBytes) return text;
  const half = Math.floor(maxBytes / 2);
  const head = wholeCharacters(bytes.subarray(0, half));
  const tail = wholeCharacters(bytes.subarray(bytes.length - half));
  return `${head}\n[... ${bytes.length - Buffer.byteLength(head) - Buffer.byteLength(tail)} bytes omitted ...]\n${tail}`;
}

/** Without the parts of characters at either end. */
function wholeCharacters(bytes: Buffer): string {
  return bytes.toString("utf8").replace(/^\uFFFD+|\uFFFD+$/g, "");
}
