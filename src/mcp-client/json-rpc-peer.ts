import { isRecord, isTooDeep, jsonText, parseDeepJson, tooDeepText } from "../lib/parse-json.ts";

/** The other side answered with an error. */
export class RpcError extends Error {
  override readonly name = "RpcError";
  readonly code: unknown;

  constructor({ code, message }: Readonly<Record<string, unknown>>) {
    super(`server returned JSON-RPC error: code = ${jsonText(code)}, message = ${jsonText(message)}`);
    this.code = code;
  }
}

class RequestTimeout extends Error {
  override readonly name = "TimeoutError";

  constructor() {
    super("request timed out");
  }
}

export type Answer =
  | { readonly result: object }
  | { readonly error: { readonly code: number; readonly message: string } };

interface PeerOptions {
  readonly send: (line: string) => void;
  /** Answers a request of the other side. */
  readonly answer: (method: string) => Answer;
  /** What was left out, and why; for the log. */
  readonly onIgnored: (what: string) => void;
}

interface RequestOptions {
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number | undefined;
}

interface PendingRequest {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** Node takes a longer time for no time at all. */
const maxTimerMs = 2 ** 31 - 1;

/** JSON-RPC 2.0 as MCP has it, one message a line. Every request of ours settles: by its answer, its limits or the end. */
export class JsonRpcPeer {
  readonly #options: PeerOptions;
  readonly #pending = new Map<number, PendingRequest>();
  #nextId = 1;
  #end: Error | undefined;

  constructor(options: PeerOptions) {
    this.#options = options;
  }

  /** A request that is given up is cancelled at the other side too; rejects with the signal's reason then. */
  request(method: string, params: object | undefined, { signal, timeoutMs }: RequestOptions): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#end !== undefined) return reject(this.#end);
      if (signal?.aborted === true) return reject(signal.reason);
      const id = this.#nextId++;
      const settle = () => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", onAbort);
        this.#pending.delete(id);
      };
      const giveUp = (error: unknown, reason: string) => {
        settle();
        // MCP forbids to cancel this one; its server is closed instead.
        if (method !== "initialize") this.notify("notifications/cancelled", { requestId: id, reason });
        reject(error);
      };
      const onAbort = () => giveUp(signal?.reason, "interrupted");
      const timer =
        timeoutMs === undefined
          ? undefined
          : setTimeout(() => giveUp(new RequestTimeout(), "timed out"), Math.min(timeoutMs, maxTimerMs));
      signal?.addEventListener("abort", onAbort);
      this.#pending.set(id, {
        resolve: (result) => {
          settle();
          resolve(result);
        },
        reject: (error) => {
          settle();
          reject(error);
        },
      });
      this.#send({ id, jsonrpc: "2.0", method, ...(params === undefined ? {} : { params }) });
    });
  }

  notify(method: string, params?: object): void {
    this.#send({ jsonrpc: "2.0", method, ...(params === undefined ? {} : { params }) });
  }

  receive(line: string): void {
    const parsed = parseDeepJson(line);
    if (!parsed.ok) {
      this.#options.onIgnored(`a line that is no JSON: ${line.slice(0, 200)}`);
      return;
    }
    // Until June 2025 a line could hold several messages.
    for (const message of Array.isArray(parsed.value) ? parsed.value : [parsed.value]) this.#take(message);
  }

  /** No answer can come any more. */
  close(reason: Error): void {
    this.#end ??= reason;
    for (const { reject } of [...this.#pending.values()]) reject(this.#end);
  }

  #take(message: unknown): void {
    const { id, method, result, error } = isRecord(message) ? message : {};
    if (typeof method === "string") {
      if (typeof id === "string" || typeof id === "number") {
        this.#send({ id, jsonrpc: "2.0", ...this.#options.answer(method) });
      } else this.#options.onIgnored(`the notification ${method}`);
      return;
    }
    const pending = typeof id === "number" ? this.#pending.get(id) : undefined;
    if (pending === undefined) this.#options.onIgnored("a message that nobody waits for");
    else if (isTooDeep(message)) pending.reject(new Error(`server sent an answer that is ${tooDeepText}`));
    else if (isRecord(error)) pending.reject(new RpcError(error));
    else if (result === undefined) pending.reject(new Error("server sent an answer without a result"));
    else pending.resolve(result);
  }

  #send(message: object): void {
    this.#options.send(`${JSON.stringify(message)}\n`);
  }
}
