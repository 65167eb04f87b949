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

export class TerminalSpinner implements Spinner {
  readonly #stream: TerminalStream;
  readonly #hasColour: boolean;
  readonly #patienceMs: number;
  #what: string | undefined;
  #timer: NodeJS.Timeout | undefined;
  #ora: Ora | undefined;

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
    if (this.#ora?.isSpinning === true) this.#ora.stop();
    if (this.#what !== undefined) this.#arm();
  }

  stop(): void {
    this.#what = undefined;
    clearTimeout(this.#timer);
    if (this.#ora?.isSpinning === true) this.#ora.stop();
  }

  #arm(): void {
    clearTimeout(this.#timer);
    // Unreferenced: a run that has ended does not wait for its decoration.
    this.#timer = setTimeout(() => void this.#draw(), this.#patienceMs).unref();
  }

  async #draw(): Promise<void> {
    if (this.#columns < minColumns) return;
    this.#ora ??= await this.#create();
    if (this.#what !== undefined) this.#ora.start(this.#fit(this.#what));
  }

  async #create(): Promise<Ora> {
    const { default: ora } = await import("ora");
    return ora({
      stream: this.#stream,
      isEnabled: true,
      color: this.#hasColour ? "cyan" : false,
      // A hidden cursor would need signal handlers to come back, and stdin is not ours to touch.
      hideCursor: false,
      discardStdin: false,
    });
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
