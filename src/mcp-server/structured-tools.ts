import { messageOf, UserError } from "../lib/errors.ts";
import { isRecord } from "../lib/parse-json.ts";
import { listSessionsInSteps } from "../rollout/sessions.ts";
import { elicitationAsker } from "./approval-requests.ts";
import { decodeArguments, userProblem } from "./decode.ts";
import { EventForwarder } from "./event-forwarder.ts";
import type { KeptEvent } from "./kept-event.ts";
import type { LiveConversation, StartOp, TurnWatcher } from "./live-conversation.ts";
import { idText } from "./message.ts";
import type { OpenCall } from "./server.ts";
import type { ToolContext } from "./tool-calls.ts";
import { failedCall, structuredResult } from "./tool-result.ts";
import {
  CreateArgumentsSchema,
  ListArgumentsSchema,
  SendMessageArgumentsSchema,
  StreamArgumentsSchema,
} from "./tool-schemas.ts";
import { parseUuid } from "./uuid.ts";

type StructuredTool = "conversationCreate" | "conversationSendMessage" | "conversationStream" | "conversationsList";

/** The tools of August 2025: they answer at once, and tell what happens in notifications. */
export async function callStructuredTool(
  name: StructuredTool,
  given: unknown,
  call: OpenCall,
  context: ToolContext,
): Promise<void> {
  const refuse = (problem: string) => call.reply(failedCall(`Invalid arguments for ${name}: ${problem}`));
  switch (name) {
    case "conversationCreate": {
      const args = decodeArguments(given, CreateArgumentsSchema);
      return args.ok ? create(args.value, call, context) : refuse(args.problem);
    }
    case "conversationSendMessage": {
      const args = decodeArguments(given, SendMessageArgumentsSchema);
      if (!args.ok) return refuse(args.problem);
      const id = parseUuid(args.value.conversation_id);
      return id.ok ? send({ ...args.value, conversation_id: id.id }, call, context) : refuse(id.problem);
    }
    case "conversationStream": {
      const args = decodeArguments(given, StreamArgumentsSchema);
      if (!args.ok) return refuse(args.problem);
      const id = parseUuid(args.value.conversation_id);
      return id.ok ? stream(id.id, call, context) : refuse(id.problem);
    }
    case "conversationsList": {
      const args = decodeArguments(given ?? {}, ListArgumentsSchema);
      return args.ok ? list(args.value, call, context) : refuse(args.problem);
    }
    default:
      name satisfies never;
  }
}

interface Overrides {
  readonly model?: string | null | undefined;
  readonly cwd?: string | null | undefined;
  readonly approval_policy?: ReturnType<typeof CreateArgumentsSchema.parse>["approval_policy"];
  readonly sandbox?: ReturnType<typeof CreateArgumentsSchema.parse>["sandbox"];
  readonly config?: unknown;
  readonly profile?: string | null | undefined;
  readonly base_instructions?: string | null | undefined;
}

/** `config` of another type than an object was never looked at. */
function flagsOf({ model, cwd, approval_policy, sandbox, config, profile, base_instructions }: Overrides) {
  return {
    ...(model == null ? {} : { model }),
    ...(cwd == null ? {} : { cwd }),
    ...(approval_policy == null ? {} : { approvalPolicy: approval_policy }),
    ...(sandbox == null ? {} : { sandboxMode: sandbox }),
    ...(isRecord(config) ? { settings: config } : {}),
    ...(profile == null ? {} : { profile }),
    ...(base_instructions == null ? {} : { baseInstructions: base_instructions }),
  };
}

async function create(args: Overrides, call: OpenCall, { state, conversations }: ToolContext): Promise<void> {
  const refuse = (message: string) => call.reply(structuredResult({ message }, true));
  let config: ReturnType<typeof conversations.configFor>;
  try {
    config = conversations.configFor(flagsOf(args));
  } catch (error) {
    return refuse(`Failed to load config: ${userProblem(error)}`);
  }
  let conversation: LiveConversation;
  try {
    conversation = await conversations.create(config);
  } catch (error) {
    return refuse(`Failed to initialize session: ${messageOf(error)}`);
  }
  call.reply(structuredResult({ conversation_id: conversation.id, model: config.model }, false));
  const events = new EventForwarder(state, { requestId: call.id, conversationId: conversation.id });
  const asker = elicitationAsker(state, call.id);
  conversation.listen({ event: (event) => events.tell(event), asker, isOfStructuredTool: true }, "untold");
}

type Message = ReturnType<typeof SendMessageArgumentsSchema.parse>;

