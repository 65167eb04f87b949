import { spawnSync } from "node:child_process";
import { accessSync, closeSync, constants, existsSync } from "node:fs";
import path from "node:path";
import { isInside } from "../lib/path-inside.ts";
import { Turns } from "../lib/turns.ts";
import type { BubblewrapTrial, Confinement } from "./bubblewrap.ts";
import { canonicalPath } from "./canonical-path.ts";
import { makePipe } from "./descriptors.ts";
import { encodeRequest, type HelperImage, HelperProcess } from "./helper-process.ts";
import type { ExecRequest } from "./helper-request.ts";
import { Libc, locateForeignModule } from "./libc.ts";
import { OrphanGuard } from "./orphan-guard.ts";
import { OutputPipe } from "./output-pipe.ts";
import { encodeForPerl, perlArguments, perlCheck, perlProgram } from "./perl-helper.ts";
import { type CopyFolders, makePrivateCopy } from "./private-copy.ts";
import { SandboxSetupError } from "./sandbox-error.ts";
import { type Cpu, supportedCpu } from "./system-calls.ts";

export interface HostOptions {
  /** The built helper; the FFI is looked up from there. */
  readonly helperPath: string;
  /** Called before commands may write where this program lies: nothing is to be loaded from there afterwards. */
  readonly holdProgram?: () => void;
  /** Another perl; for tests, which also try without any. */
  readonly perl?: string;
  /** Any folder may become writable for commands later on: what this user can change is copied into one of these first. */
  readonly copyFolders?: CopyFolders;
}

/** What the commands of one process share, whatever sandbox each has: the FFI, the waiting helper and the guard. */
export class CommandHost {
  readonly guard = new OrphanGuard();
  /** In which commands are started. */
  readonly turns = new Turns();
  /** What came of trying bubblewrap, by program. */
  readonly bubblewraps = new Map<string, BubblewrapTrial>();
  readonly #helperPath: string;
  readonly #holdProgram: (() => void) | undefined;
  #libc: Libc | undefined;
  #hasNoLibc = false;
  readonly #perl: string;
  readonly #copyFolders: CopyFolders | undefined;
  #isPerlFit: boolean | undefined;
  #foreignModule: string | undefined;
  /** The helper's script and the FFI, out of reach of any command; empty as long as the installed files will do. */
  #copies: readonly number[] = [];
  #waiting: HelperProcess | undefined;
  #hasWarmPipes = false;
  #isClosed = false;

  constructor(options: HostOptions) {
    this.#helperPath = options.helperPath;
    this.#holdProgram = options.holdProgram;
    this.#perl = options.perl ?? perlProgram;
    this.#copyFolders = options.copyFolders;
  }

