import type * as z from "zod/mini";

/** Longer strings are cut where they are quoted. */
const longestQuote = 60;

/** What is wrong with `input`, and what was expected where, in the words that serde has for it. */
export function describeIssue(issue: z.core.$ZodIssue | undefined, input: unknown): string {
  return describe(issue, input, { withPlace: true });
}

/** The same in exactly the words of the reference, which does not say where. */
export function describeBare(issue: z.core.$ZodIssue | undefined, input: unknown): string {
  return describe(issue, input, { withPlace: false });
}

function describe(
  issue: z.core.$ZodIssue | undefined,
  input: unknown,
  { withPlace }: { readonly withPlace: boolean },
): string {
  if (issue === undefined) return "unknown problem";
  const value = valueAt(input, issue.path);
  const field = fieldName(issue.path);
  if (issue.code === "unrecognized_keys") {
    return `unknown field \`${issue.keys.map(cut).join("`, `")}\`${field === "" ? "" : ` in \`${field}\``}`;
  }
  if (value === undefined && field !== "") return `missing field \`${field}\``;
  const place = field === "" || !withPlace ? "" : ` in \`${field}\``;
  const words = withPlace ? plainNouns : serdeNouns;
  const described = describeValue(value, words);
  switch (issue.code) {
    case "invalid_type":
      return `invalid type: ${described}, expected ${words[issue.expected] ?? issue.expected}${place}`;
    case "invalid_value":
      return unknownVariant(value, described, issue.values.map(String)) + place;
    case "invalid_union":
      if ("options" in issue && issue.options !== undefined)
        return unknownVariant(value, described, issue.options.map(String)) + place;
      return `invalid value: ${described}${place}`;
    case "invalid_format":
      return `invalid value: ${described}, expected ${issue.message}${place}`;
    case "too_small":
      return `invalid value: ${described}, expected at least ${issue.minimum}${place}`;
    case "too_big":
      return `invalid value: ${described}, expected at most ${issue.maximum}${place}`;
    default:
      return `invalid value: ${described}${place}`;
  }
}

function unknownVariant(value: unknown, described: string, known: readonly string[]): string {
  const choices = known.map((name) => `\`${name}\``).join(", ");
  const oneOf = known.length === 1 ? choices : `one of ${choices}`;
  if (typeof value === "string") return `unknown variant \`${cut(value)}\`, expected ${oneOf}`;
  return `invalid type: ${described}, expected ${oneOf}`;
}

type Nouns = Readonly<Record<string, string>>;

const plainNouns: Nouns = {
  string: "a string",
  number: "a number",
  int: "an integer",
  boolean: "a boolean",
  array: "an array",
  object: "an object",
  record: "an object",
  arrayValue: "an array",
  objectValue: "an object",
};

const serdeNouns: Nouns = {
  ...plainNouns,
  array: "a sequence",
  object: "a map",
  record: "a map",
  arrayValue: "sequence",
  objectValue: "map",
};

function describeValue(value: unknown, nouns: Nouns): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return nouns["arrayValue"] ?? "";
  switch (typeof value) {
    case "string":
      return `string ${JSON.stringify(cut(value))}`;
    case "number":
      return `${Number.isInteger(value) ? "integer" : "floating point"} \`${value}\``;
    case "boolean":
      return `boolean \`${value}\``;
    default:
      return value === undefined ? "nothing" : (nouns["objectValue"] ?? "");
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
