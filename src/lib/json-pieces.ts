/** Characters of a string that become JSON at once. */
const longestPiece = 65_536;

/** The text of `JSON.stringify` piece by piece, for values so large that the whole would keep others waiting. */
export function* jsonPieces(value: unknown): Iterable<string> {
  if (Array.isArray(value)) {
    yield "[";
    for (const [at, element] of value.entries()) {
      if (at > 0) yield ",";
      yield* jsonPieces(element);
    }
    yield "]";
  } else if (typeof value === "object" && value !== null) {
    let before = "{";
    for (const [key, member] of Object.entries(value)) {
      if (member === undefined) continue;
      yield `${before}${JSON.stringify(key)}:`;
      yield* jsonPieces(member);
      before = ",";
    }
    yield before === "{" ? "{}" : "}";
  } else if (typeof value === "string" && value.length > longestPiece) {
    yield '"';
    // Half of a character becomes an escape, and the two read as the whole one.
    for (let at = 0; at < value.length; at += longestPiece) {
      yield JSON.stringify(value.slice(at, at + longestPiece)).slice(1, -1);
    }
    yield '"';
  } else {
    yield JSON.stringify(value) ?? "null";
  }
}
