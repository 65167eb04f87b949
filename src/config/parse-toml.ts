import { parse, TomlError } from "smol-toml";
import { UserError } from "../lib/errors.ts";

/** A table as the parser makes it: without a prototype, so no key is special. Integers are bigints, other numbers floats. */
export type TomlValues = Record<string, unknown>;

export function parseTomlFile(text: string, file: string): TomlValues {
  try {
    return parse(text, { integersAsBigInt: true });
  } catch (cause) {
    if (!(cause instanceof TomlError)) throw cause;
    throw new UserError(describeSyntaxError(cause, text, file), { cause });
  }
}

/** The right-hand side of an assignment; undefined when `text` is not one TOML value. */
export function parseTomlValue(text: string): unknown {
  try {
    const { value, ...others } = parse(`value = ${text}`, { integersAsBigInt: true });
    return Object.keys(others).length === 0 ? value : undefined;
  } catch (error) {
    if (error instanceof TomlError) return undefined;
    throw error;
  }
}

/** A quoted text, open or not, or a word. */
const piece = /"(?:[^"\\]|\\.)*"?|'[^']*'?|[^\s"'=,{}[\]#]+/g;
/** What is shorter than that is no key of anybody's. */
export const shortestSecret = 8;

/** The line may hold a key or a password: names are shown, and of longer values only their place and length. */
function maskValues(line: string): string {
  return line.replace(piece, (found, at: number) => {
    const [before, after] = [line.slice(0, at), line.slice(at + found.length)];
    const isName = /(?:^|[{,])\s*$/.test(before) && /^\s*=/.test(after);
    const isHeader = /^\s*\[{1,2}$/.test(before) && /^[\w.-]+$/.test(found);
    return isName || isHeader || found.length < shortestSecret ? found : found.replace(/[^"']/g, "*");
  });
}

function describeSyntaxError(error: TomlError, text: string, file: string): string {
  const { line, column } = error;
  const gutter = " ".repeat(String(line).length);
  const [problem = ""] = error.message.replace(/^Invalid TOML document: /, "").split("\n");
  return [
    `TOML parse error at line ${line}, column ${column}`,
    `${gutter} |`,
    `${line} | ${maskValues(text.split(/\r?\n/)[line - 1] ?? "")}`,
    `${gutter} | ${" ".repeat(column - 1)}^`,
    problem,
    `file: ${file}`,
  ].join("\n");
}
