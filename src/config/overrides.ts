import { UserError } from "../lib/errors.ts";
import { isRecord } from "../lib/parse-json.ts";
import { parseTomlValue, type TomlValues } from "./parse-toml.ts";

export interface Override {
  /** Segments are split at dots; nothing quotes a dot. */
  readonly path: readonly string[];
  /** Undefined takes the key away. */
  readonly value: unknown;
}

/** Reads `-c key=value` texts. */
export function parseOverrides(texts: readonly string[]): readonly Override[] {
  return texts.map((text) => {
    const equals = text.indexOf("=");
    if (equals === -1) throw new UserError(`Error parsing -c overrides: Invalid override (missing '='): ${text}`);
    const key = text.slice(0, equals).trim();
    if (key === "") throw new UserError(`Error parsing -c overrides: Empty key in override: ${text}`);
    return { path: key.split("."), value: readValue(text.slice(equals + 1).trim()) };
  });
}

/** More than any configuration has; each costs some time, in which a server answers nobody. */
const mostSettings = 10_000;

/** The JSON settings of a client, in the same form. Throws a UserError for more than anybody could mean. */
export function settingsToOverrides(settings: Readonly<Record<string, unknown>>): readonly Override[] {
  if (countSettings(settings) > mostSettings) {
    throw new UserError(`config holds more than ${mostSettings} keys and values; leave out what is not needed`);
  }
  return Object.entries(settings).map(([key, value]) => ({
    path: key.split("."),
    value: value === null ? undefined : fromJson(value),
  }));
}

/** Changes `values` in place: tables are made on the way, and whatever else is in the way gives room. */
export function applyOverride(values: TomlValues, { path, value }: Override): void {
  let table = values;
  for (const segment of path.slice(0, -1)) {
    const next = Object.hasOwn(table, segment) ? table[segment] : undefined;
    table = isTable(next) ? next : setOwn(table, segment, newTable());
  }
  const last = path.at(-1) ?? "";
  if (value === undefined) delete table[last];
  else setOwn(table, last, value);
}

/** Keys by their segments, and the elements of lists; at most one more than there may be. */
function countSettings(settings: Readonly<Record<string, unknown>>): number {
  let count = 0;
  const left: unknown[] = [settings];
  while (left.length > 0 && count <= mostSettings) {
    const value = left.pop();
    if (Array.isArray(value)) {
      count += value.length;
      if (count <= mostSettings) left.push(...value);
    } else if (isRecord(value)) {
      for (const key in value) {
        count += key.split(".", mostSettings + 1).length;
        if (count > mostSettings) break;
        left.push(value[key]);
      }
    }
  }
  return count;
}

function readValue(text: string): unknown {
  const value = parseTomlValue(text);
  if (value instanceof Date) return text; // dates are wanted nowhere, names that look like one are
  return value ?? text.replace(/^["']+|["']+$/g, "");
}

function fromJson(value: unknown): unknown {
  if (typeof value === "number") return Number.isInteger(value) ? BigInt(value) : value;
  if (Array.isArray(value)) return value.map((element) => fromJson(element ?? ""));
  if (!isRecord(value)) return value;
  const table = newTable();
  for (const [key, member] of Object.entries(value)) {
    if (member !== null) setOwn(table, key, fromJson(member));
  }
  return table;
}

function isTable(value: unknown): value is TomlValues {
  return isRecord(value) && !(value instanceof Date);
}

function newTable(): TomlValues {
  return Object.create(null) as TomlValues; // an object without prototype: no key of it is special
}

function setOwn<T>(table: TomlValues, key: string, value: T): T {
  table[key] = value;
  return value;
}
