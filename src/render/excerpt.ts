import { stripControls } from "./printable.ts";

const maxLines = 20;
const maxLineLength = 1000;

/** The first lines of a command's output, and how many more there are. */
export function excerpt(text: string): string {
  const lines: string[] = [];
  let start = 0;
  while (start < text.length && lines.length < maxLines) {
    const end = endOfLine(text, start);
    lines.push(asDrawn(text.slice(start, end)));
    start = end + 1;
  }
  let more = 0;
  for (; start < text.length; start = endOfLine(text, start) + 1) more++;
  if (more > 0) lines.push(more === 1 ? "… 1 more line" : `… ${more} more lines`);
  return lines.join("\n");
}

/** First line of a text that is to stand in a title. */
export function firstLine(text: string): string {
  const end = endOfLine(text, 0);
  const line = text.slice(0, Math.min(end, maxLineLength));
  return line.length < text.trimEnd().length ? `${line} …` : line;
}

function endOfLine(text: string, start: number): number {
  const end = text.indexOf("\n", start);
  return end === -1 ? text.length : end;
}

/** A progress bar redraws its line after each carriage return; only its last state is of interest. */
function asDrawn(line: string): string {
  const drawn = line.endsWith("\r") ? line.slice(0, -1) : line;
  const last = drawn.slice(drawn.lastIndexOf("\r") + 1);
  const more = last.length - maxLineLength;
  return more > 0 ? `${stripControls(last.slice(0, maxLineLength))} … ${more} more characters` : stripControls(last);
}
