import type { Environment } from "../lib/environment.ts";

/** One assignment: a name, then a value in quotes, which may hold line breaks, or the rest of the line. */
const assignment =
  /^[ \t]*(?:export[ \t]+)?([A-Za-z_][\w.]*)[ \t]*=[ \t]*(?:'([^']*)'|"((?:[^"\\]|\\[\s\S])*)"|([^\r\n]*))/gm;

const escapes: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t" };

/** Reads the text of a `.env` file. Lines that assign nothing are passed over. */
export function parseDotEnv(text: string): ReadonlyMap<string, string> {
  const variables = new Map<string, string>();
  for (const [, name = "", single, double, bare = ""] of text.matchAll(assignment)) {
    variables.set(name, single ?? unescapeText(double) ?? withoutComment(bare));
  }
  return variables;
}

/** Lays a `.env` file over the environment; names of our own settings cannot be set this way. */
export function overlayDotEnv(env: Environment, text: string): Environment {
  const merged: Record<string, string | undefined> = { ...env };
  for (const [name, value] of parseDotEnv(text)) {
    if (!name.toUpperCase().startsWith("CODEX_")) merged[name] = value;
  }
  return merged;
}

function unescapeText(text: string | undefined): string | undefined {
  return text?.replace(/\\([\s\S])/g, (_, character: string) => escapes[character] ?? character);
}

/** A `#` opens a comment at the start and behind a blank only, so that values may contain it. */
function withoutComment(text: string): string {
  return text.replace(/(^|[ \t])#.*$/, "").trim();
}
