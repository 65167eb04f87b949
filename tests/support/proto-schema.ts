import { readFileSync } from "node:fs";
import path from "node:path";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import { isRecord } from "../../src/lib/parse-json.ts";

const file = path.resolve(import.meta.dirname, "../../schema/proto.schema.json");
const schema: Definitions = JSON.parse(readFileSync(file, "utf8"));

/** What a server of somebody else says may hold more than we know. */
const open = new Set(["McpTool", "McpToolResult"]);

interface Definitions {
  readonly $defs: Readonly<Record<string, unknown>>;
}

/** A schema of the package, but without room for fields that it does not name. */
export function closedSchema(schema: Definitions): Definitions {
  const definitions = Object.entries(schema.$defs).map(([name, definition]) => [
    name,
    open.has(name) ? definition : close(definition),
  ]);
  return { ...schema, $defs: Object.fromEntries(definitions) };
}

const closed = { ...closedSchema(schema), $id: "closed" };

function close(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(close);
  if (!isRecord(value)) return value;
  const inner = Object.fromEntries(
    Object.entries(value).map(([key, part]) => [key, key === "examples" || key === "default" ? part : close(part)]),
  );
  return isRecord(value["properties"]) ? { ...inner, additionalProperties: false } : inner;
}

const ajv = new Ajv2020({ allowUnionTypes: true, schemas: [closed, { ...schema, $id: "open" }] });

/** What the package tells a client it may send. */
export function isSubmission(value: unknown): boolean {
  return validator("open#/$defs/Submission")(value) === true;
}

/** Undefined when `value` is a submission or event exactly as the schema has it. */
export function schemaProblem(name: "Submission" | "Event", value: unknown): string | undefined {
  const validate = validator(`closed#/$defs/${name}`);
  if (validate(value) === true) return undefined;
  return `${JSON.stringify(value)}: ${ajv.errorsText(validate.errors?.slice(-3))}`;
}

function validator(name: string): ValidateFunction {
  const validate = ajv.getSchema(name);
  if (validate === undefined) throw new Error(`There is no definition "${name}".`);
  return validate;
}
