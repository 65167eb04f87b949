import type * as z from "zod/mini";
import { type Parsed, parseJson } from "../lib/parse-json.ts";

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

function describeIssue(issue: z.core.$ZodIssue | undefined, input: unknown): string {
  if (issue === undefined) return "unknown problem";
  const at = issue.path.map(String).join(".");
  if (issue.code === "unrecognized_keys")
    return `unknown field \`${issue.keys.join("`, `")}\`${at === "" ? "" : ` in \`${at}\``}`;
  if (issue.code === "invalid_type" && valueAt(input, issue.path) === undefined) return `missing field \`${at}\``;
  return at === "" ? issue.message : `${issue.message} in \`${at}\``;
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, key) => (typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined),
    input,
  );
}
