import { closeSync } from "node:fs";
import { isInside } from "../lib/path-inside.ts";
import { canonicalPath } from "./canonical-path.ts";
import { type HelperImage, HelperProcess } from "./helper-process.ts";
import { Libc, locateForeignModule } from "./libc.ts";
import { OrphanGuard } from "./orphan-guard.ts";
import { makePrivateCopy } from "./private-copy.ts";
import { SandboxSetupError } from "./sandbox-error.ts";

/** What the commands of one process share, whatever sandbox each has: the FFI, the waiting helper and the guard. */
export class CommandHost {
  readonly guard = new OrphanGuard();
  readonly #helperPath: string;
  #program = process.execPath;
  #libc: Libc | undefined;
  /** The helper's script and the FFI, out of reach of any command; empty as long as the installed files will do. */
  #copies: readonly number[] = [];
  #waiting: HelperProcess | undefined;
  #isClosed = false;

  constructor(options: { readonly helperPath: string }) {
    this.#helperPath = options.helperPath;
  }

  /** Loads the FFI at the first call; throws where it is not installed or does not fit. */
  loadLibc(): Libc {
    this.#libc ??= new Libc(locateForeignModule(this.#helperPath));
    return this.#libc;
  }

  /** Undefined where there is no FFI. */
  tryLibc(): Libc | undefined {
    try {
      return this.loadLibc();
    } catch {
      // Wanted for real pipes only; Node's own do nearly as well.
      return undefined;
    }
  }

  /**
   * Makes sure that no command changes, below a folder it may write, what a later helper is started from, or the FFI
   * that this very process has mapped: both are taken from copies then. Comes before the FFI is loaded and before
   * any command runs. False when that was too late or no copy could be made; throws where there is no FFI.
   */
  protectFrom(writableRoots: readonly string[], copyFolders: readonly string[]): boolean {
    const isExposed = (file: string) => writableRoots.some((root) => isInside(file, root));
    // Of the running program, wherever its file is by then: that one cannot be overwritten, only replaced.
    if (isExposed(process.execPath)) this.#program = "/proc/self/exe";
    const foreignModule = locateForeignModule(this.#helperPath);
    const script = canonicalPath(this.#helperPath);
    if (this.#copies.length > 0 || ![script, foreignModule].some(isExposed)) return true;

    const isTooLate = this.#libc !== undefined && isExposed(foreignModule);
    const load = (fd: number) => this.#libc ?? new Libc(`/proc/self/fd/${fd}`);
    const foreignCopy = makePrivateCopy(foreignModule, { folders: copyFolders, use: load });
    const scriptCopy = foreignCopy && makePrivateCopy(script, { folders: copyFolders, use: () => true });
    if (foreignCopy === undefined || scriptCopy === undefined) return false;
    this.#libc = foreignCopy.result;
    this.#copies = [scriptCopy.fd, foreignCopy.fd];
    return !isTooLate;
  }

  /** A helper that waits for its request: the one started ahead, or a new one. */
  takeHelper(): HelperProcess {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting?.isWaiting) return waiting;
    waiting?.discard();
    return this.#startHelper();
  }

  /** Starts the next helper ahead, unless one waits already. */
  warmUpHelper(): void {
    if (this.#isClosed || this.#waiting?.isWaiting) return;
    this.#waiting?.discard();
    this.#waiting = undefined;
    try {
      this.#waiting = this.#startHelper();
    } catch (error) {
      // The command that needs it will meet the same cause, and it has somebody to tell.
      if (!(error instanceof SandboxSetupError)) throw error;
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#waiting?.discard();
    this.#waiting = undefined;
    for (const fd of this.#copies) closeSync(fd);
    this.#copies = [];
    this.guard.close();
  }

  #startHelper(): HelperProcess {
    return HelperProcess.start(this.loadLibc(), this.#helperImage());
  }

  #helperImage(): HelperImage {
    const program = this.#program;
    if (this.#copies.length === 0) {
      return { program, args: [this.#helperPath, locateForeignModule(this.#helperPath)], descriptors: [] };
    }
    // The helper inherits them behind its stdio and its control descriptor.
    const args = ["--preserve-symlinks-main", "/proc/self/fd/4", "/proc/self/fd/5"];
    return { program, args, descriptors: this.#copies };
  }
}
