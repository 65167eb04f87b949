import * as z from "zod/mini";
import { sandboxModes } from "../protocol/policy.ts";
import { ApprovalPolicySchema, InputItemSchema } from "../protocol/submission-schema.ts";

const SandboxModeSchema = z.enum(sandboxModes);
const SettingsSchema = z.record(z.string(), z.unknown());

export const CodexArgumentsSchema = z.object({
  prompt: z.string(),
  model: z.nullish(z.string()),
  profile: z.nullish(z.string()),
  cwd: z.nullish(z.string()),
  "approval-policy": z.nullish(ApprovalPolicySchema),
  sandbox: z.nullish(SandboxModeSchema),
  config: z.nullish(SettingsSchema),
  "base-instructions": z.nullish(z.string()),
  "include-plan-tool": z.nullish(z.boolean()),
});

const conversationId = z.string();

const overrides = {
  approval_policy: z.nullish(ApprovalPolicySchema),
  sandbox: z.nullish(SandboxModeSchema),
  config: z.nullish(z.unknown()),
  profile: z.nullish(z.string()),
  base_instructions: z.nullish(z.string()),
};

export const CreateArgumentsSchema = z.object({ prompt: z.string(), model: z.string(), cwd: z.string(), ...overrides });

export const SendMessageArgumentsSchema = z.object({
  conversation_id: conversationId,
  content: z.array(InputItemSchema),
  parent_message_id: z.nullish(z.unknown()),
  model: z.nullish(z.string()),
  cwd: z.nullish(z.string()),
  ...overrides,
});

export const StreamArgumentsSchema = z.object({ conversation_id: conversationId });

export const ListArgumentsSchema = z.object({
  limit: z.nullish(z.int().check(z.nonnegative())),
  cursor: z.nullish(z.string()),
});
