import { log } from "../lib/log.ts";
import { isRecord } from "../lib/parse-json.ts";
import { quoteCommand } from "../lib/quote-command.ts";
import { showHidden } from "../lib/show-invisible.ts";
import type { FileChanges } from "../protocol/event.ts";
import type { ReviewDecision } from "../protocol/policy.ts";
import type { ApprovalEvent, Asker, Decision } from "./approval-desk.ts";
import { type Answer, type IdToken, idText } from "./message.ts";
import type { ServerState } from "./server-state.ts";

/** Asks by the elicitation of MCP, on behalf of the tool call `callId`. */
export function elicitationAsker(
  { outgoing, settings, client }: Pick<ServerState, "outgoing" | "settings" | "client">,
  callId: IdToken,
): Asker {
  return {
    get canAsk() {
      return client.canElicit;
    },
    ask: (event, onDecision) => {
      const requestedSchema = settings.approvalSchema === "choices" ? choiceSchema(event) : emptySchema;
      const params = { ...elicitation(event), requestedSchema, ...codexFields(event, callId) };
      return outgoing.request("elicitation/create", params, (answer) => onDecision(elicited(answer)));
    },
  };
}

/** Asks by the requests of the direct methods. */
export function listenerAsker({ outgoing }: Pick<ServerState, "outgoing">, conversationId: string): Asker {
  return {
    canAsk: true,
    ask: ({ msg }, onDecision) => {
      const ids = { conversation_id: conversationId, call_id: msg.call_id };
      const reason = msg.reason === undefined ? {} : { reason: msg.reason };
      const onAnswer = (answer: Answer) => onDecision(decided(answer));
      if (msg.type === "exec_approval_request") {
        const { command, cwd } = msg;
        return outgoing.request("execCommandApproval", { ...ids, command, cwd, ...reason }, onAnswer);
      }
      const root = msg.grant_root === undefined ? {} : { grant_root: msg.grant_root };
      return outgoing.request(
        "applyPatchApproval",
        { ...ids, file_changes: msg.changes, ...reason, ...root },
        onAnswer,
      );
    },
  };
}

const emptySchema = { type: "object", properties: {} } as const;

const decisions = ["approved", "approved_for_session", "denied", "abort"] as const satisfies readonly ReviewDecision[];

/**
 * A host shows it as a choice; who accepts without choosing approves. It tells what the reference's message leaves out, for
 * SDKs hand on nothing of a question but its message and its schema.
 */
function choiceSchema({ msg }: ApprovalEvent) {
  const choices = "Approve once, approve the same for the rest of the session, deny, or deny and stop the turn";
  const subject = msg.type === "exec_approval_request" ? msg.reason : changesText(msg.changes);
  return {
    type: "object",
    properties: {
      decision: {
        type: "string",
        title: "Decision",
        description: subject === undefined ? choices : `${showHidden(subject)}\n${choices}`,
        enum: decisions,
        enumNames: ["Approve", "Approve for this session", "Deny", "Abort"],
      },
    },
  } as const;
}

const mostFilesShown = 50;

/** A line for each file. */
function changesText(changes: FileChanges): string {
  const lines = Object.entries(changes).map(([path, change]) => {
    const file = path.replaceAll("\n", "\\n");
    if ("add" in change) return `add ${file}`;
    if ("delete" in change) return `delete ${file}`;
    const { move_path: movePath } = change.update;
    return movePath === null ? `change ${file}` : `change ${file} and move it to ${movePath.replaceAll("\n", "\\n")}`;
  });
  const more = lines.length - mostFilesShown;
  return [...lines.slice(0, mostFilesShown), ...(more > 0 ? [`and ${more} more files`] : [])].join("\n");
}

/** The reference's words for a person; but what a person cannot see is shown. `codex_command` has the words as they are. */
function elicitation({ msg }: ApprovalEvent): { readonly message: string } {
  if (msg.type === "exec_approval_request") {
    const command = showHidden(quoteCommand(msg.command));
    return { message: `Allow Codex to run \`${command}\` in \`${showFolder(msg.cwd)}\`?` };
  }
  const question = "Allow Codex to apply proposed code changes?";
  return { message: msg.reason === undefined ? question : `${showHidden(msg.reason)}\n${question}` };
}

/** The model chooses it, and nothing quotes it: it stays on its line, and between its marks. */
function showFolder(folder: string): string {
  return showHidden(folder).replaceAll("\n", "\\n").replaceAll("`", "\\x60");
}

function codexFields({ id, msg }: ApprovalEvent, callId: IdToken): object {
  const isCommand = msg.type === "exec_approval_request";
  return {
    codex_elicitation: isCommand ? "exec-approval" : "patch-approval",
    codex_mcp_tool_call_id: idText(callId),
    codex_event_id: id,
    codex_call_id: msg.call_id,
    ...(isCommand ? { codex_command: msg.command, codex_cwd: msg.cwd } : {}),
    ...(msg.reason === undefined ? {} : { codex_reason: msg.reason }),
    ...(isCommand ? {} : { codex_changes: msg.changes }),
    ...(isCommand || msg.grant_root === undefined ? {} : { codex_grant_root: msg.grant_root }),
  };
}

/** The old `{decision}` first, then what MCP itself has to say. */
function elicited(answer: Answer): Decision {
  if (!answer.ok) return refused(answer);
  const { decision, action, content } = isRecord(answer.result) ? answer.result : {};
  const old = toDecision(decision);
  if (old !== undefined) return { decision: old };
  switch (action) {
    case "accept": {
      const chosen = isRecord(content) ? content["decision"] : undefined;
      // Who accepts the question as a whole approves; a choice that is none of ours is no approval.
      return chosen === undefined ? { decision: "approved" } : { decision: toDecision(chosen) ?? "denied" };
    }
    case "decline":
      return { decision: "denied" };
    case "cancel":
      return { decision: "abort" };
    default:
      return notUnderstood(answer);
  }
}

function decided(answer: Answer): Decision {
  if (!answer.ok) return refused(answer);
  const decision = toDecision(isRecord(answer.result) ? answer.result["decision"] : undefined);
  return decision === undefined ? notUnderstood(answer) : { decision };
}

function toDecision(word: unknown): ReviewDecision | undefined {
  return decisions.find((decision) => decision === word);
}

function refused({ message }: Extract<Answer, { ok: false }>): Decision {
  log("warn", "mcp", `the client refused an approval request: ${message}`);
  return { decision: "denied", reason: `the client answered the question with an error: ${message}` };
}

function notUnderstood({ result }: Extract<Answer, { ok: true }>): Decision {
  const said = isRecord(result)
    ? `an object with ${Object.keys(result).slice(0, 5).join(", ") || "nothing"}`
    : typeof result;
  log("warn", "mcp", `an answer to an approval request that says nothing, taken for denied: ${said}`);
  return { decision: "denied" };
}
