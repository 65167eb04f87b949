/** What has arrived so far; what is still to come can be waited for. */
export class Arrivals<T extends object> {
  readonly all: T[] = [];
  readonly #taken = new Set<T>();
  readonly #waiting = new Set<() => void>();
  #hasEnded = false;

  add(item: T): void {
    this.all.push(item);
    this.#wake();
  }

  /** Nothing more comes: who still waits is told so. */
  end(): void {
    this.#hasEnded = true;
    this.#wake();
  }

  /** The next that fits and that no earlier wait has returned. */
  next<Found extends T>(fits: (item: T) => item is Found, atEnd: () => string): Promise<Found>;
  next(fits: (item: T) => boolean, atEnd: () => string): Promise<T>;
  next(fits: (item: T) => boolean, atEnd: () => string): Promise<T> {
    return new Promise((resolve, reject) => {
      const look = () => {
        const item = this.all.find((candidate) => !this.#taken.has(candidate) && fits(candidate));
        if (item === undefined && !this.#hasEnded) return;
        this.#waiting.delete(look);
        if (item === undefined) return reject(new Error(atEnd()));
        this.#taken.add(item);
        resolve(item);
      };
      this.#waiting.add(look);
      look();
    });
  }

  #wake(): void {
    for (const look of [...this.#waiting]) look();
  }
}
