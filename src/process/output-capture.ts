/** How much of an output is kept from its beginning and from its end; up to the sum it is complete. */
const endBytes = 2 * 1024 * 1024;
const limitBytes = 2 * endBytes;
const firstCapacity = 1024;

/** The text of one stream, or of both together, in bounded memory. */
class OutputCapture {
  /** Filled in order up to the limit; from then on its second half is a ring. */
  #buffer = Buffer.alloc(0);
  #total = 0;

  get isEmpty(): boolean {
    return this.#total === 0;
  }

  /** Copies the bytes: the chunk may be reused. */
  add(chunk: Buffer): void {
    for (let taken = 0; taken < chunk.length; ) {
      const at = positionOf(this.#total);
      const end = this.#total < endBytes ? endBytes : limitBytes;
      const length = Math.min(end - at, chunk.length - taken);
      this.#reserve(at + length);
      chunk.copy(this.#buffer, at, taken, taken + length);
      taken += length;
      this.#total += length;
    }
  }

  clone(): OutputCapture {
    const copy = new OutputCapture();
    copy.#buffer = Buffer.from(this.#buffer);
    copy.#total = this.#total;
    return copy;
  }

  /** UTF-8 with replacement characters; a long output has a line in its middle that says how much is missing. */
  text(): string {
    if (this.#total <= limitBytes) return this.#buffer.toString("utf8", 0, this.#total);
    const oldest = positionOf(this.#total);
    const head = withoutCutEnd(this.#buffer.subarray(0, endBytes));
    const tail = withoutCutStart(
      Buffer.concat([this.#buffer.subarray(oldest), this.#buffer.subarray(endBytes, oldest)]),
    );
    const omitted = this.#total - head.length - tail.length;
    return `${head.toString()}\n[... ${omitted} bytes omitted ...]\n${tail.toString()}`;
  }

  #reserve(size: number): void {
    if (size <= this.#buffer.length) return;
    let capacity = Math.max(firstCapacity, this.#buffer.length);
    while (capacity < size) capacity = Math.min(capacity * 8, limitBytes);
    const larger = Buffer.allocUnsafe(capacity);
    this.#buffer.copy(larger);
    this.#buffer = larger;
  }
}

function positionOf(offset: number): number {
  return offset < endBytes ? offset : endBytes + ((offset - endBytes) % endBytes);
}

const isContinuation = (byte: number | undefined) => byte !== undefined && (byte & 0xc0) === 0x80;

function withoutCutEnd(bytes: Buffer): Buffer {
  let lead = bytes.length - 1;
  while (lead > bytes.length - 4 && isContinuation(bytes[lead])) lead--;
  const first = bytes[lead] ?? 0;
  const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 1;
  return lead + length > bytes.length ? bytes.subarray(0, lead) : bytes;
}

function withoutCutStart(bytes: Buffer): Buffer {
  let start = 0;
  while (start < 3 && isContinuation(bytes[start])) start++;
  return bytes.subarray(start);
}

export type OutputStream = "stdout" | "stderr";

/** Both streams of a command, each and in order of arrival. */
export class CommandOutput {
  readonly #streams = { stdout: new OutputCapture(), stderr: new OutputCapture() };
  /** Only when both streams have had something: until then it would be a copy of one of them. */
  #together: OutputCapture | undefined;

  add(stream: OutputStream, chunk: Buffer): void {
    const other = this.#streams[stream === "stdout" ? "stderr" : "stdout"];
    if (!other.isEmpty) this.#together ??= other.clone();
    this.#streams[stream].add(chunk);
    this.#together?.add(chunk);
  }

  texts(): { readonly stdout: string; readonly stderr: string; readonly aggregatedOutput: string } {
    const stdout = this.#streams.stdout.text();
    const stderr = this.#streams.stderr.text();
    return { stdout, stderr, aggregatedOutput: this.#together?.text() ?? (stdout || stderr) };
  }
}
