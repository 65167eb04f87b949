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
  const ops = submissions.OpSchema.def.options.map((op) => [opName(typeOf(op)), op]);
  return schemaOfLines({
    title: "codex proto",
    description: "A line of stdin is a Submission, a line of stdout is an Event. Fields are only ever added.",
    lines: [submissions.SubmissionSchema, events.EventSchema],
    named: {
      Submission: submissions.SubmissionSchema,
      Op: submissions.OpSchema,
      ...Object.fromEntries(ops),
      Event: events.EventSchema,
    },
  });
}

interface Guide {
  readonly about?: string;
  readonly example?: unknown;
  readonly fields?: Readonly<Record<string, string | undefined>>;
}

interface Lines {
  readonly title: string;
  readonly description: string;
  /** Each of them named. */
  readonly lines: readonly z.ZodMiniType[];
  /** What becomes a definition, beside the events and what messages share. */
  readonly named: Readonly<Record<string, z.ZodMiniType>>;
  /** What there is to say of definitions, beside operations and events. */
  readonly guides?: Readonly<Record<string, Guide>>;
}

export function schemaOfLines({ title, description, lines, named, guides }: Lines): ProtoSchema {
  const names = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries({ ...shared, ...named })) names.add(schema, { id });
  names.add(events.EventMsgSchema, { id: "EventMsg" });
  for (const event of events.EventMsgSchema.def.options) names.add(event, { id: eventName(typeOf(event)) });

  const { $schema, anyOf, $defs } = z.toJSONSchema(z.union(lines), { io: "input", metadata: names }) as {
    readonly $schema: string;
    readonly anyOf: readonly JsonSchema[];
    readonly $defs: Readonly<Record<string, JsonSchema & { readonly id?: string }>>;
  }; // a union of named schemas
  const definitions = Object.entries($defs).map(([key, { id: _, ...schema }]) => {
    const guide = messageGuides.get(key) ?? guides?.[key];
    return [key, guide === undefined ? schema : withGuide(schema, guide)];
  });
  return { $schema, title, description, anyOf, $defs: Object.fromEntries(definitions) };
}

const messageGuides = new Map<string, Guide>();
for (const [type, guide] of Object.entries(submissionGuide)) messageGuides.set(opName(type), guide);
for (const [type, guide] of Object.entries(eventGuide)) messageGuides.set(eventName(type), guide);

function withGuide(schema: JsonSchema, { about, example, fields = {} }: Guide): JsonSchema {
  const notes = new Map(Object.entries(fields));
  const properties = Object.entries(schema.properties ?? {}).map(([field, property]) => {
    const description = notes.get(field);
    return [field, description === undefined ? property : { ...property, description }];
  });
  return {
    ...(about === undefined ? {} : { description: about }),
    ...schema,
    ...(schema.properties === undefined ? {} : { properties: Object.fromEntries(properties) }),
    ...(example === undefined ? {} : { examples: [example] }),
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
