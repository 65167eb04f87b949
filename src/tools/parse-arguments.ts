import type * as z from "zod/mini";
import { type Parsed, parseJson } from "../lib/parse-json.ts";
import { describeIssue } from "../protocol/describe-issue.ts";

/** The JSON text of a call's arguments to a value; the problem says what the model has to change. */
export function parseArguments<Schema extends z.ZodMiniType>(text: string, schema: Schema): Parsed<z.output<Schema>> {
  const json = parseJson(text);
  if (!json.ok) return problem(json.problem);
  const result = schema.safeParse(json.value);
  if (result.success) return { ok: true, value: result.data };
  return problem(describeIssue(result.error.issues[0], json.value));
}

function problem(cause: string): { readonly ok: false; readonly problem: string } {
  return { ok: false, problem: `failed to parse function arguments: ${cause}` };
}
