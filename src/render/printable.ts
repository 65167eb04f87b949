import { stripVTControlCharacters } from "node:util";
import { escapeControls, showInvisible } from "../lib/show-invisible.ts";

// Whoever writes a file, a command's output or the model's text must not get to steer the reader's terminal.

/** C0, DEL and C1, without newline and tab. */
const control = /[^\P{Cc}\n\t]/u;
const controls = new RegExp(control, "gu");

/**
 * For text that is only read: terminal sequences and control characters are left out. Invisible characters stay: prose
 * needs them, in emoji and in scripts that run from right to left.
 */
export function stripControls(text: string): string {
  if (!control.test(text)) return text;
  return stripVTControlCharacters(text).replace(controls, "");
}

/** For text that says what happens (commands, paths, diffs): control characters and invisible ones become visible. */
export function showControls(text: string): string {
  return escapeControls(showInvisible(text).replaceAll("\r\n", "\n"));
}

/** For a text of one line: a file's name cannot make another of it. */
export function showLine(text: string): string {
  return showControls(text).replaceAll("\n", "\\n");
}
