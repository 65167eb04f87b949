/** The model's text that is on screen already: the whole text that follows, part by part, is not shown again. */
export class StreamedText {
  #text = "";

  add(delta: string): void {
    this.#text += delta;
  }

  /** True when `part` is the next piece of what was streamed. */
  take(part: string): boolean {
    const isShown = part !== "" && this.#text.startsWith(part);
    this.#text = isShown ? this.#text.slice(part.length) : "";
    return isShown;
  }

  /** The response ended; what it left unfinished is never completed. */
  clear(): void {
    this.#text = "";
  }
}
