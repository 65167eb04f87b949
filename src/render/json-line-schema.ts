// Lines of `exec --json` as schemas: for the JSON Schema and the declarations of the package, and for the tests, which hold
// every line against them. The program has only their types; the format only ever gains fields.
import * as z from "zod/mini";
import { EventMsgSchema } from "../protocol/event-schema.ts";
import type { Plain } from "../protocol/same-type.ts";
import { ApprovalPolicySchema, ReasoningEffortSchema, ReasoningSummarySchema } from "../protocol/submission-schema.ts";
import { unprinted } from "./json-renderer.ts";

const text = z.string();

const SettingsLineSchema = z.object({
  workdir: text,
  model: text,
  provider: text,
  approval: ApprovalPolicySchema,
  sandbox: text,
  "reasoning effort": z.exactOptional(ReasoningEffortSchema),
  "reasoning summaries": z.exactOptional(ReasoningSummarySchema),
  "session id": text,
});

const PromptLineSchema = z.object({ prompt: text });

const PrintedEventSchema = z.union(
  EventMsgSchema.def.options.filter(({ shape }) => !shape.type.def.values.some((type) => unprinted.has(type))),
);

const EventLineSchema = z.object({ id: text, msg: PrintedEventSchema });

export const jsonSchemas = {
  JsonLine: z.union([SettingsLineSchema, PromptLineSchema, EventLineSchema]),
  SettingsLine: SettingsLineSchema,
  PromptLine: PromptLineSchema,
  EventLine: EventLineSchema,
  PrintedEvent: PrintedEventSchema,
};

export type SettingsLine = Plain<z.output<typeof SettingsLineSchema>>;
export type PromptLine = Plain<z.output<typeof PromptLineSchema>>;
