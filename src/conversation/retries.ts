import { setTimeout as sleep } from "node:timers/promises";
import { log } from "../lib/log.ts";
import { ModelError } from "../model/model-client.ts";
import { backoffMs, formatDelay } from "../model/retry.ts";
import type { Session } from "./session.ts";
import type { Task } from "./task.ts";

/** Makes another attempt at an answer of the model where that can help, and says so. */
export async function withRetries<T>(session: Session, task: Task, attempt: () => Promise<T>): Promise<T> {
  const { streamMaxRetries } = session.config.modelProvider;
  for (let retry = 1; ; retry += 1) {
    try {
      return await attempt();
    } catch (error) {
      task.signal.throwIfAborted();
      if (!(error instanceof ModelError) || !error.isRetryable || retry > streamMaxRetries) throw error;
      if (error.isContextExceeded) throw error; // the same request will not become shorter
      const delayMs = error.retryAfterMs ?? backoffMs(retry);
      const message = `stream error: ${error.message}; retrying ${retry}/${streamMaxRetries} in ${formatDelay(delayMs)}…`;
      log("warn", "model", message);
      session.emit(task.id, { type: "stream_error", message });
      await sleep(delayMs, undefined, { signal: task.signal });
    }
  }
}
