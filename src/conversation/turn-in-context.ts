import { ModelError } from "../model/model-client.ts";
import type { Session } from "./session.ts";
import type { Task } from "./task.ts";
import { runTurn, type TurnOutcome } from "./turn.ts";

/** Loaded when a conversation gets long, or somebody asks for it. */
const loadCompaction = () => import("./compaction.ts");

/**
 * One turn, for which the history is shortened first when the model's context is nearly full. When the server says that
 * it does not fit, it is shortened once and sent once more.
 */
export async function runTurnInContext(session: Session, task: Task): Promise<TurnOutcome> {
  const limit = session.compactionLimit(task.settings.model);
  if (session.context.isOver(limit)) {
    const { compactUnasked } = await loadCompaction();
    await compactUnasked(session, task, "the context is nearly full");
  }
  try {
    return await runTurn(session, task);
  } catch (error) {
    if (!(error instanceof ModelError && error.isContextExceeded)) throw error;
    const { compactUnasked } = await loadCompaction();
    if (!(await compactUnasked(session, task, "the context is full"))) throw error;
    return runTurn(session, task);
  }
}
