import * as z from "zod/mini";
import { sandboxModes } from "../protocol/policy.ts";
import {
  AbsolutePathSchema,
  ApprovalPolicySchema,
  InputItemSchema,
  ReasoningEffortSchema,
  ReasoningSummarySchema,
  SandboxPolicySchema,
} from "../protocol/submission-schema.ts";

// What clients send to the direct methods. An optional member may be null.

const text = z.string();
const conversationId = z.string();

export const NewConversationParamsSchema = z.object({
  model: z.nullish(text),
  profile: z.nullish(text),
  cwd: z.nullish(text),
  approvalPolicy: z.nullish(ApprovalPolicySchema),
  sandbox: z.nullish(z.enum(sandboxModes)),
  config: z.nullish(z.record(text, z.unknown())),
  baseInstructions: z.nullish(text),
  includePlanTool: z.nullish(z.boolean()),
  includeApplyPatchTool: z.nullish(z.boolean()),
});

const NestedItemSchema = z.discriminatedUnion("type", [
  z.object({ type: z.literal("text"), data: z.object({ text }) }),
  z.object({ type: z.literal("image"), data: z.object({ image_url: text }) }),
  z.object({ type: z.literal("localImage"), data: z.object({ path: text }) }),
]);
/** As the methods have always had them, or as the structured tools have them. */
export const ItemSchema = z.union([NestedItemSchema, InputItemSchema]);
const items = z.array(ItemSchema);

export type MethodInputItem = z.output<typeof ItemSchema>;

export const SendUserMessageParamsSchema = z.object({ conversationId, items });

export const SendUserTurnParamsSchema = z.object({
  conversationId,
  items,
  cwd: AbsolutePathSchema,
  approvalPolicy: ApprovalPolicySchema,
  sandboxPolicy: SandboxPolicySchema,
  model: text,
  effort: z.nullish(ReasoningEffortSchema),
  summary: ReasoningSummarySchema,
});

export const ConversationParamsSchema = z.object({ conversationId });
export const RemoveListenerParamsSchema = z.object({ subscriptionId: text });

export const ListConversationsParamsSchema = z.object({
  pageSize: z.nullish(z.int().check(z.nonnegative())),
  cursor: z.nullish(text),
});

export const ResumeConversationParamsSchema = z.object({
  path: text,
  overrides: z.nullish(NewConversationParamsSchema),
});

export const ArchiveConversationParamsSchema = z.object({ conversationId, rolloutPath: text });

export const GitDiffParamsSchema = z.object({ cwd: text });

export const ExecParamsSchema = z.object({
  command: z.array(text),
  timeoutMs: z.nullish(z.int().check(z.nonnegative())),
  cwd: z.nullish(text),
  sandboxPolicy: z.nullish(SandboxPolicySchema),
});

export const LoginApiKeyParamsSchema = z.object({ apiKey: text });
export const CancelLoginParamsSchema = z.object({ loginId: text });
export const AuthStatusParamsSchema = z.object({
  includeToken: z.nullish(z.boolean()),
  refreshToken: z.nullish(z.boolean()),
});

export const SetDefaultModelParamsSchema = z.object({
  model: z.nullish(text),
  reasoningEffort: z.nullish(ReasoningEffortSchema),
});
