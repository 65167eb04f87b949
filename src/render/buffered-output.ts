import type { Output } from "./renderer.ts";

/** So much text is handed on at once, however short the time it was gathered in. */
const maxGathered = 65_536;

/** Gathers text and hands it on in few pieces, in the order in which it came. */
export class BufferedOutput {
  readonly #output: Pick<Output, "stdout" | "stderr">;
  readonly #gatherMs: number;
  #stream: "stdout" | "stderr" = "stderr";
  #text = "";
  #cancelFlush: (() => void) | undefined;

  /** Without `gatherMs` the text goes out at the end of this turn of the event loop. */
  constructor(output: Pick<Output, "stdout" | "stderr">, { gatherMs = 0 }: { readonly gatherMs?: number } = {}) {
    this.#output = output;
    this.#gatherMs = gatherMs;
  }

  write(stream: "stdout" | "stderr", text: string): void {
    if (stream !== this.#stream) {
      this.flush();
      this.#stream = stream;
    }
    this.#text += text;
    if (this.#text.length >= maxGathered) this.flush();
    else this.#cancelFlush ??= this.#scheduleFlush();
  }

  flush(): void {
    this.#cancelFlush?.();
    this.#cancelFlush = undefined;
    const text = this.#text;
    if (text === "") return;
    this.#text = "";
    this.#output[this.#stream](text);
  }

  #scheduleFlush(): () => void {
    if (this.#gatherMs === 0) {
      const immediate = setImmediate(() => this.flush());
      return () => clearImmediate(immediate);
    }
    const timer = setTimeout(() => this.flush(), this.#gatherMs);
    return () => clearTimeout(timer);
  }
}
