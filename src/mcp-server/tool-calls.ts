import { sameLetters } from "../config/mcp-settings.ts";
import { messageOf } from "../lib/errors.ts";
import { log } from "../lib/log.ts";
import { isRecord, type Parsed } from "../lib/parse-json.ts";
import type { ConversationId } from "../protocol/conversation-id.ts";
import { CodexCall } from "./codex-call.ts";
import type { Conversations } from "./conversations.ts";
import { decodeArguments, userProblem } from "./decode.ts";
import type { LiveConversation, StartOp } from "./live-conversation.ts";
import { idText } from "./message.ts";
import type { OpenCall } from "./server.ts";
import type { ServerState } from "./server-state.ts";
import { failedCall } from "./tool-result.ts";
import { CodexArgumentsSchema } from "./tool-schemas.ts";
import { parseUuid } from "./uuid.ts";

export interface ToolContext {
  readonly state: ServerState;
  readonly conversations: Conversations;
}

interface CallContext extends ToolContext {
  /** The client gave the call up before this was loaded. */
  readonly isCancelled: boolean;
}

/** Answers a `tools/call`. Whatever is wrong with it is a result that says so, for the model to read. */
export async function callTool(name: string, call: OpenCall, context: CallContext): Promise<void> {
  const given = isRecord(call.params) ? call.params["arguments"] : undefined;
  switch (name) {
    case "codex":
      return callCodex(given, call, context);
    case "codex-reply":
      return callReply(given, call, context);
    case "conversationCreate":
    case "conversationSendMessage":
    case "conversationStream":
    case "conversationsList": {
      const { callStructuredTool } = await import("./structured-tools.ts");
      return callStructuredTool(name, given, call, context);
    }
    default:
      return call.reply(failedCall(`Unknown tool '${name}'`));
  }
}

async function callCodex(given: unknown, call: OpenCall, context: CallContext): Promise<void> {
  const { conversations } = context;
  if (given === undefined || given === null) {
    return call.reply(failedCall("Missing arguments for codex tool-call; the `prompt` field is required."));
  }
  const args = spelledOut(given, codexNames, context);
  if (!args.ok) return call.reply(failedCall(`Failed to parse configuration for Codex tool: ${args.problem}`));
  const decoded = decodeArguments(args.value, CodexArgumentsSchema);
  if (!decoded.ok) return call.reply(failedCall(`Failed to parse configuration for Codex tool: ${decoded.problem}`));
  const watcher = new CodexCall(call, context);
  const { prompt, model, profile, cwd, sandbox, config: settings } = decoded.value;
  const approvalPolicy = decoded.value["approval-policy"];
  const baseInstructions = decoded.value["base-instructions"];
  const includePlanTool = decoded.value["include-plan-tool"];
  const config = attempt(() =>
    conversations.configFor({
      ...(model == null ? {} : { model }),
      ...(profile == null ? {} : { profile }),
      ...(cwd == null ? {} : { cwd }),
      ...(sandbox == null ? {} : { sandboxMode: sandbox }),
      ...(settings == null ? {} : { settings }),
      ...(approvalPolicy == null ? {} : { approvalPolicy }),
      ...(baseInstructions == null ? {} : { baseInstructions }),
      ...(includePlanTool == null ? {} : { includePlanTool }),
    }),
  );
  if (!config.ok) return watcher.fail(`Failed to load Codex configuration from overrides: ${config.problem}`);
  let conversation: LiveConversation;
  try {
    conversation = await conversations.create(config.value);
  } catch (error) {
    return watcher.fail(`Failed to start Codex session: ${messageOf(error)}`);
  }
  watcher.begin(conversation, () => {
    watcher.tellFirst(conversation);
    conversation.submit(input(prompt), { id: idText(call.id), watcher });
  });
}

