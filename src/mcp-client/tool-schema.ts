import { isRecord } from "../lib/parse-json.ts";

type Schema = Readonly<Record<string, unknown>>;

const supportedTypes = ["object", "array", "string", "number", "boolean"];
/** Deeper ones say nothing to a model, and must not exhaust our stack. */
const deepest = 32;

/**
 * A server's input schema, reduced to what every model API takes. Nothing is refused: what cannot be
 * expressed becomes an open object or a string.
 */
export function cleanToolSchema(schema: unknown): Schema {
  return cleanObject(isRecord(schema) ? schema : {}, 0);
}

function cleanSchema(schema: unknown, depth: number): Schema {
  if (!isRecord(schema) || depth > deepest) return { type: "string" }; // `true` and `false` are schemas too
  const type = typeOf(schema);
  if (type === "object") return cleanObject(schema, depth);
  const described = { type, ...descriptionOf(schema) };
  return type === "array" ? { ...described, items: cleanSchema(schema["items"], depth + 1) } : described;
}

function cleanObject(schema: Schema, depth: number): Schema {
  const { properties, required, additionalProperties } = schema;
  const cleaned = isRecord(properties)
    ? Object.entries(properties).map(([name, value]) => [name, cleanSchema(value, depth + 1)])
    : [];
  return {
    type: "object",
    ...descriptionOf(schema),
    properties: Object.fromEntries(cleaned),
    ...(Array.isArray(required) ? { required: required.filter((name) => typeof name === "string") } : {}),
    ...(typeof additionalProperties === "boolean" ? { additionalProperties } : {}),
    ...(isRecord(additionalProperties) ? { additionalProperties: true } : {}),
  };
}

function descriptionOf({ description }: Schema): { readonly description?: string } {
  return typeof description === "string" ? { description } : {};
}

function typeOf(schema: Schema): string {
  const { type } = schema;
  const named = (Array.isArray(type) ? type : [type]).map((name) => (name === "integer" ? "number" : name));
  return named.find((name) => supportedTypes.includes(name)) ?? inferType(schema);
}

function inferType(schema: Schema): string {
  const has = (...keys: readonly string[]) => keys.some((key) => Object.hasOwn(schema, key));
  if (has("properties", "required", "additionalProperties")) return "object";
  if (has("items", "prefixItems")) return "array";
  if (has("enum", "const", "format")) return "string";
  if (has("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")) return "number";
  return "string";
}
