import type { ConfigFlags } from "../config/config.ts";
import { messageOf } from "../lib/errors.ts";
import { randomUuid } from "../lib/random-uuid.ts";
import { canonicalPath } from "../process/canonical-path.ts";
import type { InputItem } from "../protocol/submission.ts";
import { isInUse } from "../rollout/recorder.ts";
import { checkRolloutPath, listSessionsInSteps, moveToArchive, WrongRolloutPath } from "../rollout/sessions.ts";
import { listenerAsker } from "./approval-requests.ts";
import type { Conversations } from "./conversations.ts";
import { allowed, decodeId, decodeParams, userProblem } from "./decode.ts";
import type { MethodHandler } from "./direct-methods.ts";
import type { KeptEvent } from "./kept-event.ts";
import type { LiveConversation } from "./live-conversation.ts";
import {
  ArchiveConversationParamsSchema,
  ConversationParamsSchema,
  ListConversationsParamsSchema,
  type MethodInputItem,
  NewConversationParamsSchema,
  RemoveListenerParamsSchema,
  ResumeConversationParamsSchema,
  SendUserMessageParamsSchema,
  SendUserTurnParamsSchema,
} from "./method-schemas.ts";
import type { Outgoing } from "./outgoing.ts";
import { internalError, invalidParams, invalidRequest, RpcFailure } from "./rpc-failure.ts";

export const conversationMethods = {
  newConversation: async (call, { conversations }) => {
    const params = decodeParams(call.params, NewConversationParamsSchema);
    const config = derived(() => conversations.configFor(flagsOf(params)));
    let conversation: LiveConversation;
    try {
      conversation = await conversations.create(config);
    } catch (cause) {
      throw new RpcFailure(internalError, `error creating conversation: ${messageOf(cause)}`, { cause });
    }
    const { rolloutPath, id } = conversation;
    call.reply({
      conversationId: id,
      model: config.model,
      reasoningEffort: config.modelReasoningEffort,
      rolloutPath: rolloutPath ?? "",
    });
  },

  resumeConversation: async (call, { state, conversations }) => {
    const { path, overrides } = decodeParams(call.params, ResumeConversationParamsSchema);
    const config = derived(() => conversations.configForResume(flagsOf(overrides ?? {})));
    let conversation: LiveConversation;
    try {
      conversation = await conversations.resume(config, path);
    } catch (cause) {
      throw new RpcFailure(internalError, `error resuming conversation: ${messageOf(cause)}`, { cause });
    }
    const { id, firstEvent } = conversation;
    // Told whatever the switch for the events of tool calls says: this method is not one.
    await state.outgoing.notifyInSteps("codex/event", firstEvent);
    await call.replyInSteps({
      conversationId: id,
      model: firstEvent.msg.model,
      initialMessages: (firstEvent.msg.initial_messages ?? []).filter(
        (msg) => msg.type !== "user_message" || msg.kind === "plain",
      ),
    });
  },

  listConversations: async (call, { state }) => {
    const { pageSize, cursor } = decodeParams(call.params ?? {}, ListConversationsParamsSchema);
    const { codexHome } = state.config;
    try {
      const page = await listSessionsInSteps({
        codexHome,
        pageSize: pageSize ?? undefined,
        cursor: cursor ?? undefined,
      });
      const items = page.items.map(({ conversationId, path, preview, timestamp }) => ({
        conversationId,
        path,
        preview,
        ...(timestamp === undefined ? {} : { timestamp }),
      }));
      call.reply({ items, ...(page.nextCursor === undefined ? {} : { nextCursor: page.nextCursor }) });
    } catch (cause) {
      throw new RpcFailure(internalError, `failed to list conversations: ${messageOf(cause)}`, { cause });
    }
  },

  archiveConversation: async (call, { state, conversations }) => {
    const params = decodeParams(call.params, ArchiveConversationParamsSchema);
    const conversationId = decodeId(params.conversationId, "conversationId");
    const { codexHome } = state.config;
    await conversations.whenResumed();
    const live = conversations.get(conversationId)?.rolloutPath;
    let isLiveHere: boolean;
    try {
      const file = checkRolloutPath(codexHome, { conversationId, rolloutPath: params.rolloutPath });
      isLiveHere = live !== undefined && canonicalPath(live) === file;
      if (!isLiveHere && isInUse(file, conversations.commandHost.tryLibc())) {
        throw new RpcFailure(invalidRequest, "the session is in use by another process");
      }
      moveToArchive(codexHome, file);
    } catch (cause) {
      if (cause instanceof RpcFailure) throw cause;
      if (cause instanceof WrongRolloutPath) throw new RpcFailure(invalidRequest, cause.message, { cause });
      throw new RpcFailure(internalError, `failed to archive conversation: ${messageOf(cause)}`, { cause });
    }
    if (isLiveHere) await conversations.shutDown(conversationId); // what it still writes goes along with the file
    call.reply({});
  },

  sendUserMessage: async (call, { conversations }) => {
    const params = decodeParams(call.params, SendUserMessageParamsSchema);
    const conversation = await found(params.conversationId, conversations);
    const items = inputItems(params.items);
    conversation.submit({ type: "user_input", items });
    call.reply({}); // its events come later than this
  },

  sendUserTurn: async (call, { conversations }) => {
    const params = decodeParams(call.params, SendUserTurnParamsSchema);
    const conversation = await found(params.conversationId, conversations);
    const items = inputItems(params.items);
    const { cwd, approvalPolicy, sandboxPolicy, model, effort, summary } = params;
    const op = {
      type: "user_turn",
      items,
      cwd,
      approval_policy: approvalPolicy,
      sandbox_policy: sandboxPolicy,
      model,
      effort: effort ?? null,
      summary,
    } as const;
    allowed(() => conversations.limits.checkTurn(op));
    conversation.submit(op);
    call.reply({});
  },

  interruptConversation: async (call, { conversations }) => {
    const params = decodeParams(call.params, ConversationParamsSchema);
    const conversation = await found(params.conversationId, conversations);
    await conversation.interrupt();
    call.reply({ abortReason: "interrupted" });
  },

  addConversationListener: async (call, { state, conversations }) => {
    const params = decodeParams(call.params, ConversationParamsSchema);
    const conversation = await found(params.conversationId, conversations);
    const subscriptionId = randomUuid();
    call.reply({ subscriptionId });
    const { outgoing } = state;
    const stop = conversation.listen(
      {
        event: (event) => tellListener(outgoing, event, conversation.id),
        asker: listenerAsker(state, conversation.id),
      },
      "untold",
    );
    const subscriptions = subscriptionsOf(conversations);
    subscriptions.set(subscriptionId, stop);
    void conversation.ended.then(() => subscriptions.delete(subscriptionId));
  },

  removeConversationListener: (call, { conversations }) => {
    const { subscriptionId } = decodeParams(call.params, RemoveListenerParamsSchema);
    const id = decodeId(subscriptionId, "subscriptionId");
    const subscriptions = subscriptionsOf(conversations);
    const stop = subscriptions.get(id);
    if (stop === undefined) throw new RpcFailure(invalidRequest, `subscription not found: ${id}`);
    subscriptions.delete(id);
    stop();
    call.reply({});
  },
} as const satisfies Readonly<Record<string, MethodHandler>>;

