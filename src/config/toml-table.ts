import { isRecord } from "../lib/parse-json.ts";
import { shortestSecret } from "./parse-toml.ts";

/** A table and the dotted key it stands under, "" for the file itself. */
export interface TomlTable {
  readonly key: string;
  readonly values: Readonly<Record<string, unknown>>;
  /** Gets the dotted key of everything that is looked at, here and in the tables inside. */
  readonly seen?: Set<string> | undefined;
}

/** A known key with a value it cannot have. The wording is that of the reference, which scripts and clients match. */
export class WrongValue extends Error {
  override readonly name = "WrongValue";
  readonly key: string;

  constructor(key: string, problem: string) {
    super(problem);
    this.key = key;
  }
}

export function readString(table: TomlTable, name: string): string | undefined {
  return read(table, name, stringOf);
}

export function readBoolean(table: TomlTable, name: string): boolean | undefined {
  return read(table, name, (value, key) => {
    if (typeof value !== "boolean") throw wrongType(key, value, "a boolean");
    return value;
  });
}

export function readUnsigned(table: TomlTable, name: string): number | undefined {
  return read(table, name, (value, key) => {
    if (typeof value !== "bigint") throw wrongType(key, value, "u64");
    if (value < 0n) throw new WrongValue(key, `invalid value: integer \`${value}\`, expected u64`);
    return Number(value);
  });
}

/** A time in seconds, whole or not, as milliseconds. */
export function readSecondsAsMs(table: TomlTable, name: string): number | undefined {
  return read(table, name, (value, key) => {
    if (typeof value !== "bigint" && typeof value !== "number") throw wrongType(key, value, "a number of seconds");
    const ms = Math.round(Number(value) * 1000);
    if (!(ms >= 0 && Number.isFinite(ms)))
      throw new WrongValue(key, `invalid value: ${describe(value)}, expected seconds`);
    return ms;
  });
}

export function readOneOf<T extends string>(table: TomlTable, name: string, variants: readonly T[]): T | undefined {
  return read(table, name, (value, key) => {
    const text = stringOf(value, key);
    const variant = variants.find((candidate) => candidate === text);
    if (variant === undefined) throw new WrongValue(key, `unknown variant \`${text}\`, expected ${listOf(variants)}`);
    return variant;
  });
}

export function readStrings(table: TomlTable, name: string): readonly string[] | undefined {
  return read(table, name, (value, key) => {
    if (!Array.isArray(value)) throw wrongType(key, value, "a sequence");
    return value.map((element) => stringOf(element, key));
  });
}

export function readStringMap(table: TomlTable, name: string): Readonly<Record<string, string>> | undefined {
  const map = readTable(table, name);
  if (map === undefined) return undefined;
  return Object.fromEntries(
    Object.keys(map.values).flatMap((entry) => {
      const value = readString(map, entry);
      return value === undefined ? [] : [[entry, value]];
    }),
  );
}

export function readTable(table: TomlTable, name: string): TomlTable | undefined {
  return read(table, name, (value, key) => {
    if (!isTable(value)) throw wrongType(key, value, "a map");
    return { key, values: value, seen: table.seen };
  });
}

/** The tables inside a table, by their names. */
export function readTables(table: TomlTable, name: string): ReadonlyMap<string, TomlTable> {
  const outer = readTable(table, name);
  const tables = new Map<string, TomlTable>();
  for (const entry of Object.keys(outer?.values ?? {})) {
    const inner = outer && readTable(outer, entry);
    if (inner !== undefined) tables.set(entry, inner);
  }
  return tables;
}

export function required<T>(table: TomlTable, name: string, value: T | undefined): T {
  if (value === undefined) throw new WrongValue(table.key, `missing field \`${name}\``);
  return value;
}

function read<T>(table: TomlTable, name: string, convert: (value: unknown, key: string) => T): T | undefined {
  const value = table.values[name];
  if (value === undefined) return undefined;
  const key = keyIn(table, name);
  table.seen?.add(key);
  return convert(value, key);
}

/** The dotted keys that nobody looked at; of a table that nobody knows only its own. */
export function unseenKeys(table: TomlTable): readonly string[] {
  return Object.entries(table.values).flatMap(([name, value]) => {
    const key = keyIn(table, name);
    if (table.seen?.has(key) !== true) return [key];
    return isTable(value) ? unseenKeys({ key, values: value, seen: table.seen }) : [];
  });
}

function keyIn({ key }: TomlTable, name: string): string {
  return key === "" ? name : `${key}.${name}`;
}

function stringOf(value: unknown, key: string): string {
  if (value instanceof Date) return value.toISOString();
  if (typeof value !== "string") throw wrongType(key, value, "a string");
  return value;
}

function isTable(value: unknown): value is Readonly<Record<string, unknown>> {
  return isRecord(value) && !(value instanceof Date);
}

function wrongType(key: string, value: unknown, expected: string): WrongValue {
  // Of tables and lists only the kind is told; besides, those of the parser cannot become a string.
  const isSecret = holdsSecrets.test(key) && typeof value !== "object" && String(value).length >= shortestSecret;
  const found = isSecret ? describe(value).replace(/ ["`].*/s, "") : describe(value);
  return new WrongValue(key, `invalid type: ${found}, expected ${expected}`);
}

/** People keep passwords and tokens there, and some of them in the wrong place. */
const holdsSecrets = /^(?:mcp_servers|model_providers|shell_environment_policy)\./;

function describe(value: unknown): string {
  switch (typeof value) {
    case "string":
      return `string ${JSON.stringify(value)}`;
    case "bigint":
      return `integer \`${value}\``;
    case "number":
      return `floating point \`${Number.isInteger(value) ? value.toFixed(1) : value}\``;
    case "boolean":
      return `boolean \`${value}\``;
    default:
      if (value instanceof Date) return `datetime \`${value.toISOString()}\``;
      return Array.isArray(value) ? "sequence" : "map";
  }
}

export function listOf(variants: readonly string[]): string {
  const quoted = variants.map((variant) => `\`${variant}\``);
  return quoted.length > 2 ? `one of ${quoted.join(", ")}` : quoted.join(" or ");
}
