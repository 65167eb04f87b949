/**
 * The text of a number as it stands in `json`, by the path to it: an integer beyond 2^53 would lose digits on its way
 * through a JavaScript number. `json` is known to be an object; of members with the same name the last one counts.
 */
export function numberToken(json: string, path: readonly string[]): string | undefined {
  let at: number | undefined = skipBlanks(json, 0);
  for (const key of path) {
    at = at !== undefined && json[at] === "{" ? findMember(json, at, key) : undefined;
  }
  if (at === undefined) return undefined;
  const token = json.slice(at, valueEnd(json, at));
  return /^-?\d/.test(token) ? token : undefined;
}

/** Where the value of the member begins. */
function findMember(json: string, start: number, key: string): number | undefined {
  let found: number | undefined;
  for (let at = skipBlanks(json, start + 1); json[at] !== "}"; at = skipBlanks(json, at)) {
    if (json[at] === ",") {
      at += 1;
      continue;
    }
    const nameEnd = stringEnd(json, at);
    const name: unknown = JSON.parse(json.slice(at, nameEnd));
    at = skipBlanks(json, skipBlanks(json, nameEnd) + 1);
    if (name === key) found = at;
    at = valueEnd(json, at);
  }
  return found;
}

function valueEnd(json: string, start: number): number {
  if (json[start] === '"') return stringEnd(json, start);
  if (json[start] !== "{" && json[start] !== "[") {
    const end = /[\s,\]}]/g;
    end.lastIndex = start;
    return end.exec(json)?.index ?? json.length;
  }
  let depth = 0;
  for (let at = start; ; at += 1) {
    const letter = json[at];
    if (letter === '"') at = stringEnd(json, at) - 1;
    else if (letter === "{" || letter === "[") depth += 1;
    else if (letter === "}" || letter === "]") depth -= 1;
    if (depth === 0) return at + 1;
  }
}

/** Behind the closing quote. */
function stringEnd(json: string, start: number): number {
  for (let quote = json.indexOf('"', start + 1); ; quote = json.indexOf('"', quote + 1)) {
    let backslashes = 0;
    while (json[quote - 1 - backslashes] === "\\") backslashes += 1;
    if (backslashes % 2 === 0) return quote + 1;
  }
}

function skipBlanks(json: string, start: number): number {
  let at = start;
  while (json[at] === " " || json[at] === "\t" || json[at] === "\r" || json[at] === "\n") at += 1;
  return at;
}
