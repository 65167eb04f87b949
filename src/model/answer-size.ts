import { ModelError } from "./model-client.ts";

/** No honest answer, and no event of one, comes near it; it keeps a server from filling the memory. */
const mostCharacters = 64 * 2 ** 20;

/** Throws for an event that is too long, whole or not. */
export function checkEventSize(length: number): void {
  if (length > mostCharacters) throw tooLong("one event of the answer");
}

/** Adds up what is kept of one answer. */
export class AnswerSize {
  #sum = 0;

  add(length: number): void {
    this.#sum += length;
    if (this.#sum > mostCharacters) throw tooLong("the answer");
  }
}

function tooLong(what: string): ModelError {
  const message = `stream disconnected before completion: ${what} is longer than 64 MiB`;
  return new ModelError(message, { isRetryable: false });
}
