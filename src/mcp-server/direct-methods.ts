import { accountMethods } from "./account-methods.ts";
import { configMethods } from "./config-methods.ts";
import { conversationMethods } from "./conversation-methods.ts";
import type { Conversations } from "./conversations.ts";
import type { DirectMethod } from "./method-names.ts";
import type { OpenCall } from "./server.ts";
import type { ServerState } from "./server-state.ts";
import { utilityMethods } from "./utility-methods.ts";

export interface MethodContext {
  readonly state: ServerState;
  readonly conversations: Conversations;
}

/** Answers by `call.reply`, or by what it throws. */
export type MethodHandler = (call: OpenCall, context: MethodContext) => Promise<void> | void;

const handlers: Readonly<Record<DirectMethod, MethodHandler>> = {
  ...conversationMethods,
  ...accountMethods,
  ...configMethods,
  ...utilityMethods,
};

export async function callMethod(method: DirectMethod, call: OpenCall, context: MethodContext): Promise<void> {
  await handlers[method](call, context);
}
