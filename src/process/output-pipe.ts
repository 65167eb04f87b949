import net from "node:net";

/**
 * One for all pipes: a read and the call that takes its bytes happen in one go, so no two of them overlap. A plain
 * stream would allocate as much for every read.
 */
const readBuffer = Buffer.allocUnsafeSlow(65_536);

/** Reading goes on when what it returns has ended. */
export type ChunkHandler = (chunk: Buffer) => Promise<unknown> | undefined;

/** Reads one output of a command to its end, as it comes. */
export class OutputPipe {
  /** Settles at the end of the stream, also when that is an error. */
  readonly ended: Promise<void>;
  readonly #socket: net.Socket;
  #onChunk: ChunkHandler;
  #isHurried = false;

  /** `source` is a descriptor, which is closed at the end. Chunks are only good during the call. */
  constructor(source: number | net.Socket, onChunk: ChunkHandler) {
    this.#onChunk = onChunk;
    this.#socket = typeof source === "number" ? this.#open(source) : source;
    keepStderrBlocking(this.#socket);
    this.ended = new Promise((resolve) => {
      for (const name of ["end", "error", "close"]) this.#socket.on(name, () => resolve());
    });
    this.#socket.once("end", () => this.#socket.destroy());
    if (typeof source === "number") this.#socket.resume();
    else source.on("data", (chunk: Buffer) => this.#take(chunk));
  }

  #open(fd: number): net.Socket {
    const callback = (length: number): boolean => {
      this.#take(readBuffer.subarray(0, length));
      return true;
    };
    const options = { fd, readable: true, writable: false, onread: { buffer: readBuffer, callback } };
    return new net.Socket(options);
  }

  #take(chunk: Buffer): void {
    const pressure = this.#onChunk(chunk);
    if (pressure === undefined || this.#isHurried) return;
    this.#socket.pause();
    void pressure.then(() => this.#socket.resume());
  }

  /** Waits for nobody any more: the command has ended, and what is left in the pipe is not much. */
  hurry(): void {
    this.#isHurried = true;
    this.#socket.resume();
  }

  /** Goes on reading for a program that was left behind, which a closed pipe would end, but holds nothing up. */
  release(): void {
    this.#onChunk = () => undefined;
    this.#socket.unref();
  }

  close(): void {
    this.#socket.destroy();
  }
}

/**
 * A socket that is destroyed compares itself with `process.stderr`; Node makes that stream at the first look and
 * sets our stderr, when it is a pipe, to non-blocking: writes of ours and of our neighbours would fail with EAGAIN.
 */
export function keepStderrBlocking(socket: net.Socket): void {
  const destroy = socket._destroy;
  socket._destroy = (error, callback) => {
    const stderr = Object.getOwnPropertyDescriptor(process, "stderr");
    if (stderr === undefined) return destroy.call(socket, error, callback);
    Object.defineProperty(process, "stderr", { value: undefined, configurable: true });
    try {
      destroy.call(socket, error, callback);
    } finally {
      Object.defineProperty(process, "stderr", stderr);
    }
  };
}
