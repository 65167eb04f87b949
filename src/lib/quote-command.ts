/**
 * One line a POSIX shell reads back as these words. Clients compare this text, so the choice of quotes is part of the
 * wire: each word is cut into the longest pieces that one style can hold, and the plainest style wins.
 */
export function quoteCommand(argv: readonly string[]): string {
  // No quoting can carry NUL; such a command cannot run anyway.
  if (argv.some((word) => word.includes("\0"))) return argv.join(" ");
  return argv.map(quoteWord).join(" ");
}

function quoteWord(word: string): string {
  if (word === "") return "''";
  let quoted = "";
  for (let at = 0; at < word.length; ) {
    const single = match(fitsSingle, word, at);
    const double = match(fitsDouble, word, at);
    const piece = single.length >= double.length ? single : double;
    if (bare.test(piece)) quoted += piece;
    else if (piece === single) quoted += `'${piece}'`;
    else quoted += `"${piece.replace(/["\\]/g, "\\$&")}"`;
    at += piece.length;
  }
  return quoted;
}

function match(pattern: RegExp, text: string, at: number): string {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0] ?? "";
}

const bare = /^[A-Za-z0-9+\-./:@\]_]+$/;
/** "^" fits nowhere, except single quotes when it opens a piece. */
const fitsSingle = /\^?[^'\\^]*/y;
const fitsDouble = /[^`$!^]*/y;
