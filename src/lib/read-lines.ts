import { Buffer, isUtf8 } from "node:buffer";

/** A line without its end and the blanks around it, or why it cannot be read. */
export type Line = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly problem: string };

const newline = 0x0a;

/** Cuts bytes into lines; the last one needs no newline. A line above `maxBytes` is passed over, not kept. */
export async function* readLines(
  chunks: AsyncIterable<Uint8Array>,
  { maxBytes }: { readonly maxBytes: number },
): AsyncGenerator<Line, void> {
  let parts: Uint8Array[] = [];
  let length = 0;
  const add = (part: Uint8Array) => {
    length += part.length;
    if (length <= maxBytes) parts.push(part);
    else parts = [];
  };
  const take = (): Line => {
    const line = length > maxBytes ? tooLong(maxBytes) : decode(parts);
    parts = [];
    length = 0;
    return line;
  };
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, start)) {
      add(chunk.subarray(start, end));
      yield take();
      start = end + 1;
    }
    if (start < chunk.length) add(chunk.subarray(start));
  }
  if (length > 0) yield take();
}

function decode(parts: readonly Uint8Array[]): Line {
  const bytes = Buffer.concat(parts);
  if (!isUtf8(bytes)) return { ok: false, problem: "not UTF-8" };
  return { ok: true, text: bytes.toString("utf8").trim() }; // which takes a byte order mark away too
}

function tooLong(maxBytes: number): Line {
  return { ok: false, problem: `longer than ${maxBytes / 1024 / 1024} MiB` };
}
