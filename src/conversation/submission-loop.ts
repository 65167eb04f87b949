import { environmentContextText } from "../config/environment-context.ts";
import type { AsyncQueue } from "../lib/async-queue.ts";
import { messageOf } from "../lib/errors.ts";
import { userMessage } from "../protocol/response-item.ts";
import type { Op, Submission } from "../protocol/submission.ts";
import type { Session } from "./session.ts";
import { Task, TaskStopped } from "./task.ts";
import { overriddenSettings, settingsOfTurn, type TurnSettings } from "./turn-settings.ts";
import { userInput } from "./user-message.ts";

/** Takes one submission after another until one says shutdown or none can come any more; then nothing runs. */
export async function serveSubmissions(session: Session, submissions: AsyncQueue<Submission>): Promise<void> {
  let running: Promise<void> = Promise.resolve();
  const startTask = (task: Task) => {
    session.startTask(task);
    running = task.run(session);
  };
  for await (const { id, op } of submissions) {
    switch (op.type) {
      case "user_input":
      case "user_turn":
        takeInput(session, { id, op, startTask });
        break;
      case "interrupt":
        session.task?.stop(new TaskStopped());
        break;
      case "exec_approval":
      case "patch_approval":
        session.approvals.answer(op.id, op.decision);
        if (op.decision === "abort") session.task?.stop(new TaskStopped());
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
      case "shutdown":
        session.task?.stop(new TaskStopped());
        await running;
        session.emit(id, { type: "shutdown_complete" });
        return;
      default:
        op satisfies never;
    }
  }
  session.task?.stop(new TaskStopped());
  await running;
}

interface InputContext {
  readonly id: string;
  readonly op: Extract<Op, { type: "user_input" | "user_turn" }>;
  readonly startTask: (task: Task) => void;
}

/** Input starts a task, or joins the one that runs; the settings a `user_turn` brings to a running task are not used. */
function takeInput(session: Session, { id, op, startTask }: InputContext): void {
  const settings: TurnSettings = op.type === "user_turn" ? settingsOfTurn(op, session.settings) : session.settings;
  const input = userInput(op.items, settings.cwd);
  if (session.task !== undefined) {
    session.task.addInput(input);
    return;
  }
  try {
    session.sandboxes.get(settings.sandboxPolicy, settings.cwd);
  } catch (error) {
    session.emit(id, { type: "error", message: messageOf(error) });
    return;
  }
  startTask(new Task(id, settings, input));
}

function overrideSettings(session: Session, op: Extract<Op, { type: "override_turn_context" }>): void {
  session.settings = overriddenSettings(op, session.settings);
  if (op.cwd === undefined && op.approval_policy === undefined && op.sandbox_policy === undefined) return;
  const text = environmentContextText({
    ...(op.cwd === undefined ? {} : { cwd: op.cwd }),
    ...(op.approval_policy === undefined ? {} : { approvalPolicy: op.approval_policy }),
    ...(op.sandbox_policy === undefined ? {} : { sandboxPolicy: op.sandbox_policy }),
  });
  session.record(userMessage(text));
}
