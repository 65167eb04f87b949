import { Buffer } from "node:buffer";
import { jsonPieces } from "../lib/json-pieces.ts";
import { log } from "../lib/log.ts";
import { runInSteps, type Steps } from "../lib/steps.ts";
import type { Answer, IdToken } from "./message.ts";

/** Where lines go, and how far behind their reader is. */
export interface LineOutput {
  write(line: string): void;
  /** A long line, in parts that nothing comes between. */
  writeParts(parts: readonly Uint8Array[]): void;
  /** A promise while much has been written that nobody has taken yet. */
  pressure(): Promise<void> | undefined;
}

export interface OpenRequest {
  /** Tells the client that no answer is wanted any more; a late one changes nothing. */
  withdraw(reason: string): void;
}

/** Everything the client is told. */
export class Outgoing {
  readonly #output: LineOutput;
  readonly #open = new Map<string, (answer: Answer) => void>();
  #nextId = 0;

  constructor(output: LineOutput) {
    this.#output = output;
  }

  pressure(): Promise<void> | undefined {
    return this.#output.pressure();
  }

  result(id: IdToken, result: object): void {
    this.#output.write(`{"id":${id},"jsonrpc":"2.0","result":${JSON.stringify(result)}}\n`);
  }

  /** The same for one that may be large: others are answered while it is made. It is written by the call of what comes back. */
  async resultInSteps(id: IdToken, result: object): Promise<() => void> {
    const parts = await runInSteps(lineParts(`{"id":${id},"jsonrpc":"2.0","result":`, result));
    return () => this.#output.writeParts(parts);
  }

  error(id: IdToken | undefined, { code, message }: { readonly code: number; readonly message: string }): void {
    const error = JSON.stringify({ code, message });
    this.#output.write(`{"error":${error},"id":${id ?? null},"jsonrpc":"2.0"}\n`);
  }

  notify(method: string, params: object): void {
    this.notifyJson(method, JSON.stringify(params));
  }

  /** The same for params that may be large; resolves when the client has taken them, so that what waits comes next. */
  async notifyInSteps(method: string, params: object): Promise<void> {
    const head = `{"jsonrpc":"2.0","method":${JSON.stringify(method)},"params":`;
    this.#output.writeParts(await runInSteps(lineParts(head, params)));
    await this.pressure();
  }

  /** With params that are JSON already. */
  notifyJson(method: string, params: string): void {
    this.#output.write(`{"jsonrpc":"2.0","method":${JSON.stringify(method)},"params":${params}}\n`);
  }

  /** Ids count from 0 over the life of the process. `onAnswer` is called once at most. */
  request(method: string, params: object, onAnswer: (answer: Answer) => void): OpenRequest {
    const id = String(this.#nextId++);
    this.#open.set(id, onAnswer);
    this.#output.write(
      `{"id":${id},"jsonrpc":"2.0","method":${JSON.stringify(method)},"params":${JSON.stringify(params)}}\n`,
    );
    return {
      withdraw: (reason) => {
        if (this.#open.delete(id))
          this.notifyJson("notifications/cancelled", `{"requestId":${id},"reason":${JSON.stringify(reason)}}`);
      },
    };
  }

  /** An answer of the client; what nobody waits for is passed over. */
  takeAnswer(id: IdToken, answer: Answer): void {
    const onAnswer = this.#open.get(id);
    if (onAnswer === undefined) {
      log("warn", "mcp", `an answer to ${id}, which nobody waits for`);
      return;
    }
    this.#open.delete(id);
    onAnswer(answer);
  }
}

/** Characters that are handed on at once. */
const partLength = 65_536;

function* lineParts(head: string, value: object): Steps<readonly Uint8Array[]> {
  const parts: Uint8Array[] = [];
  let text = head;
  for (const piece of jsonPieces(value)) {
    text += piece;
    if (text.length < partLength) continue;
    parts.push(Buffer.from(text));
    text = "";
    yield;
  }
  parts.push(Buffer.from(`${text}}\n`));
  return parts;
}
