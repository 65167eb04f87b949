import { log } from "../lib/log.ts";
import type { Answer, IdToken } from "./message.ts";

/** Where lines go, and how far behind their reader is. */
export interface LineOutput {
  write(line: string): void;
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

  error(id: IdToken | undefined, { code, message }: { readonly code: number; readonly message: string }): void {
    const error = JSON.stringify({ code, message });
    this.#output.write(`{"error":${error},"id":${id ?? null},"jsonrpc":"2.0"}\n`);
  }

  notify(method: string, params: object): void {
    this.notifyJson(method, JSON.stringify(params));
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
