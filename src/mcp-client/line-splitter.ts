/** Cuts bytes into lines; the text of each is decoded once it is whole. Linear in the length of a line, however it is cut. */
export class LineSplitter {
  readonly #onLine: (line: string) => void;
  readonly #mostBytes: number;
  readonly #onTooLong: () => void;
  #pieces: Buffer[] = [];
  #length = 0;
  #isStopped = false;

  constructor(onLine: (line: string) => void, options: { readonly mostBytes: number; readonly onTooLong: () => void }) {
    this.#onLine = onLine;
    this.#mostBytes = options.mostBytes;
    this.#onTooLong = options.onTooLong;
  }

  add(chunk: Buffer): void {
    let start = 0;
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, start)) {
      if (!this.#keep(chunk.subarray(start, end))) return;
      const line = Buffer.concat(this.#pieces, this.#length).toString();
      this.#pieces = [];
      this.#length = 0;
      start = end + 1;
      if (line.trim() !== "") this.#onLine(line);
    }
    this.#keep(chunk.subarray(start));
  }

  /** False once a line was longer than allowed: nothing is read any more. */
  #keep(piece: Buffer): boolean {
    if (this.#isStopped) return false;
    this.#length += piece.length;
    if (this.#length <= this.#mostBytes) {
      if (piece.length > 0) this.#pieces.push(piece);
      return true;
    }
    this.#isStopped = true;
    this.#pieces = [];
    this.#onTooLong();
    return false;
  }
}
