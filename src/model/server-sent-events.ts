import { checkEventSize } from "./answer-size.ts";

/**
 * Takes the payloads out of a server-sent event stream; only `data` lines matter to us. Text may be cut anywhere. A body
 * that is one JSON document instead, as some servers answer, is one payload.
 */
export class EventParser {
  /** What no blank line has closed yet. */
  #rest = "";
  #isDocument: boolean | undefined;
  #hasEvents = false;
  #hasBegun = false;

  /** Something in the text looked like an event. */
  get hasEvents(): boolean {
    return this.#hasEvents;
  }

  /** There was any text at all. */
  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  /** The payloads that `chunk` completes. Throws a ModelError when an event is too long. */
  feed(text: string): string[] {
    const isFirst = !this.#hasBegun && text !== "";
    this.#hasBegun ||= isFirst;
    const chunk = isFirst && text.startsWith("\uFEFF") ? text.slice(1) : text;
    const payloads = chunk === "" ? [] : this.#read(chunk);
    checkEventSize(this.#rest.length);
    this.#hasEvents ||= payloads.length > 0;
    return payloads;
  }

  #read(chunk: string): string[] {
    const payloads: string[] = [];
    this.#isDocument ??= chunk.startsWith("{");
    if (this.#isDocument || !/[\n\r]/.test(chunk)) {
      this.#rest += chunk; // not searched again and again while a long line arrives
      return payloads;
    }
    const text = this.#endLines(this.#rest + chunk);
    let start = 0;
    for (let end = text.indexOf("\n\n"); end !== -1; end = text.indexOf("\n\n", start)) {
      checkEventSize(end - start);
      const data = text.indexOf("data:", start);
      const isOneLine = (data === start || text[data - 1] === "\n") && text.indexOf("\n", data) === end;
      if (isOneLine) payloads.push(text.slice(text[data + 5] === " " ? data + 6 : data + 5, end));
      else if (data !== -1 && data < end) payloads.push(...dataOf(text.slice(start, end)));
      start = end + 2;
    }
    this.#rest = text.slice(start) + this.#rest;
    return payloads;
  }

  /** The payload of a last event whose blank line never came. */
  end(): string[] {
    return this.#isDocument ? [this.#rest] : this.feed("\n\n");
  }

  /** Makes every line end in \n. A \r at the very end stays in `#rest`: the \n that belongs to it may follow. */
  #endLines(text: string): string {
    this.#rest = "";
    if (!text.includes("\r")) return text;
    if (text.endsWith("\r")) this.#rest = "\r";
    return text.slice(0, text.length - this.#rest.length).replace(/\r\n?/g, "\n");
  }
}

/** The data lines of one event, joined; none when it has none. */
function dataOf(event: string): string[] {
  const lines = event.split("\n").filter((line) => line.startsWith("data:"));
  const values = lines.map((line) => line.slice(line[5] === " " ? 6 : 5));
  return values.length === 0 ? [] : [values.join("\n")];
}
