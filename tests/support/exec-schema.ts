import { readFileSync } from "node:fs";
import path from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import { closedSchema } from "./proto-schema.ts";

const file = path.resolve(import.meta.dirname, "../../schema/exec.schema.json");
const schema = closedSchema(JSON.parse(readFileSync(file, "utf8")));
const ajv = new Ajv2020({ allowUnionTypes: true, schemas: [{ ...schema, $id: "exec" }] });

/** Throws unless all lines of a run are as the package's schema has them. */
export function checkExecLines(lines: readonly unknown[], format: "json" | "thread"): void {
  const [first, second, other] =
    format === "json" ? ["SettingsLine", "PromptLine", "EventLine"] : ["ThreadLine", "ThreadLine", "ThreadLine"];
  const problems = lines.flatMap((line, index) => {
    const name = [first, second][index] ?? other;
    const validate = ajv.getSchema(`exec#/$defs/${name}`);
    if (validate?.(line) === true) return [];
    return [`${name}: ${JSON.stringify(line).slice(0, 1000)}: ${ajv.errorsText(validate?.errors?.slice(-3))}`];
  });
  if (problems.length > 0) throw new Error(`Not as the schema has it: ${problems.join("\n")}`);
}
