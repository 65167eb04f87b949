import type { Ora } from "ora";
import type { Output } from "./renderer.ts";

/** Says on a terminal that something is still going on. */
export interface Spinner {
  /** Nothing is drawn until the wait has lasted a moment. */
  wait(what: string): void;
  /** Makes room for a line of text; a wait that goes on is drawn again later. */
  clear(): void;
  stop(): void;
}

/** Most waits are over sooner, and then ora (30 ms to load) is never needed. */
const defaultPatienceMs = 300;

/** Some pseudo-terminals are 0 columns wide; ora would take for ever to clear a line there. */
const minColumns = 20;

type TerminalStream = NodeJS.WritableStream & { readonly columns?: number };

/**
 * Draws with ora, and keeps every failure to itself: an ornament never ends a run. After the first failure nothing is
 * drawn any more.
 */
export class TerminalSpinner implements Spinner {
  readonly #stream: TerminalStream;
  readonly #hasColour: boolean;
  readonly #patienceMs: number;
  #what: string | undefined;
  #timer: NodeJS.Timeout | undefined;
  #ora: Ora | undefined;
  #hasFailed = false;

  constructor(stream: TerminalStream, options: { readonly hasColour: boolean; readonly patienceMs?: number }) {
    this.#stream = stream;
    this.#hasColour = options.hasColour;
    this.#patienceMs = options.patienceMs ?? defaultPatienceMs;
  }

  wait(what: string): void {
    this.#what = what;
    if (this.#ora?.isSpinning === true) this.#ora.text = this.#fit(what);
    else this.#arm();
  }

  clear(): void {
    this.#erase();
    if (this.#what !== undefined) this.#arm();
  }

  stop(): void {
    this.#what = undefined;
    clearTimeout(this.#timer);
    this.#erase();
  }

  #arm(): void {
    clearTimeout(this.#timer);
    if (this.#hasFailed) return;
    // Unreferenced: a run that has ended does not wait for its decoration.
    this.#timer = setTimeout(() => void this.#draw(), this.#patienceMs).unref();
  }

  async #draw(): Promise<void> {
    if (this.#columns < minColumns) return;
    try {
      this.#ora ??= await this.#create();
      if (this.#what !== undefined) this.#ora.start(this.#fit(this.#what));
    } catch {
      this.#giveUp();
    }
  }

  #erase(): void {
    if (this.#ora?.isSpinning === true) this.#ora.stop();
  }

  #giveUp(): void {
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    this.#erase(); // ora's timer and its hooks on the streams
  }

  async #create(): Promise<Ora> {
    const [{ default: ora }, { default: chalk }] = await Promise.all([import("ora"), import("chalk")]);
    chalk.level = this.#hasColour ? 1 : 0; // ora's chalk does not look at the terminal itself
    const spinner = ora({
      stream: this.#stream,
      isEnabled: true,
      color: this.#hasColour ? "cyan" : false,
      // A hidden cursor would need signal handlers to come back, and stdin is not ours to touch.
      hideCursor: false,
      discardStdin: false,
    });
    // ora calls these from its own timer and from its hook on the stream, where nobody else could catch what they throw.
    for (const name of ["render", "clear"] as const) {
      const method = spinner[name].bind(spinner);
      spinner[name] = () => {
        try {
          method();
        } catch {
          this.#giveUp();
        }
        return spinner;
      };
    }
    this.#stream.on("resize", () => {
      if (this.#what !== undefined) spinner.text = this.#fit(this.#what);
    });
    return spinner;
  }

  get #columns(): number {
    return this.#stream.columns ?? 0;
  }

  #fit(text: string): string {
    const width = this.#columns - 4;
    return text.length > width ? `${text.slice(0, width - 1)}…` : text;
  }
}

/** Text that is written takes the spinner's place first. */
export function withSpinner(output: Output, spinner: Spinner): Pick<Output, "stdout" | "stderr"> {
  return {
    stdout(text) {
      spinner.clear();
      output.stdout(text);
    },
    stderr(text) {
      spinner.clear();
      output.stderr(text);
    },
  };
}
