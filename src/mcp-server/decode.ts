import type * as z from "zod/mini";
import { messageOf, UserError } from "../lib/errors.ts";
import type { Parsed } from "../lib/parse-json.ts";
import type { ConversationId } from "../protocol/conversation-id.ts";
import { describeBare, describeIssue } from "../protocol/describe-issue.ts";
import { invalidParams, invalidRequest, RpcFailure } from "./rpc-failure.ts";
import { parseUuid } from "./uuid.ts";

/** Arguments of a tool; the problem is told in the reference's words. */
export function decodeArguments<T>(value: unknown, schema: z.ZodMiniType<T>): Parsed<T> {
  const result = schema.safeParse(value);
  if (result.success) return { ok: true, value: result.data };
  return { ok: false, problem: describeBare(result.error.issues[0], value) };
}

/** Params of a method; throws the answer where they do not fit. */
export function decodeParams<T>(value: unknown, schema: z.ZodMiniType<T>): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const problem = value === undefined ? "missing field `params`" : describeIssue(result.error.issues[0], value);
  throw new RpcFailure(invalidParams, `Invalid params: ${problem}`);
}

export function decodeId(text: string, field: string): ConversationId {
  const parsed = parseUuid(text);
  if (parsed.ok) return parsed.id;
  throw new RpcFailure(invalidParams, `Invalid params: ${parsed.problem} in \`${field}\``);
}

/** Asks whether a method may do what it was called for; throws the answer where not. */
export function allowed(check: () => void): void {
  try {
    check();
  } catch (cause) {
    throw new RpcFailure(invalidRequest, userProblem(cause), { cause });
  }
}

/** What a person can mend is told as it stands; anything else is a fault of ours and goes its way. */
export function userProblem(error: unknown): string {
  if (error instanceof UserError) return messageOf(error);
  throw error;
}
