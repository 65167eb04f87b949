import { ModelError } from "./model-client.ts";

export interface ResponseHandlers {
  onHead(status: number, headers: Readonly<Record<string, string>>): void;
  onBody(bytes: Buffer): void;
}

type State = "status" | "headers" | "body" | "chunk-size" | "chunk-end" | "trailers" | "rest" | "done";

const longestLine = 65_536;
/** With what is said in advance. */
const longestHead = 2 ** 20;

/**
 * Reads one HTTP/1.1 response from bytes that may be cut anywhere. Throws an Error when they are not HTTP, a
 * ModelError when the head has no end.
 */
export class ResponseParser {
  readonly #handlers: ResponseHandlers;
  #state: State = "status";
  #pending: Buffer = Buffer.alloc(0);
  #status = 0;
  #headLength = 0;
  #headers: Record<string, string> = {};
  #isOldVersion = false;
  /** Bytes of the body, or of its chunk, that are still to come. */
  #left = 0;
  #isChunked = false;
  #isClosed = false;

  constructor(handlers: ResponseHandlers) {
    this.#handlers = handlers;
  }

  get isDone(): boolean {
    return this.#state === "done";
  }

  /** The connection can carry another request. */
  get canBeReused(): boolean {
    const { connection = "" } = this.#headers;
    const wants = this.#isOldVersion ? /\bkeep-alive\b/i.test(connection) : !/\bclose\b/i.test(connection);
    return this.isDone && wants && !this.#isClosed && this.#pending.length === 0;
  }

  feed(bytes: Buffer): void {
    this.#pending = this.#pending.length === 0 ? bytes : Buffer.concat([this.#pending, bytes]);
    while (this.#pending.length > 0 && this.#advance());
  }

  /** The connection was closed; false: in the middle of the response. */
  end(): boolean {
    this.#isClosed = true;
    if (this.#state === "rest") this.#state = "done";
    return this.isDone;
  }

  /** Takes what the present state wants of the pending bytes; false: it wants more, or nothing. */
  #advance(): boolean {
    if (this.#state === "done") return false;
    if (this.#state === "rest") {
      this.#handlers.onBody(this.#take(this.#pending.length));
      return false;
    }
    if (this.#state === "body") {
      const part = this.#take(Math.min(this.#left, this.#pending.length));
      this.#left -= part.length;
      if (this.#left === 0) this.#state = this.#isChunked ? "chunk-end" : "done";
      this.#handlers.onBody(part);
      return true;
    }
    const end = this.#pending.indexOf(10);
    if (end > longestLine || (end === -1 && this.#pending.length > longestLine)) throw new Error("a line has no end");
    if (end === -1) return false;
    if (this.#state === "status" || this.#state === "headers") this.#headLength += end + 1;
    if (this.#headLength > longestHead) {
      throw new ModelError("the head of the answer is longer than 1 MiB", { isRetryable: false });
    }
    const line = this.#take(end + 1).toString("latin1", 0, end);
    this.#readLine(line.endsWith("\r") ? line.slice(0, -1) : line);
    return true;
  }

  #take(length: number): Buffer {
    const part = this.#pending.subarray(0, length);
    this.#pending = this.#pending.subarray(length);
    return part;
  }

  #readLine(line: string): void {
    switch (this.#state) {
      case "status": {
        const [, minor, status] = /^HTTP\/1\.([01]) (\d{3})(?: |$)/.exec(line) ?? [];
        if (minor === undefined) throw new Error("the answer is not HTTP/1.1");
        this.#isOldVersion = minor === "0";
        this.#status = Number(status);
        this.#headers = {};
        this.#state = "headers";
        return;
      }
      case "headers":
        if (line === "") this.#beginBody();
        else this.#readHeader(line);
        return;
      case "chunk-size": {
        const [, size] = /^([0-9a-f]{1,12})\s*(?:;|$)/i.exec(line) ?? [];
        if (size === undefined) throw new Error("a chunk has no size");
        this.#left = Number.parseInt(size, 16);
        this.#state = this.#left === 0 ? "trailers" : "body";
        return;
      }
      case "chunk-end":
        if (line !== "") throw new Error("a chunk is longer than its size");
        this.#state = "chunk-size";
        return;
      case "trailers":
        if (line === "") this.#state = "done";
        return;
      default:
        throw new Error(`no line is read in state ${this.#state}`);
    }
  }

  #readHeader(line: string): void {
    const [, name, value = ""] = /^([^\s:]+):\s*(.*?)\s*$/.exec(line) ?? [];
    if (name === undefined) throw new Error("a header has no name");
    const key = name.toLowerCase();
    const known = this.#headers[key];
    if (key === "content-length" && known === value) return; // said twice, by a proxy for example
    this.#headers[key] = known === undefined ? value : `${known}, ${value}`;
  }

  #beginBody(): void {
    if (this.#status < 200) {
      this.#state = "status"; // the answer proper is still to come
      return;
    }
    const { "transfer-encoding": encoding, "content-length": length } = this.#headers;
    if (this.#status === 204 || this.#status === 304) {
      this.#state = "done";
    } else if (encoding !== undefined) {
      this.#isChunked = /\bchunked$/i.test(encoding);
      this.#state = this.#isChunked ? "chunk-size" : "rest";
    } else if (length !== undefined) {
      if (!/^\d{1,15}$/.test(length)) throw new Error("the length of the answer is no number");
      this.#left = Number(length);
      this.#state = this.#left === 0 ? "done" : "body";
    } else {
      this.#state = "rest";
    }
    this.#handlers.onHead(this.#status, this.#headers);
  }
}