  /** Loads the FFI at the first call; throws where it is not installed or does not fit. */
  loadLibc(): Libc {
    if (this.#libc === undefined && this.#copyFolders !== undefined) this.protectFrom([], this.#copyFolders);
    this.#libc ??= new Libc(this.#locateForeignModule());
    return this.#libc;
  }

  /** Undefined where there is no FFI. */
  tryLibc(): Libc | undefined {
    if (this.#hasNoLibc) return undefined;
    try {
      return this.loadLibc();
    } catch {
      // Wanted for real pipes only; Node's own do nearly as well.
      this.#hasNoLibc = true;
      return undefined;
    }
  }

  /**
   * Makes sure that no command changes, below a folder it may write, what a later helper is started from, or the FFI
   * that this very process has mapped: both are taken from copies then. Comes before the FFI is loaded and before
   * any command runs. False when that was too late or no copy could be made; throws where there is no FFI.
   */
  protectFrom(writableRoots: readonly string[], copyFolders: CopyFolders): boolean {
    const isBelow = (file: string) => writableRoots.some((root) => isInside(file, root));
    const isExposed = (file: string) => isBelow(file) || (this.#copyFolders !== undefined && mayChange(file));
    const foreignModule = this.#locateForeignModule();
    const script = canonicalPath(this.#helperPath);
    if (isBelow(canonicalPath(this.#perl))) this.#isPerlFit = false;
    if (this.#copies.length > 0 || ![script, foreignModule].some(isExposed)) return true;

    if (isExposed(script)) this.#holdProgram?.();
    const isTooLate = this.#libc !== undefined && isExposed(foreignModule);
    const load = (fd: number) => this.#libc ?? new Libc(`/proc/self/fd/${fd}`);
    const places = { ...copyFolders, named: copyFolders.named.filter((folder) => !isBelow(canonicalPath(folder))) };
    const foreignCopy = makePrivateCopy(foreignModule, { ...places, use: load });
    const scriptCopy = foreignCopy && makePrivateCopy(script, { ...places, use: () => true });
    if (foreignCopy === undefined || scriptCopy === undefined) return false;
    this.#libc = foreignCopy.result;
    this.#copies = [scriptCopy.fd, foreignCopy.fd];
    return !isTooLate;
  }

  /** A helper that becomes the command: perl where it can be had, which starts sooner than even a waiting one of Node. */
  startExec(request: ExecRequest): HelperProcess {
    const cpu = this.#perlCpu();
    if (cpu === undefined) {
      const helper = this.takeHelper();
      helper.send(encodeRequest({ kind: "exec", ...request }));
      return helper;
    }
    const helper = HelperProcess.startProgram(this.loadLibc(), { file: this.#perl, args: perlArguments(cpu) });
    helper.send(encodeForPerl(request, cpu));
    return helper;
  }

  /** A helper that waits for its request: the one started ahead, or a new one. */
  takeHelper(): HelperProcess {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting?.isWaiting) return waiting;
    waiting?.discard();
    return this.#startHelper();
  }

  /** Makes sure of perl, or else starts the next helper ahead, unless one waits already. */
  warmUpHelper(): void {
    if (this.#perlCpu() !== undefined) return;
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

  /** What every command needs, while nobody waits for it. */
  warmUp(): void {
    this.guard.start();
    this.#warmUpPipes();
  }

  /** The first pipe that a process reads takes two milliseconds longer than the next. */
  #warmUpPipes(): void {
    const libc = this.#hasWarmPipes ? undefined : this.tryLibc();
    this.#hasWarmPipes = true;
    if (libc === undefined) return;
    const { readEnd, writeEnd } = makePipe(libc);
    closeSync(writeEnd);
    new OutputPipe(readEnd, () => {}).release();
  }

  close(): void {
    this.#isClosed = true;
    this.#waiting?.discard();
    this.#waiting = undefined;
    for (const fd of this.#copies) closeSync(fd);
    this.#copies = [];
    this.guard.close();
  }

  /** The program, where it is of use and no command may write it. */
  get perl(): string | undefined {
    this.#isPerlFit ??= existsSync(this.#perl) && spawnSync(this.#perl, perlCheck, { env: {} }).status === 0;
    return this.#isPerlFit ? this.#perl : undefined;
  }

  /** Undefined where the helper in Node has to do. */
  #perlCpu(): Cpu | undefined {
    return this.perl === undefined ? undefined : supportedCpu();
  }

  #locateForeignModule(): string {
    this.#foreignModule ??= locateForeignModule(this.#helperPath);
    return this.#foreignModule;
  }

  #startHelper(): HelperProcess {
    return HelperProcess.start(this.loadLibc(), this.#helperImage());
  }

  /** One that bubblewrap holds to `rules`, for a request without restrictions of its own. */
  startConfinedHelper(confinement: Confinement): HelperProcess {
    return HelperProcess.startConfined(this.loadLibc(), this.#helperImage(), confinement);
  }

  #helperImage(): HelperImage {
    if (this.#copies.length === 0) {
      return { args: [this.#helperPath, this.#locateForeignModule()], descriptors: [] };
    }
    // The helper inherits them behind its stdio and its control descriptor.
    const args = ["--preserve-symlinks-main", "/proc/self/fd/4", "/proc/self/fd/5"];
    return { args, descriptors: this.#copies };
  }
}

/** Whether this user could change the file, or put another in its place. */
function mayChange(file: string): boolean {
  return [file, path.dirname(file)].some((place) => {
    try {
      accessSync(place, constants.W_OK);
      return true;
    } catch {
      return false;
    }
  });
}
