/** How full the model's context is, as far as its answers told. */
export class ContextGauge {
  #tokens = 0;
  /** What the last compaction could not take away; undefined until the first answer after it. */
  #floor: number | undefined = 0;

  /** The tokens of a turn's answer together with its request. */
  measure(tokens: number): void {
    this.#floor ??= tokens;
    this.#tokens = tokens;
  }

  /** The history was replaced by a shorter one; how short, the next answer tells. */
  reset(): void {
    this.#tokens = 0;
    this.#floor = undefined;
  }

  /** Shortening failed: no use in trying again before a good deal was added. */
  keep(): void {
    this.#floor = this.#tokens;
  }

  /** Whether the next request should be preceded by a compaction, and one could gain enough to be worth it. */
  isOver(limit: number): boolean {
    return this.#tokens >= limit && this.#tokens >= (this.#floor ?? 0) + limit / 4;
  }
}
