import { Writable } from "node:stream";
import { expect, test } from "vitest";
import { TerminalSpinner, withSpinner } from "../../src/render/spinner.ts";
import { CapturedOutput } from "./support.ts";

test("a wait is drawn in one line, and taken away for text", async () => {
  const terminal = new FakeTerminal();
  const spinner = new TerminalSpinner(terminal, { hasColour: false, patienceMs: 1 });
  spinner.wait("Waiting for the model");
  await terminal.shows("Waiting for the model");
  spinner.wait(`Running ${"x".repeat(100)}`);
  await terminal.shows(`Running ${"x".repeat(27)}…`);

  const cleared = terminal.clearedLines;
  const output = new CapturedOutput();
  withSpinner(output, spinner).stderr("text\n");
  expect([terminal.clearedLines, output.err]).toEqual([cleared + 1, "text\n"]);

  terminal.text = "";
  await terminal.shows("Running");
  spinner.stop();
  const drawn = terminal.text;
  withSpinner(output, spinner).stdout("more\n");
  expect(terminal.text).toBe(drawn);
});

test("the cursor is never hidden", async () => {
  const terminal = new FakeTerminal();
  const spinner = new TerminalSpinner(terminal, { hasColour: true, patienceMs: 1 });
  spinner.wait("Waiting");
  await terminal.shows("Waiting");
  spinner.stop();
  expect(terminal.text).not.toContain("\u001b[?25l");
});

test("a wait that is over in time is never drawn", async () => {
  const [quick, slow] = [new FakeTerminal(), new FakeTerminal()];
  const stopped = new TerminalSpinner(quick, { hasColour: false, patienceMs: 1 });
  stopped.wait("Waiting");
  stopped.stop();
  const later = new TerminalSpinner(slow, { hasColour: false, patienceMs: 1 });
  later.wait("Waiting");
  await slow.shows("Waiting");
  later.stop();
  expect(quick.text).toBe("");
});

test("nothing is drawn on a terminal without a width", async () => {
  const [flat, wide] = [new FakeTerminal(0), new FakeTerminal()];
  const spinners = [flat, wide].map((terminal) => new TerminalSpinner(terminal, { hasColour: false, patienceMs: 1 }));
  for (const spinner of spinners) spinner.wait("Waiting");
  await wide.shows("Waiting");
  for (const spinner of spinners) spinner.stop();
  expect(flat.text).toBe("");
});

/** As much of a terminal as a spinner needs. */
class FakeTerminal extends Writable {
  readonly isTTY = true;
  readonly columns: number;
  text = "";
  clearedLines = 0;
  #onWrite = () => {};

  constructor(columns = 40) {
    super();
    this.columns = columns;
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    this.#onWrite();
    done();
  }

  cursorTo(): void {}

  moveCursor(): void {}

  clearLine(): void {
    this.clearedLines++;
  }

  async shows(text: string): Promise<void> {
    while (!this.text.includes(text)) {
      await new Promise<void>((resolve) => {
        this.#onWrite = resolve;
      });
    }
  }
}
