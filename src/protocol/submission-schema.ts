import * as z from "zod/mini";
import { isRecord, parseDeepJson } from "../lib/parse-json.ts";
import { describeIssue } from "./describe-issue.ts";
import { approvalPolicies, reasoningEfforts, reasoningSummaries } from "./policy.ts";
import type { Same } from "./same-type.ts";
import type { Op } from "./submission.ts";

/** `configure_session` was the first submission of early releases; here the command line and config.toml have said it all. */
export interface ClientSubmission {
  readonly id: string;
  readonly op: Op | { readonly type: "configure_session" };
}

/** A line of a client. What cannot be served carries the id that its answer must have, "" when the line has none. */
type DecodedSubmission =
  | { readonly ok: true; readonly submission: ClientSubmission }
  | { readonly ok: false; readonly id: string; readonly problem: string };

export const AbsolutePathSchema = z.string().check(z.regex(/^\/[^\0]*$/, "an absolute path"));
const ModelNameSchema = z.string().check(z.regex(/./, "the name of a model"));
export const ApprovalPolicySchema = z.enum(approvalPolicies);
export const ReasoningEffortSchema = z.enum(reasoningEfforts);
export const ReasoningSummarySchema = z.enum(reasoningSummaries);
export const ReviewDecisionSchema = z.enum(["approved", "approved_for_session", "denied", "abort"]);
const CountSchema = z.int().check(z.nonnegative());

export const SandboxPolicySchema = z.discriminatedUnion("mode", [
  z.object({ mode: z.literal("danger-full-access") }),
  z.object({ mode: z.literal("read-only") }),
  z.object({
    mode: z.literal("workspace-write"),
    writable_roots: z._default(z.array(AbsolutePathSchema), []),
    network_access: z._default(z.boolean(), false),
    exclude_tmpdir_env_var: z._default(z.boolean(), false),
    exclude_slash_tmp: z._default(z.boolean(), false),
  }),
]);

export const InputItemSchema = z.discriminatedUnion("type", [
  z.object({ type: z.literal("text"), text: z.string() }),
  z.object({ type: z.literal("image"), image_url: z.string() }),
  z.object({ type: z.literal("local_image"), path: z.string() }),
]);

const OverrideTurnContextSchema = z.object({
  type: z.literal("override_turn_context"),
  cwd: z.nullish(AbsolutePathSchema),
  approval_policy: z.nullish(ApprovalPolicySchema),
  sandbox_policy: z.nullish(SandboxPolicySchema),
  model: z.nullish(ModelNameSchema),
  effort: z.nullish(ReasoningEffortSchema),
  summary: z.nullish(ReasoningSummarySchema),
});

const approval = { id: z.string(), decision: ReviewDecisionSchema, reason: z.exactOptional(z.string()) };

export const OpSchema = z.discriminatedUnion("type", [
  z.object({ type: z.literal("user_input"), items: z.array(InputItemSchema) }),
  z.object({
    type: z.literal("user_turn"),
    items: z.array(InputItemSchema),
    cwd: AbsolutePathSchema,
    approval_policy: ApprovalPolicySchema,
    sandbox_policy: SandboxPolicySchema,
    model: ModelNameSchema,
    effort: z._default(z.nullable(ReasoningEffortSchema), null),
    summary: ReasoningSummarySchema,
  }),
  z.pipe(OverrideTurnContextSchema, z.transform(withoutNulls)),
  z.object({ type: z.literal("interrupt") }),
  z.object({ type: z.literal("exec_approval"), ...approval }),
  z.object({ type: z.literal("patch_approval"), ...approval }),
  z.object({ type: z.literal("compact") }),
  z.object({ type: z.literal("get_history") }),
  z.object({ type: z.literal("list_mcp_tools") }),
  z.object({ type: z.literal("list_custom_prompts") }),
  z.object({ type: z.literal("add_to_history"), text: z.string() }),
  z.object({ type: z.literal("get_history_entry_request"), offset: CountSchema, log_id: CountSchema }),
  z.object({ type: z.literal("shutdown") }),
  z.object({ type: z.literal("configure_session") }),
]);

export const SubmissionSchema = z.object({ id: z.string(), op: OpSchema });

true satisfies Same<z.output<typeof SubmissionSchema>, ClientSubmission>;

export function decodeSubmission(line: string): DecodedSubmission {
  const json = parseDeepJson(line); // of any depth: what no field takes is left out
  if (!json.ok) return { ok: false, id: "", problem: `not JSON: ${json.problem}` };
  const result = SubmissionSchema.safeParse(json.value);
  if (result.success) return { ok: true, submission: result.data };
  const id = isRecord(json.value) ? json.value["id"] : undefined;
  const problem = describeIssue(result.error.issues[0], json.value);
  return { ok: false, id: typeof id === "string" ? id : "", problem };
}

type WithoutNulls<T> = {
  -readonly [Key in keyof T]: Key extends "type" ? T[Key] : Exclude<T[Key], null | undefined>;
};

/** An optional field may be given as null, which says as little as leaving it out. */
function withoutNulls<T extends object>(fields: T): WithoutNulls<T> {
  const given = Object.entries(fields).filter(([, value]) => value !== null && value !== undefined);
  return Object.fromEntries(given) as WithoutNulls<T>; // exactly the fields that are left
}
