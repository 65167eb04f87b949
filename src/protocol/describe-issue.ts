import type * as z from "zod/mini";

/** Longer strings are cut where they are quoted. */
const longestQuote = 60;

/** What is wrong with `input`, and what was expected where, in the words that serde has for it. */
export function describeIssue(issue: z.core.$ZodIssue | undefined, input: unknown): string {
  if (issue === undefined) return "unknown problem";
  const value = valueAt(input, issue.path);
  const field = fieldName(issue.path);
  if (issue.code === "unrecognized_keys") {
    return `unknown field \`${issue.keys.map(cut).join("`, `")}\`${field === "" ? "" : ` in \`${field}\``}`;
  }
  if (value === undefined && field !== "") return `missing field \`${field}\``;
  const place = field === "" ? "" : ` in \`${field}\``;
  switch (issue.code) {
    case "invalid_type":
      return `invalid type: ${describeValue(value)}, expected ${expected(issue.expected)}${place}`;
    case "invalid_value":
      return unknownVariant(value, issue.values.map(String)) + place;
    case "invalid_union":
      if ("options" in issue && issue.options !== undefined)
        return unknownVariant(value, issue.options.map(String)) + place;
      return `invalid value: ${describeValue(value)}${place}`;
    case "invalid_format":
      return `invalid value: ${describeValue(value)}, expected ${issue.message}${place}`;
    case "too_small":
      return `invalid value: ${describeValue(value)}, expected at least ${issue.minimum}${place}`;
    case "too_big":
      return `invalid value: ${describeValue(value)}, expected at most ${issue.maximum}${place}`;
    default:
      return `invalid value: ${describeValue(value)}${place}`;
  }
}

function unknownVariant(value: unknown, known: readonly string[]): string {
  const choices = known.map((name) => `\`${name}\``).join(", ");
  const oneOf = known.length === 1 ? choices : `one of ${choices}`;
  if (typeof value === "string") return `unknown variant \`${cut(value)}\`, expected ${oneOf}`;
  return `invalid type: ${describeValue(value)}, expected ${oneOf}`;
}

const nouns: Readonly<Record<string, string>> = {
  string: "a string",
  number: "a number",
  int: "an integer",
  boolean: "a boolean",
  array: "an array",
  object: "an object",
  record: "an object",
};

function expected(type: string): string {
  return nouns[type] ?? type;
}

function describeValue(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  switch (typeof value) {
    case "string":
      return `string ${JSON.stringify(cut(value))}`;
    case "number":
      return `${Number.isInteger(value) ? "integer" : "floating point"} \`${value}\``;
    case "boolean":
      return `boolean \`${value}\``;
    default:
      return value === undefined ? "nothing" : "an object";
  }
}

/** `op.items[0].text` */
function fieldName(path: readonly PropertyKey[]): string {
  return path
    .map((key, at) => (typeof key === "number" ? `[${key}]` : `${at === 0 ? "" : "."}${String(key)}`))
    .join("");
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, key) => (typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined),
    input,
  );
}

function cut(text: string): string {
  return text.length <= longestQuote ? text : `${text.slice(0, longestQuote)}…`;
}
