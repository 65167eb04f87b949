import type { ResponseItem } from "../protocol/response-item.ts";

/** What the next request will contain, in the model's order. */
export class History {
  #items: ResponseItem[] = [];

  add(...items: readonly ResponseItem[]): void {
    this.#items.push(...items);
  }

  get items(): readonly ResponseItem[] {
    return this.#items;
  }

  replace(items: readonly ResponseItem[]): void {
    this.#items = [...items];
  }

  /** Forgets everything behind the first `length` items. */
  cutTo(length: number): void {
    this.#items.length = Math.min(length, this.#items.length);
  }
}
