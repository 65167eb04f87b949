/** The commands a person approved for the whole session; equal means equal word by word. */
export class ApprovedCommands {
  readonly #keys = new Set<string>();

  add(command: readonly string[]): void {
    this.#keys.add(JSON.stringify(command));
  }

  has(command: readonly string[]): boolean {
    return this.#keys.has(JSON.stringify(command));
  }
}
