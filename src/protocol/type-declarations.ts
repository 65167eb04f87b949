import type { JsonSchema, ProtoSchema } from "./proto-schema.ts";

/** A declaration file with one type for each definition of `schema`, which the package has in `file`. */
export function typeDeclarations({ title, description, $defs }: ProtoSchema, file: string): string {
  const head = `// ${title}. ${description}\n// Made from the same schemas as ${file}; what is changed here will be lost.\n`;
  return [head, ...Object.entries($defs).map(([name, schema]) => declaration(name, schema))].join("\n");
}

export function declaration(name: string, schema: JsonSchema): string {
  const comment = schema.description === undefined ? "" : `/** ${schema.description} */\n`;
  const { properties } = schema;
  if (properties === undefined) {
    const choices = (schema.anyOf ?? schema.oneOf)?.map((choice) => `\n  | ${typeText(choice)}`).join("");
    return `${comment}export type ${name} =${choices ?? ` ${typeText(schema)}`};\n`;
  }
  const fields = Object.entries(properties).map(([field, property]) => {
    const note = property.description === undefined ? "" : `  /** ${property.description} */\n`;
    const optional = schema.required?.includes(field) ? "" : "?";
    return `${note}  ${fieldName(field)}${optional}: ${typeText(property)};\n`;
  });
  return `${comment}export interface ${name} {\n${fields.join("")}}\n`;
}

/** The type in TypeScript's words, on one line. */
export function typeText(schema: JsonSchema): string {
  if (schema.$ref !== undefined) return schema.$ref.slice(schema.$ref.lastIndexOf("/") + 1);
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum !== undefined) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices !== undefined) return choices.map(typeText).join(" | ");
  if (typeof schema.type === "object") return schema.type.map((type) => typeText({ ...schema, type })).join(" | ");
  switch (schema.type) {
    case "array": {
      const item = typeText(schema.items ?? {});
      return schema.items?.type !== "object" && item.includes(" | ") ? `(${item})[]` : `${item}[]`;
    }
    case "object":
      return objectText(schema);
    case "integer":
      return "number";
    default:
      return schema.type ?? "unknown";
  }
}

function objectText({ properties, required, additionalProperties }: JsonSchema): string {
  if (properties === undefined) return `Record<string, ${typeText(additionalProperties ?? {})}>`;
  const fields = Object.entries(properties).map(
    ([field, property]) => `${fieldName(field)}${required?.includes(field) ? "" : "?"}: ${typeText(property)}`,
  );
  return `{ ${fields.join("; ")} }`;
}

function fieldName(field: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(field) ? field : JSON.stringify(field);
}
