import type { ChalkInstance } from "chalk";
import type { FileChange, FileChanges } from "../protocol/event.ts";
import { showControls, showLine } from "./printable.ts";

/** One block per file, sorted by path: a header (A, D, M or R), then the lines that come and go. */
export function patchText(changes: FileChanges, paint: ChalkInstance): string {
  return Object.entries(changes)
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([path, change]) => fileText(path, change, paint))
    .join("");
}

/** Colours the lines that come and go; file headers look like such lines and are left alone. */
export function diffText(diff: string, paint: ChalkInstance): string {
  let isInHunk = false;
  return mapLines(diff, (line) => {
    if (line.startsWith("@@")) isInHunk = true;
    else if (line.startsWith("diff --git ")) isInHunk = false;
    if (isInHunk && line.startsWith("+")) return paint.green(line);
    if (isInHunk && line.startsWith("-")) return paint.red(line);
    return line;
  });
}

function fileText(path: string, change: FileChange, paint: ChalkInstance): string {
  const header = (text: string) => `${paint.magenta(showLine(text))}\n`;
  if ("add" in change) return header(`A ${path}`) + mapLines(change.add.content, (line) => paint.green(line));
  if ("delete" in change) return header(`D ${path}`) + mapLines(change.delete.content, (line) => paint.red(line));
  const { move_path: movePath, unified_diff: diff } = change.update;
  return header(movePath === null ? `M ${path}` : `R ${path} -> ${movePath}`) + diffText(diff, paint);
}

function mapLines(text: string, paintLine: (line: string) => string): string {
  if (text === "") return "";
  const lines = showControls(text).split("\n");
  if (lines.at(-1) === "") lines.pop();
  return `${lines.map(paintLine).join("\n")}\n`;
}
