import { Buffer, isUtf8 } from "node:buffer";

/** A line without its end and the blanks around it, or why it cannot be read. */
export type Line = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly problem: string };

const newline = 0x0a;

/** Cuts bytes into lines. Each is put together once, so a long one costs no more for coming in small pieces. */
export class LineCutter {
  readonly #maxBytes: number;
  #pieces: Uint8Array[] = [];
  #length = 0;

  constructor({ maxBytes }: { readonly maxBytes: number }) {
    this.#maxBytes = maxBytes;
  }

  /** The lines that end in this chunk; one above the limit is told as soon as it is that long, and none of it is kept. */
  *add(chunk: Uint8Array): Generator<Buffer | "too long", void> {
    let start = 0;
    while (start < chunk.length) {
      const found = chunk.indexOf(newline, start);
      const end = found === -1 ? chunk.length : found;
      const wasTooLong = this.#length > this.#maxBytes;
      this.#length += end - start;
      const isTooLong = this.#length > this.#maxBytes;
      if (isTooLong) this.#pieces = [];
      else if (end > start) this.#pieces.push(chunk.subarray(start, end));
      start = end + 1;
      if (isTooLong && !wasTooLong) yield "too long";
      if (found === -1) continue;
      const line = this.#take();
      if (!isTooLong) yield line;
    }
  }

  /** What stands behind the last newline. */
  rest(): Buffer {
    return this.#take();
  }

  #take(): Buffer {
    const line = Buffer.concat(this.#pieces);
    this.#pieces = [];
    this.#length = 0;
    return line;
  }
}

/** The last line needs no newline. */
export async function* readLines(
  chunks: AsyncIterable<Uint8Array>,
  { maxBytes }: { readonly maxBytes: number },
): AsyncGenerator<Line, void> {
  const cutter = new LineCutter({ maxBytes });
  for await (const chunk of chunks) {
    for (const line of cutter.add(chunk)) yield line === "too long" ? tooLong(maxBytes) : decode(line);
  }
  const rest = cutter.rest();
  if (rest.length > 0) yield decode(rest);
}

function decode(bytes: Buffer): Line {
  if (!isUtf8(bytes)) return { ok: false, problem: "not UTF-8" };
  return { ok: true, text: bytes.toString("utf8").trim() }; // which takes a byte order mark away too
}

function tooLong(maxBytes: number): Line {
  return { ok: false, problem: `longer than ${maxBytes / 1024 / 1024} MiB` };
}
