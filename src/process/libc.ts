import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { constants } from "node:os";
import path from "node:path";
import { isRecord } from "../lib/parse-json.ts";
import { canonicalPath } from "./canonical-path.ts";
import { callNumber, type SystemCall, supportedCpu } from "./system-calls.ts";
import { describeErrno } from "./system-error.ts";

type ForeignArgument = number | bigint | string | null | Buffer | readonly (string | null)[];
type ForeignFunction = (...args: readonly ForeignArgument[]) => number;

interface Koffi {
  load(path: null): { func(definition: string): ForeignFunction };
  address(buffer: Buffer): bigint;
  errno(): number;
}

export class SystemCallError extends Error {
  override readonly name = "SystemCallError";
  readonly call: string;
  readonly errno: number;

  constructor(call: string, errno: number) {
    super(`${call}: ${describeErrno(errno)}`);
    this.call = call;
    this.errno = errno;
  }
}

/** False when a system call of it is refused. */
export function succeeds(call: () => void): boolean {
  try {
    call();
    return true;
  } catch (error) {
    if (error instanceof SystemCallError) return false;
    throw error;
  }
}

/**
 * Where the FFI's native part for this process lies, seen from a file of ours; throws when it is not installed. Looks where
 * Node would look, which takes Node longer than loading the file.
 */
export function locateForeignModule(from: string): string {
  const flavour = runsOnMusl() ? "musl" : "linux";
  const { arch } = process;
  const name = `@koromix/koffi-linux-${arch}/${flavour}_${arch}/koffi.node`;
  for (let folder = from; folder !== path.dirname(folder); ) {
    folder = path.dirname(folder);
    const file = path.join(folder, "node_modules", name);
    if (existsSync(file)) return canonicalPath(file);
  }
  return createRequire(from).resolve(name);
}

/** The loader of a musl system is also on glibc systems that cross-compile; only its mapping says what runs. */
function runsOnMusl(): boolean {
  const machine = process.arch === "arm64" ? "aarch64" : "x86_64";
  if (!existsSync(`/lib/ld-musl-${machine}.so.1`)) return false;
  return readFileSync("/proc/self/maps", "latin1").includes("/ld-musl-");
}

/** The C library's functions that Node has no name for. Every call throws a SystemCallError when it fails. */
export class Libc {
  readonly #koffi: Koffi;
  readonly #library: ReturnType<Koffi["load"]>;
  readonly #functions = new Map<string, ForeignFunction>();

  /** Loads the native part directly: the package's own loader costs twice the time. */
  constructor(foreignModule: string) {
    const module: { exports: unknown } = { exports: {} };
    process.dlopen(module, foreignModule);
    if (!isKoffi(module.exports)) throw new Error(`"${foreignModule}" is not the expected FFI`);
    this.#koffi = module.exports;
    this.#library = module.exports.load(null);
  }

  /** Calls by C prototype, for example `int dup2(int, int)`. */
  call(prototype: string, ...args: readonly ForeignArgument[]): number {
    let callee = this.#functions.get(prototype);
    if (callee === undefined) {
      callee = this.#library.func(prototype);
      this.#functions.set(prototype, callee);
    }
    const result = callee(...args);
    if (result === -1) throw new SystemCallError(/(\w+)\(/.exec(prototype)?.[1] ?? prototype, this.#koffi.errno());
    return result;
  }

  /** Calls the kernel directly; buffers are passed by address. */
  syscall(name: SystemCall, ...args: readonly (number | bigint | Buffer)[]): number {
    const cpu = supportedCpu();
    const number = cpu === undefined ? undefined : callNumber(name, cpu);
    if (number === undefined) throw new SystemCallError(name, constants.errno.ENOSYS);
    const words = args.map((arg) => (Buffer.isBuffer(arg) ? this.addressOf(arg) : arg));
    while (words.length < 6) words.push(0);
    try {
      return this.call("long syscall(long, long, long, long, long, long, long)", number, ...words);
    } catch (error) {
      throw error instanceof SystemCallError ? new SystemCallError(name, error.errno) : error;
    }
  }

  /** Good for as long as the buffer is referenced. */
  addressOf(buffer: Buffer): bigint {
    return this.#koffi.address(buffer);
  }
}

function isKoffi(value: unknown): value is Koffi {
  return isRecord(value) && typeof value["load"] === "function" && typeof value["address"] === "function";
}
