import { isDeepStrictEqual } from "node:util";
import { parse, stringify } from "smol-toml";
import { UserError } from "../lib/errors.ts";
import { isRecord } from "../lib/parse-json.ts";
import { applyOverride } from "./overrides.ts";
import { parseTomlFile, type TomlValues } from "./parse-toml.ts";

interface Change {
  readonly path: readonly string[];
  /** Undefined takes the key away. */
  readonly value: string | undefined;
}

/** The lines of a table header, or of a key with its value. */
interface Statement {
  readonly first: number;
  /** Behind its last line. */
  readonly end: number;
  readonly path: readonly string[];
  readonly isHeader: boolean;
}

/**
 * Sets one string, or takes it away, in the text of a TOML file: comments, order and blanks stay. Throws a UserError where
 * the text is written so that this cannot be done for sure.
 */
export function editToml(text: string, change: Change): string {
  const wanted = parseTomlFile(text, "config.toml");
  if (change.value !== undefined || readAt(wanted, change.path) !== undefined) applyOverride(wanted, change);
  const edited = editLines(text, change);
  if (isSame(edited, wanted)) return edited;
  throw new UserError(`Cannot set "${change.path.join(".")}" in config.toml: change the file by hand.`);
}

function editLines(text: string, { path, value }: Change): string {
  const lineEnd = text.includes("\r\n") ? "\r\n" : "\n";
  const lines = text === "" ? [] : text.replace(/\r?\n$/, "").split(/\r?\n/);
  const found = [...statements(lines)];
  const key = path.at(-1) ?? "";
  const existing = found.find((statement) => !statement.isHeader && isDeepStrictEqual(statement.path, path));
  if (existing !== undefined) {
    const old = lines[existing.first] ?? "";
    const isOneLine = existing.end === existing.first + 1;
    const replaced = value === undefined ? [] : [isOneLine ? withValue(old, value) : assignment(key, value)];
    lines.splice(existing.first, existing.end - existing.first, ...replaced);
  } else if (value !== undefined) {
    const at = placeFor(found, path.slice(0, -1));
    if (at !== undefined) lines.splice(at, 0, assignment(key, value));
    else lines.push(...(lines.length === 0 ? [] : [""]), header(path.slice(0, -1)), assignment(key, value));
  }
  return lines.length === 0 ? "" : lines.join(lineEnd) + lineEnd;
}

/** Behind the last key of the table; undefined when it has no header yet. */
function placeFor(found: readonly Statement[], table: readonly string[]): number | undefined {
  const headerAt = found.findIndex(({ isHeader, path }) => isHeader && isDeepStrictEqual(path, table));
  if (table.length > 0 && headerAt === -1) return undefined;
  const start = headerAt + 1;
  const next = found.findIndex(({ isHeader }, at) => at >= start && isHeader);
  const last = found[(next === -1 ? found.length : next) - 1];
  return last === undefined || (headerAt === -1 && last.isHeader) ? 0 : last.end;
}

/** A statement goes as far as it takes until it can be parsed, for strings and arrays may have many lines. */
function* statements(lines: readonly string[]): Iterable<Statement> {
  let table: readonly string[] = [];
  for (let first = 0; first < lines.length; ) {
    if (/^\s*(#|$)/.test(lines[first] ?? "")) {
      first += 1;
      continue;
    }
    let end = first + 1;
    let values = tryParse(lines.slice(first, end));
    while (values === undefined && end < lines.length) {
      end += 1;
      values = tryParse(lines.slice(first, end));
    }
    if (values === undefined) return;
    const isHeader = /^\s*\[/.test(lines[first] ?? "");
    if (isHeader) table = innermostPath(values);
    yield { first, end, path: isHeader ? table : [...table, ...keyPath(lines[first] ?? "", values)], isHeader };
    first = end;
  }
}

function tryParse(lines: readonly string[]): TomlValues | undefined {
  try {
    return parse(lines.join("\n"), { integersAsBigInt: true });
  } catch {
    return undefined; // not to its end yet
  }
}

function innermostPath(values: unknown): readonly string[] {
  if (!isRecord(values)) return [];
  const [name] = Object.keys(values);
  return name === undefined ? [] : [name, ...innermostPath(values[name])];
}

/** Of `a.b = ...`: as many names as stand before the equals sign. */
function keyPath(line: string, values: TomlValues): readonly string[] {
  const names = innermostPath(values);
  for (let length = names.length; length > 1; length -= 1) {
    const parsed = tryParse([`${line.slice(0, line.indexOf("="))} = 0`]);
    if (parsed !== undefined) return innermostPath(parsed);
  }
  return names.slice(0, 1);
}

/** The line with another value; its blanks and its comment stay. */
function withValue(line: string, value: string): string {
  const parts = /^([^=]*=\s*)("(?:[^"\\]|\\.)*"|'[^']*'|[^#\s]+)(\s*(?:#.*)?)$/.exec(line);
  return parts === null ? line : `${parts[1]}${quoted(value)}${parts[3]}`;
}

function assignment(key: string, value: string): string {
  return `${key} = ${quoted(value)}`;
}

function header(table: readonly string[]): string {
  return `[${table.map((name) => (/^[\w-]+$/.test(name) ? name : quoted(name))).join(".")}]`;
}

function quoted(text: string): string {
  return stringify({ text }).trim().slice("text = ".length);
}

function readAt(values: TomlValues, path: readonly string[]): unknown {
  return path.reduce<unknown>((value, key) => (isRecord(value) ? value[key] : undefined), values);
}

function isSame(text: string, wanted: TomlValues): boolean {
  const found = tryParse([text]);
  return found !== undefined && stringify(found) === stringify(wanted);
}