async function send(message: Message, call: OpenCall, { state, conversations }: ToolContext): Promise<void> {
  const refuse = (text: string) => call.reply(structuredResult({ status: "error", message: text }, true));
  if (message.content.length === 0) return refuse("No content items provided");
  await conversations.whenResumed();
  const conversation = conversations.get(message.conversation_id);
  if (conversation === undefined) return refuse("Session does not exist");
  if (conversation.isMarkedRunning) return refuse("Session is already running");
  let op: StartOp;
  try {
    op = turnOp(message, conversation, (flags) => conversations.configFor(flags));
    conversations.limits.checkTurn(op);
  } catch (error) {
    return refuse(userProblem(error));
  }
  const events = new EventForwarder(state, { requestId: call.id, conversationId: conversation.id });
  // Who has created it follows all of its events already; of any other conversation this message's turn is told.
  const watcher: TurnWatcher = {
    event: (event: KeptEvent) => events.tell(event),
    ended: () => {},
    asker: elicitationAsker(state, call.id),
  };
  try {
    const followed = conversation.hasStructuredListener ? {} : { watcher };
    conversation.submit(op, { id: idText(call.id), ...followed });
  } catch (error) {
    return refuse(`Failed to submit user input: ${messageOf(error)}`);
  }
  conversation.isMarkedRunning = true;
  conversation.onTurnEnd(() => {
    conversation.isMarkedRunning = false;
  });
  call.reply(structuredResult({ status: "ok" }, false));
}

/** What a turn can have of its own; anything else belongs to the conversation. */
const turnSettings = ["model", "model_reasoning_effort", "model_reasoning_summary", "approval_policy", "sandbox_mode"];

/** With overrides, a turn of its own settings; what they leave open is as the conversation has it. */
function turnOp(
  message: Message,
  conversation: LiveConversation,
  configFor: ToolContext["conversations"]["configFor"],
): StartOp {
  const flags = flagsOf(message);
  const { content: items } = message;
  if (Object.keys(flags).length === 0) return { type: "user_input", items };
  const settings = Object.keys(flags.settings ?? {});
  const isSet = (name: string) => settings.includes(name);
  const lasting = settings.filter((key) => !turnSettings.includes(key) && !key.startsWith("sandbox_workspace_write"));
  if (flags.baseInstructions !== undefined) lasting.push("base_instructions");
  if (lasting.length > 0) {
    throw new UserError(`Overrides are not supported for one message: ${lasting.join(", ")}`);
  }
  const { config } = conversation;
  const isOther = flags.profile !== undefined;
  const keepsModel = flags.model === undefined && !isOther && !isSet("model");
  const given = configFor({
    cwd: config.cwd,
    ...(keepsModel ? { model: config.model } : {}),
    ...(isSet("sandbox_mode") ? {} : { sandboxMode: config.sandboxPolicy.mode }),
    ...flags,
  });
  if (isOther && given.modelProviderId !== config.modelProviderId) {
    throw new UserError(`Overrides are not supported for one message: model_provider of profile ${flags.profile}`);
  }
  const hasPolicy = flags.approvalPolicy !== undefined || isOther || isSet("approval_policy");
  const hasSandbox = flags.sandboxMode !== undefined || settings.some((key) => key.startsWith("sandbox_"));
  return {
    type: "user_turn",
    items,
    cwd: given.cwd,
    approval_policy: (hasPolicy ? given : config).approvalPolicy,
    sandbox_policy: (hasSandbox ? given : config).sandboxPolicy,
    model: given.model,
    effort: (isOther || isSet("model_reasoning_effort") ? given : config).modelReasoningEffort,
    summary: (isOther || isSet("model_reasoning_summary") ? given : config).modelReasoningSummary,
  };
}

/** The stream of each conversation; a further one takes its place. */
const streams = new WeakMap<LiveConversation, () => void>();

async function stream(id: string, call: OpenCall, { state, conversations }: ToolContext): Promise<void> {
  await conversations.whenResumed();
  const conversation = conversations.get(id);
  if (conversation === undefined) return call.reply({ content: [], isError: true });
  streams.get(conversation)?.();
  call.reply(structuredResult({}, false));
  const meta = `"_meta":{"requestId":${call.id},"conversationId":${JSON.stringify(id)}}`;
  const { outgoing } = state;
  const past = conversation.pastEvents.map((event) => `{${meta},"msg":${event.json}}`);
  outgoing.notifyJson("notifications/initial_state", `{${meta},"initial_state":{"events":[${past.join(",")}]}}`);
  const event = (kept: KeptEvent) =>
    outgoing.notifyJson(`notifications/${kept.msg.type}`, `{${meta},"msg":${kept.json}}`);
  const stop = conversation.listen({ event, asker: elicitationAsker(state, call.id) }, "now");
  const end = () => {
    stop();
    call.onCancel(undefined);
    streams.delete(conversation);
  };
  streams.set(conversation, () => {
    end();
    const reason = JSON.stringify("another stream of this conversation was started");
    outgoing.notifyJson("notifications/stream_disconnected", `{${meta},"reason":${reason}}`);
  });
  call.onCancel(end);
  void conversation.ended.then(end);
}

async function list(
  { limit, cursor }: { readonly limit?: number | null | undefined; readonly cursor?: string | null | undefined },
  call: OpenCall,
  { state }: ToolContext,
): Promise<void> {
  try {
    const { codexHome } = state.config;
    const page = await listSessionsInSteps({ codexHome, pageSize: limit ?? undefined, cursor: cursor ?? undefined });
    const found = page.items.map(({ conversationId, preview }) => ({
      conversation_id: conversationId,
      title: preview,
    }));
    const next = page.nextCursor === undefined ? {} : { next_cursor: page.nextCursor };
    call.reply(structuredResult({ conversations: found, ...next }, false));
  } catch (error) {
    call.reply(structuredResult({ message: `Failed to list conversations: ${userProblem(error)}` }, true));
  }
}
