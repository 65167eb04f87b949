import { eventGuide, submissionGuide } from "./message-guide.ts";
import { eventName, type JsonSchema, opName, type ProtoSchema } from "./proto-schema.ts";
import { declaration, typeText } from "./type-declarations.ts";

/** The page with its generated parts, which stand between comments, made anew; the prose around them stays. */
export function renewProtoPage(page: string, schema: ProtoSchema): string {
  const parts = {
    submissions: messages(Object.keys(submissionGuide), (type) => ({
      schema: schema.$defs[opName(type)],
      line: (op) => ({ id: "1", op }),
    })),
    events: messages(Object.keys(eventGuide), (type) => ({
      schema: schema.$defs[eventName(type)],
      line: (msg) => ({ id: type === "session_configured" ? "" : "1", msg }),
    })),
    types: sharedTypes(schema),
  };
  return renewParts(page, parts);
}

/** The page with what stands between the comments of each name replaced. */
export function renewParts(page: string, parts: Readonly<Record<string, string>>): string {
  return Object.entries(parts).reduce((text, [name, content]) => {
    const [begin, end] = [`<!-- begin: ${name} -->\n`, `<!-- end: ${name} -->`];
    const [before, rest] = text.split(begin);
    const after = rest?.split(end)[1];
    if (before === undefined || after === undefined) throw new Error(`The page has no part "${name}".`);
    return `${before}${begin}\n${content}\n\n${end}${after}`;
  }, page);
}

interface Message {
  readonly schema: JsonSchema | undefined;
  readonly line: (example: unknown) => object;
}

function messages(types: readonly string[], find: (type: string) => Message): string {
  return types
    .map((type) => {
      const { schema = {}, line } = find(type);
      const example = JSON.stringify(line(schema.examples?.[0]));
      return [`### ${type}`, schema.description, fieldTable(schema), `\`\`\`json\n${example}\n\`\`\``]
        .filter((part) => part !== "")
        .join("\n\n");
    })
    .join("\n\n");
}

function fieldTable({ properties = {}, required }: JsonSchema): string {
  const rows = Object.entries(properties)
    .filter(([field]) => field !== "type")
    .map(([field, property]) => {
      const name = `\`${field}\`${required?.includes(field) ? "" : " (optional)"}`;
      return `| ${name} | \`${typeText(property).replaceAll("|", "\\|")}\` | ${property.description ?? ""} |`;
    });
  return rows.length === 0 ? "" : ["| field | type | |", "| --- | --- | --- |", ...rows].join("\n");
}

function sharedTypes({ $defs }: ProtoSchema): string {
  const own = new Set(["Submission", "Op", "Event", "EventMsg"]);
  for (const type of Object.keys(submissionGuide)) own.add(opName(type));
  for (const type of Object.keys(eventGuide)) own.add(eventName(type));
  const types = Object.entries($defs).filter(([name]) => !own.has(name));
  return `\`\`\`ts\n${types.map(([name, schema]) => declaration(name, schema)).join("\n")}\`\`\``;
}
