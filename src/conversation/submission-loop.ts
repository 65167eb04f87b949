import { readCustomPrompts } from "../config/custom-prompts.ts";
import { environmentContextText } from "../config/environment-context.ts";
import type { AsyncQueue } from "../lib/async-queue.ts";
import { explainSystemError } from "../lib/errors.ts";
import { log } from "../lib/log.ts";
import type { ReviewDecision } from "../protocol/policy.ts";
import { userMessage } from "../protocol/response-item.ts";
import type { Op, Submission } from "../protocol/submission.ts";
import { addHistoryEntry, historyEntry, historyFile } from "../rollout/message-history.ts";
import type { ApprovalAnswer } from "../tools/tool.ts";
import type { Session } from "./session.ts";
import { TaskQueue } from "./task-queue.ts";
import { overriddenSettings, settingsOfTurn } from "./turn-settings.ts";
import { userInput } from "./user-message.ts";

/**
 * Takes one submission after another until one says shutdown, or none can come any more and what they began has ended.
 * When `closing` fires, nothing is waited for: what runs is interrupted.
 */
export async function serveSubmissions(
  session: Session,
  submissions: AsyncQueue<Submission>,
  closing: AbortSignal,
): Promise<void> {
  const tasks = new TaskQueue(session);
  const over = new AbortController();
  const stop = () => {
    over.abort();
    return tasks.stop();
  };
  closing.addEventListener("abort", stop, { once: true });
  let listing = Promise.resolve();
  for await (const { id, op } of submissions) {
    log("debug", "session", `submission ${id}: ${op.type}`);
    switch (op.type) {
      case "user_input":
      case "user_turn": {
        const settings = op.type === "user_turn" ? settingsOfTurn(op, session.settings) : session.settings;
        tasks.addInput(id, settings, userInput(op.items, { cwd: settings.cwd, codexHome: session.config.codexHome }));
        break;
      }
      case "compact":
        tasks.addCompaction(id, session.settings);
        break;
      case "interrupt":
        tasks.interrupt();
        break;
      case "exec_approval":
      case "patch_approval":
        if (takeDecision(session, op) === "abort") tasks.interrupt();
        break;
      case "override_turn_context":
        overrideSettings(session, op);
        break;
      case "get_history":
        session.emit(id, {
          type: "conversation_history",
          conversation_id: session.id,
          entries: [...session.history.items],
        });
        break;
      case "add_to_history":
        addToHistory(session, { id, text: op.text });
        break;
      case "get_history_entry_request": {
        const { offset, log_id } = op;
        const entry = historyEntry(session.config.codexHome, { offset, logId: log_id });
        const found = entry === undefined ? {} : { entry };
        session.emit(id, { type: "get_history_entry_response", offset, log_id, ...found });
        break;
      }
      case "list_mcp_tools":
        // Servers take their time to start, and an interrupt must not wait for them.
        listing = session.mcpTools(over.signal).then((tools) => {
          if (!over.signal.aborted) session.emit(id, { type: "mcp_list_tools_response", tools });
        });
        break;
      case "list_custom_prompts": {
        const custom_prompts = readCustomPrompts(session.config.codexHome);
        session.emit(id, { type: "list_custom_prompts_response", custom_prompts });
        break;
      }
      case "shutdown":
        await stop();
        session.endRecording(); // what that has to tell comes before the last event of all
        session.emit(id, { type: "shutdown_complete" });
        return;
      default:
        op satisfies never;
    }
  }
  session.approvals.leaveUnattended();
  if (closing.aborted) return tasks.stop();
  await listing;
  await tasks.finish();
}

/** Hands a person's decision to the question that waits for it; undefined when it concerns nothing that goes on here. */
function takeDecision(
  session: Session,
  { id, ...answer }: ApprovalAnswer & { readonly id: string },
): ReviewDecision | undefined {
  const { decision } = answer;
  if (session.approvals.answer(id, answer)) return decision;
  log("warn", "session", `No pending approval found for sub_id: ${id}`);
  return id === session.task?.id ? decision : undefined;
}

function overrideSettings(session: Session, op: Extract<Op, { type: "override_turn_context" }>): void {
  session.settings = overriddenSettings(op, session.settings);
  session.recordTurnContext(session.settings); // a later process has to know even if no task follows
  if (op.cwd === undefined && op.approval_policy === undefined && op.sandbox_policy === undefined) return;
  const text = environmentContextText({
    ...(op.cwd === undefined ? {} : { cwd: op.cwd }),
    ...(op.approval_policy === undefined ? {} : { approvalPolicy: op.approval_policy }),
    ...(op.sandbox_policy === undefined ? {} : { sandboxPolicy: op.sandbox_policy }),
  });
  session.recordBetweenTasks(userMessage(text));
}

/** Nothing is kept of a session that leaves no traces, nor against the user's wish. */
function addToHistory(session: Session, { id, text }: { readonly id: string; readonly text: string }): void {
  const { codexHome, persistHistory, ephemeral } = session.config;
  if (!persistHistory || ephemeral) return;
  try {
    addHistoryEntry(codexHome, { conversationId: session.id, text, now: new Date() });
  } catch (error) {
    const message = `Cannot write "${historyFile(codexHome)}": ${explainSystemError(error)}`;
    session.emit(id, { type: "error", message });
  }
}
