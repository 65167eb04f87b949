import * as z from "zod/mini";
import * as events from "./event-schema.ts";
import { eventGuide, submissionGuide } from "./message-guide.ts";
import * as submissions from "./submission-schema.ts";

/** As much of JSON Schema (draft 2020-12) as the schemas of the wire come to. */
export interface JsonSchema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: JsonSchema;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly default?: unknown;
  readonly description?: string;
  readonly examples?: readonly unknown[];
}

export interface ProtoSchema extends JsonSchema {
  readonly $schema: string;
  readonly title: string;
  readonly $defs: Readonly<Record<string, JsonSchema>>;
}

const shared: Readonly<Record<string, z.ZodMiniType>> = {
  InputItem: submissions.InputItemSchema,
  ApprovalPolicy: submissions.ApprovalPolicySchema,
  SandboxPolicy: submissions.SandboxPolicySchema,
  ReasoningEffort: submissions.ReasoningEffortSchema,
  ReasoningSummary: submissions.ReasoningSummarySchema,
  ReviewDecision: submissions.ReviewDecisionSchema,
  Duration: events.DurationSchema,
  TokenUsage: events.TokenUsageSchema,
  TokenUsageInfo: events.TokenUsageInfoSchema,
  ParsedCommand: events.ParsedCommandSchema,
  FileChange: events.FileChangeSchema,
  FileChanges: events.FileChangesSchema,
  PlanItem: events.PlanItemSchema,
  McpInvocation: events.McpInvocationSchema,
  McpToolResult: events.McpToolResultSchema,
  McpTool: events.McpToolSchema,
  HistoryEntry: events.HistoryEntrySchema,
  CustomPrompt: events.CustomPromptSchema,
  ContentPart: events.ContentPartSchema,
  ResponseItem: events.ResponseItemSchema,
};

/** Names of the definitions that are messages, by `type`. */
export const opName = (type: string) => `${pascalCase(type)}Op`;
export const eventName = (type: string) => pascalCase(type.endsWith("_event") ? type : `${type}_event`);

/** JSON Schema of every line that `codex proto` reads or writes, made from the schemas that the program uses. */
export function protoSchema(): ProtoSchema {
  const names = z.registry<{ id: string }>();
  const name = (id: string, schema: z.ZodMiniType) => names.add(schema, { id });
  nameShared(name);
  name("Submission", submissions.SubmissionSchema);
  name("Op", submissions.OpSchema);
  for (const op of submissions.OpSchema.def.options) name(opName(typeOf(op)), op);
  name("Event", events.EventSchema);
  nameEvents(name);

  const both = z.union([submissions.SubmissionSchema, events.EventSchema]);
  const { $schema, anyOf, $defs } = z.toJSONSchema(both, { io: "input", metadata: names }) as {
    readonly $schema: string;
    readonly anyOf: readonly JsonSchema[];
    readonly $defs: Readonly<Record<string, JsonSchema & { readonly id?: string }>>;
  }; // a union of two named schemas
  return {
    $schema,
    title: "codex proto",
    description: "A line of stdin is a Submission, a line of stdout is an Event. Fields are only ever added.",
    anyOf,
    $defs: definitions($defs),
  };
}

type NameSchema = (id: string, schema: z.ZodMiniType) => void;

/** Gives what several messages hold the name of its definition. */
export function nameShared(name: NameSchema): void {
  for (const [id, schema] of Object.entries(shared)) name(id, schema);
}

export function nameEvents(name: NameSchema): void {
  name("EventMsg", events.EventMsgSchema);
  for (const event of events.EventMsgSchema.def.options) name(eventName(typeOf(event)), event);
}

/** Definitions as the package has them, with what there is to say of each message. */
export function definitions(
  defs: Readonly<Record<string, JsonSchema & { readonly id?: string }>>,
): Readonly<Record<string, JsonSchema>> {
  return Object.fromEntries(Object.entries(defs).map(([key, { id: _, ...schema }]) => [key, withGuide(key, schema)]));
}

interface AnyGuide {
  readonly about: string;
  readonly example: unknown;
  readonly fields?: Readonly<Record<string, string | undefined>>;
}

const guides = new Map<string, AnyGuide>();
for (const [type, guide] of Object.entries(submissionGuide)) guides.set(opName(type), guide);
for (const [type, guide] of Object.entries(eventGuide)) guides.set(eventName(type), guide);

function withGuide(key: string, schema: JsonSchema): JsonSchema {
  const guide = guides.get(key);
  if (guide === undefined) return schema;
  const notes = new Map(Object.entries(guide.fields ?? {}));
  const properties = Object.entries(schema.properties ?? {}).map(([field, property]) => {
    const description = notes.get(field);
    return [field, description === undefined ? property : { ...property, description }];
  });
  return {
    description: guide.about,
    ...schema,
    properties: Object.fromEntries(properties),
    examples: [guide.example],
  };
}

/** The `type` that a message's schema asks for. */
function typeOf(schema: z.core.$ZodType): string {
  const values = schema._zod.propValues?.["type"];
  return String([...(values ?? [])][0]);
}

function pascalCase(words: string): string {
  return words.replaceAll(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
