import { readFileSync } from "node:fs";
import path from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import { isRecord } from "../../src/lib/parse-json.ts";
import { closedSchema } from "./proto-schema.ts";

const file = path.resolve(import.meta.dirname, "../../schema/mcp.schema.json");
const schema = closedSchema(JSON.parse(readFileSync(file, "utf8")));
const ajv = new Ajv2020({ allowUnionTypes: true, schemas: [{ ...schema, $id: "mcp" }] });

/** Holds a line of the server against the package's schema; `methodOf` knows what a request of ours has asked. */
export function mcpProblem(
  message: unknown,
  methodOf: (id: unknown) => { readonly method: string; readonly tool?: string } | undefined,
): string | undefined {
  const form = problem("ServerMessage", message);
  if (form !== undefined || !isRecord(message)) return form;
  const { id, method, params, result } = message;
  if (typeof method === "string") {
    if (id !== undefined) return problem(`ServerRequests/properties/${escaped(method)}/properties/params`, params);
    return problem(`Notifications/properties/${escaped(notificationName(method))}`, params);
  }
  const asked = result === undefined ? undefined : methodOf(id);
  if (asked === undefined) return undefined;
  const ofMethod = problem(`Methods/properties/${escaped(asked.method)}/properties/result`, result);
  const content = isRecord(result) ? result["structuredContent"] : undefined;
  if (ofMethod !== undefined || asked.tool === undefined || content === undefined) return ofMethod;
  return problem(`Tools/properties/${asked.tool}/properties/structuredContent`, content);
}

const exactNames = new Set([
  "codex/event",
  "notifications/progress",
  "notifications/cancelled",
  "notifications/initial_state",
  "notifications/stream_disconnected",
  "authStatusChange",
  "loginChatGptComplete",
]);

function notificationName(method: string): string {
  if (exactNames.has(method)) return method;
  const prefix = ["codex/event/", "notifications/"].find((start) => method.startsWith(start)) ?? "";
  return `${prefix}*`;
}

function escaped(name: string): string {
  return encodeURIComponent(name.replaceAll("~", "~0").replaceAll("/", "~1"));
}

function problem(place: string, value: unknown): string | undefined {
  const validate = ajv.getSchema(`mcp#/$defs/${place}`);
  if (validate === undefined) return `The schema has no ${place}.`;
  if (validate(value) === true) return undefined;
  return `${place}: ${JSON.stringify(value)?.slice(0, 1000)}: ${ajv.errorsText(validate.errors?.slice(-3))}`;
}
