/** The words a POSIX shell would see in a text, nothing expanded; undefined when a quote or an escape is left open. */
export function splitWords(text: string): readonly string[] | undefined {
  const lexeme =
    /(?<blank>[ \t\n]+)|(?<joined>\\\n)|\\(?<escaped>.)|'(?<single>[^']*)'|"(?<double>[^"\\]*(?:\\.[^"\\]*)*)"|(?<bare>[^ \t\n'"\\]+)/suy;
  const words: string[] = [];
  let word: string | undefined;
  while (lexeme.lastIndex < text.length) {
    if (word === undefined && text[lexeme.lastIndex] === "#") {
      const end = text.indexOf("\n", lexeme.lastIndex);
      if (end === -1) break;
      lexeme.lastIndex = end;
    }
    const found = lexeme.exec(text)?.groups;
    if (found === undefined) return undefined;
    if (found["joined"] !== undefined) continue;
    if (found["blank"] !== undefined) {
      if (word !== undefined) words.push(word);
      word = undefined;
      continue;
    }
    const double = found["double"]?.replace(/\\(?:\n|([$`"\\]))/g, "$1");
    word = (word ?? "") + (found["bare"] ?? found["single"] ?? found["escaped"] ?? double ?? "");
  }
  if (word !== undefined) words.push(word);
  return words;
}
