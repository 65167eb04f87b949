import { readPrompt } from "../assets.ts";
import { log } from "../lib/log.ts";
import { earlyCloseText } from "../model/event-stream.ts";
import { ModelError, type ModelRequest } from "../model/model-client.ts";
import { type ResponseItem, userMessage } from "../protocol/response-item.ts";
import { withMissingOutputs } from "../rollout/answer-calls.ts";
import { compactionNote, isContext } from "../rollout/compacted-history.ts";
import { withRetries } from "./retries.ts";
import type { Session } from "./session.ts";
import type { Task } from "./task.ts";

/** How often a history that is too long even for its own summary is cut in half before the summary is given up. */
const mostCuts = 3;

/** What `compact` asks for. */
export async function compactOnRequest(session: Session, task: Task): Promise<void> {
  await compact(session, task);
  session.emit(task.id, { type: "agent_message", message: compactionNote });
}

/** Because it has to be: says so before and after. False when there was nothing to gain, or no summary to be had. */
export async function compactUnasked(session: Session, task: Task, reason: string): Promise<boolean> {
  if (!hasWork(session.history.items)) return false;
  const tell = (message: string) => session.emit(task.id, { type: "background_event", message });
  tell(`${reason}: compacting the conversation`);
  try {
    await compact(session, task);
  } catch (error) {
    task.signal.throwIfAborted();
    if (!(error instanceof ModelError)) throw error;
    session.context.keep();
    tell(`the conversation could not be compacted: ${error.message}`);
    return false;
  }
  tell("the conversation was compacted");
  return true;
}

/** Throws, and leaves the history as it was, when the model gives no summary or the task is stopped. */
async function compact(session: Session, task: Task): Promise<void> {
  const before = session.history.items.length;
  const summary = await summarize(session, task);
  task.signal.throwIfAborted();
  session.compact(summary);
  log("info", "session", `compacted ${before} items to ${session.history.items.length}`);
}

async function summarize(session: Session, task: Task): Promise<string> {
  let items = session.history.items;
  for (let cuts = 0; ; cuts += 1) {
    try {
      return await withRetries(session, task, () => readSummary(session, task, items));
    } catch (error) {
      if (!(error instanceof ModelError && error.isContextExceeded) || cuts === mostCuts) throw error;
      items = withoutOlderHalf(items);
      log("info", "session", `too long for a summary: trying the last ${items.length} items`);
    }
  }
}

/** One attempt. Nothing of the answer is shown; its tokens count. */
async function readSummary(session: Session, task: Task, items: readonly ResponseItem[]): Promise<string> {
  const client = await session.client();
  const texts: string[] = [];
  for await (const events of client.stream(summaryRequest(session, task, items), task.signal)) {
    task.signal.throwIfAborted();
    for (const event of events) {
      if (event.type === "item" && event.item.type === "message") {
        for (const part of event.item.content) if (part.type === "output_text") texts.push(part.text);
      }
      if (event.type !== "completed") continue;
      if (event.usage !== null) session.usage.add(event.usage);
      const info = session.usage.info(session.contextWindow(task.settings.model));
      session.emit(task.id, { type: "token_count", info });
      const summary = texts.join("\n").trim();
      if (summary === "") throw new ModelError("the model gave no summary", { isRetryable: false });
      return summary;
    }
  }
  throw new ModelError(earlyCloseText);
}

function summaryRequest(session: Session, { settings }: Task, items: readonly ResponseItem[]): ModelRequest {
  const { model, effort, summary } = settings;
  const reasoning = session.family(model).supportsReasoning ? { effort, summary } : undefined;
  return {
    model,
    instructions: readPrompt("compact-instructions"),
    input: withMissingOutputs([...items, userMessage("Start Summarization")]),
    tools: [],
    reasoning,
    verbosity: undefined,
  };
}

/** Calls that lose their outputs, and the other way round, are put right where the request is built. */
function withoutOlderHalf(items: readonly ResponseItem[]): readonly ResponseItem[] {
  const said = items.filter((item) => !isContext(item));
  return [...items.filter(isContext), ...said.slice(Math.ceil(said.length / 2))];
}

/** Whether there is more than the user's own words, which a compaction keeps. */
function hasWork(items: readonly ResponseItem[]): boolean {
  return items.some((item) => item.type !== "message" || item.role === "assistant");
}
