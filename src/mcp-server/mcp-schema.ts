import * as z from "zod/mini";
import { definitions, type JsonSchema, nameEvents, nameShared, type ProtoSchema } from "../protocol/proto-schema.ts";
import {
  MethodsSchema,
  NotificationsSchema,
  namedSchemas,
  ServerMessageSchema,
  ServerRequestsSchema,
  ToolsSchema,
} from "./wire-schema.ts";

const abouts: Readonly<Record<string, string>> = {
  ServerMessage: "A line of stdout",
  Methods: "What a client may ask, and what it gets, by method",
  Tools: "What tools/call takes and gives, by the name of the tool",
  Notifications: "Params by method; * stands for the type of an event",
  ServerRequests: "What the server asks of the client, by method",
  CodexContent: "The structured content of a result; error instead of content where there is no answer",
  ElicitationResult: "MCP's own answer, or the one that clients of 2025 give",
  EventMeta: "requestId is the id of the call that is told of",
};

/** JSON Schema of every message of `codex mcp`, made from the schemas that the program uses. */
export function mcpSchema(): ProtoSchema {
  const names = z.registry<{ id: string }>();
  const name = (id: string, schema: z.ZodMiniType) => void names.add(schema, { id });
  nameShared(name);
  nameEvents(name);
  for (const [id, schema] of Object.entries(namedSchemas)) name(id, schema);
  const all = z.union([ServerMessageSchema, MethodsSchema, ToolsSchema, NotificationsSchema, ServerRequestsSchema]);
  const { $schema, $defs } = z.toJSONSchema(all, { io: "input", metadata: names }) as {
    readonly $schema: string;
    readonly $defs: Readonly<Record<string, JsonSchema & { readonly id?: string }>>;
  }; // a union of named schemas
  const described = Object.entries(definitions($defs)).map(([key, schema]) => {
    const about = abouts[key];
    return [key, about === undefined ? schema : { description: about, ...schema }];
  });
  return {
    $schema,
    title: "codex mcp",
    description:
      "A line of stdout is a ServerMessage; what it holds depends on its method. Fields are only ever added.",
    anyOf: [{ $ref: "#/$defs/ServerMessage" }],
    $defs: Object.fromEntries(described),
  };
}