/** The listeners of a server, by subscription. */
const allSubscriptions = new WeakMap<Conversations, Map<string, () => void>>();

function subscriptionsOf(conversations: Conversations): Map<string, () => void> {
  const known = allSubscriptions.get(conversations);
  if (known !== undefined) return known;
  const subscriptions = new Map<string, () => void>();
  allSubscriptions.set(conversations, subscriptions);
  return subscriptions;
}

type NewConversationParams = ReturnType<typeof NewConversationParamsSchema.parse>;

function flagsOf(params: NewConversationParams): ConfigFlags {
  const { model, profile, cwd, approvalPolicy, sandbox, config, baseInstructions } = params;
  const { includePlanTool, includeApplyPatchTool } = params;
  return {
    ...(model == null ? {} : { model }),
    ...(profile == null ? {} : { profile }),
    ...(cwd == null ? {} : { cwd }),
    ...(approvalPolicy == null ? {} : { approvalPolicy }),
    ...(sandbox == null ? {} : { sandboxMode: sandbox }),
    ...(config == null ? {} : { settings: config }),
    ...(baseInstructions == null ? {} : { baseInstructions }),
    ...(includePlanTool == null ? {} : { includePlanTool }),
    ...(includeApplyPatchTool == null ? {} : { includeApplyPatchTool }),
  };
}

function derived<T>(action: () => T): T {
  try {
    return action();
  } catch (cause) {
    throw new RpcFailure(invalidRequest, `error deriving config: ${userProblem(cause)}`, { cause });
  }
}

async function found(text: string, conversations: Conversations): Promise<LiveConversation> {
  const id = decodeId(text, "conversationId");
  await conversations.whenResumed();
  const conversation = conversations.get(id);
  if (conversation === undefined) throw new RpcFailure(invalidRequest, `conversation not found: ${id}`);
  return conversation;
}

function inputItems(items: readonly MethodInputItem[]): readonly InputItem[] {
  if (items.length === 0) throw new RpcFailure(invalidParams, "items must not be empty");
  return items.map((item) => {
    if (!("data" in item)) return item;
    switch (item.type) {
      case "text":
        return { type: "text", ...item.data };
      case "image":
        return { type: "image", ...item.data };
      case "localImage":
        return { type: "local_image", ...item.data };
      default:
        return item satisfies never;
    }
  });
}

/** Spec 4.3: the type is in the method, the conversation beside the event. */
function tellListener(outgoing: Outgoing, event: KeptEvent, conversationId: string): void {
  const id = JSON.stringify(event.id);
  outgoing.notifyJson(
    `codex/event/${event.msg.type}`,
    `{"id":${id},"msg":${event.json},"conversationId":${JSON.stringify(conversationId)}}`,
  );
}