async function callReply(given: unknown, call: OpenCall, context: CallContext): Promise<void> {
  const { state, conversations } = context;
  const refuse = (problem: string) => call.reply(failedCall(problem));
  if (given === undefined || given === null) {
    return refuse(
      "Missing arguments for codex-reply tool-call; the `conversation_id` and `prompt` fields are required.",
    );
  }
  const args = spelledOut(given, replyNames, context);
  if (!args.ok) return refuse(`Failed to parse configuration for Codex tool: ${args.problem}`);
  const target = readTarget(args.value);
  if (!target.ok) return refuse(target.problem);
  const { id, member } = target.value;
  const { prompt } = args.value;
  if (typeof prompt !== "string") {
    const problem = prompt === undefined ? "missing field `prompt`" : "invalid type in `prompt`, expected a string";
    return refuse(`Failed to parse configuration for Codex tool: ${problem}`);
  }
  const watcher = new CodexCall(call, context);
  let conversation: LiveConversation | undefined;
  try {
    conversation = await conversations.find(id);
  } catch (error) {
    return watcher.fail(`Failed to resume session ${id}: ${messageOf(error)}`);
  }
  if (conversation === undefined) {
    return watcher.reply({
      ...failedCall(`Session not found for ${member}: ${id}`),
      structuredContent: { conversationId: id, sessionId: id, threadId: id, error: "not_found" },
    });
  }
  const found = conversation;
  watcher.begin(found, () => {
    if (state.settings.busy === "steer" && !found.isIdle) found.submit(input(prompt), { watcher });
    else found.enqueue(input(prompt), watcher);
  });
}

function input(text: string): StartOp {
  return { type: "user_input", items: [{ type: "text", text }] };
}

const codexNames = Object.keys(CodexArgumentsSchema.def.shape);
const idNames = ["conversationId", "sessionId", "threadId"] as const;
const replyNames = [...idNames, "prompt"];

type Arguments = Readonly<Record<string, unknown>>;

/** The members under the names we know them by: other spellings of these names are taken for them. */
function spelledOut(given: unknown, names: readonly string[], { state }: ToolContext): Parsed<Arguments> {
  if (!isRecord(given)) {
    const found = Array.isArray(given) ? "sequence" : typeof given;
    return { ok: false, problem: `invalid type: ${found}, expected a map` };
  }
  const args: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(given)) {
    const name = names.find((known) => known === key) ?? names.find((known) => sameLetters(known, key));
    if (name === undefined) {
      if (state.settings.strictArguments) return { ok: false, problem: `unknown field \`${key}\`` };
      log("warn", "mcp", `the argument ${key} has no effect`);
    } else if (name === key || !Object.hasOwn(given, name)) args[name] = value;
  }
  return { ok: true, value: args };
}

/** The conversation that is meant, and the name of the member that says so, as errors have it. */
function readTarget(args: Arguments): Parsed<{ readonly id: ConversationId; readonly member: string }> {
  const parseProblem = (problem: string) =>
    ({ ok: false, problem: `Failed to parse configuration for Codex tool: ${problem}` }) as const;
  const given = idNames.filter((name) => args[name] !== undefined && args[name] !== null);
  const [first] = given;
  if (first === undefined) return parseProblem("missing field `conversationId`");
  const ids: ConversationId[] = [];
  for (const name of given) {
    const text = args[name];
    if (typeof text !== "string") return parseProblem(`invalid type in \`${name}\`, expected a string`);
    const member = name.replace("Id", "_id");
    const parsed = parseUuid(text);
    if (!parsed.ok) return { ok: false, problem: `Failed to parse ${member}: ${parsed.problem}` };
    ids.push(parsed.id);
  }
  const [id] = ids;
  if (id === undefined || ids.some((other) => other !== id)) {
    return { ok: false, problem: `\`${given.join("` and `")}\` name different sessions; give one of them.` };
  }
  return { ok: true, value: { id, member: first.replace("Id", "_id") } };
}

function attempt<T>(action: () => T): Parsed<T> {
  try {
    return { ok: true, value: action() };
  } catch (error) {
    return { ok: false, problem: userProblem(error) };
  }
}
