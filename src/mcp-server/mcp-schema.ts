import { type ProtoSchema, schemaOfLines } from "../protocol/proto-schema.ts";
import {
  MethodsSchema,
  NotificationsSchema,
  namedSchemas,
  ServerMessageSchema,
  ServerRequestsSchema,
  ToolsSchema,
} from "./wire-schema.ts";

const guides: Readonly<Record<string, { readonly about: string }>> = {
  ServerMessage: { about: "A line of stdout" },
  Methods: { about: "What a client may ask, and what it gets, by method" },
  Tools: { about: "What tools/call takes and gives, by the name of the tool" },
  Notifications: { about: "Params by method; * stands for the type of an event" },
  ServerRequests: { about: "What the server asks of the client, by method" },
  CodexContent: { about: "The structured content of a result; error instead of content where there is no answer" },
  ElicitationResult: { about: "MCP's own answer, or the one that clients of 2025 give" },
  EventMeta: { about: "requestId is the id of the call that is told of" },
};

/** JSON Schema of every message of `codex mcp`, made from the schemas that the program uses. */
export function mcpSchema(): ProtoSchema {
  const all = schemaOfLines({
    title: "codex mcp",
    description:
      "A line of stdout is a ServerMessage; what it holds depends on its method. Fields are only ever added.",
    lines: [ServerMessageSchema, MethodsSchema, ToolsSchema, NotificationsSchema, ServerRequestsSchema],
    named: namedSchemas,
    guides,
  });
  return { ...all, anyOf: [{ $ref: "#/$defs/ServerMessage" }] };
}
