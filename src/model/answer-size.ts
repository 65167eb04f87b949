import { ModelError } from "./model-client.ts";

/** No honest answer, and no event of one, comes near it; it keeps a server from filling the memory. */
const mostCharacters = 64 * 2 ** 20;

/** On the wire: events that keep nothing, and comments, must have an end too. */
const mostBytes = 2 ** 30;

/** Throws when more than that has been read of one answer. */
export function checkAnswerBytes(read: number): void {
  if (read > mostBytes) throw tooLong("the answer", "1 GiB");
}

/** Throws for an event that is too long, whole or not. */
export function checkEventSize(length: number): void {
  if (length > mostCharacters) throw tooLong("one event of the answer", "64 MiB");
}

/** Adds up what is kept of one answer. */
export class AnswerSize {
  #sum = 0;

  add(length: number): void {
    this.#sum += length;
    if (this.#sum > mostCharacters) throw tooLong("the answer", "64 MiB");
  }
}

function tooLong(what: string, limit: string): ModelError {
  const message = `stream disconnected before completion: ${what} is longer than ${limit}`;
  return new ModelError(message, { isRetryable: false });
}
