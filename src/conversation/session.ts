import { readPrompt } from "../assets.ts";
import type { Config } from "../config/config.ts";
import { findGitRoot } from "../config/git-root.ts";
import { contextWindowOf, type ModelFamily, modelFamily } from "../config/model-families.ts";
import type { Broadcast } from "../lib/broadcast.ts";
import type { ModelClient } from "../model/model-client.ts";
import { pathOutside } from "../process/find-program.ts";
import type { TurnNotification } from "../process/notify.ts";
import type { ConversationId } from "../protocol/conversation-id.ts";
import type { Event, EventMsg, McpTool } from "../protocol/event.ts";
import type { ApprovalPolicy } from "../protocol/policy.ts";
import type { ResponseItem } from "../protocol/response-item.ts";
import { compactedHistory } from "../rollout/compacted-history.ts";
import type { StoredConversation } from "../rollout/reader.ts";
import type { RolloutRecorder } from "../rollout/recorder.ts";
import { ApprovedCommands } from "../tools/approved-commands.ts";
import { Approvals } from "./approvals.ts";
import { ContextGauge } from "./context-gauge.ts";
import { History } from "./history.ts";
import type { McpServers } from "./mcp-servers.ts";
import type { SandboxSet } from "./sandbox-set.ts";
import type { Task } from "./task.ts";
import { UsageCounter } from "./token-usage.ts";
import { type TurnSettings, turnContext } from "./turn-settings.ts";

export interface SessionLimits {
  /** Requests to the model that one task may take. */
  readonly maxTurns?: number;
  /** When the task has to be done, counted from the start of the process. */
  readonly timeoutMs?: number;
}

/** Pieces of output hold up to 11 kB each. */
const mostWaitingEvents = 256;

interface SessionParts {
  readonly id: ConversationId;
  readonly config: Config;
  readonly limits: SessionLimits;
  readonly settings: TurnSettings;
  readonly events: Broadcast<Event>;
  /** Undefined: nothing is written. */
  readonly rollout: RolloutRecorder | undefined;
  readonly sandboxes: SandboxSet;
  readonly mcp: McpServers;
  readonly connect: () => Promise<ModelClient>;
}

/** The state of one conversation. */
export class Session {
  readonly id: ConversationId;
  readonly config: Config;
  readonly limits: SessionLimits;
  readonly history = new History();
  readonly usage = new UsageCounter();
  readonly context = new ContextGauge();
  readonly approvals = new Approvals();
  readonly approvedCommands = new ApprovedCommands();
  readonly sandboxes: SandboxSet;
  readonly mcp: McpServers;
  /** Changed by `override_turn_context`. */
  settings: TurnSettings;
  /** The session's own policy, where nobody can be asked just now. */
  lastingApproval: ApprovalPolicy | undefined;
  readonly #events: Broadcast<Event>;
  readonly #rollout: RolloutRecorder | undefined;
  readonly #connect: () => Promise<ModelClient>;
  #client: Promise<ModelClient> | undefined;
  #task: Task | undefined;
  /** Waits for the end of the task, in whose middle it would part calls from their outputs. */
  readonly #nextContext: ResponseItem[] = [];

  constructor(parts: SessionParts) {
    this.id = parts.id;
    this.config = parts.config;
    this.limits = parts.limits;
    this.settings = parts.settings;
    this.#events = parts.events;
    this.#rollout = parts.rollout;
    this.#connect = parts.connect;
    this.sandboxes = parts.sandboxes;
    this.mcp = parts.mcp;
  }

  get task(): Task | undefined {
    return this.#task;
  }

  startTask(task: Task): void {
    this.#task = task;
  }

  endTask(task: Task): void {
    if (this.#task !== task) return;
    this.#task = undefined;
    this.record(...this.#nextContext.splice(0));
  }

  /** Tells every reader, and the rollout first where it keeps such events. */
  emit(id: string, msg: EventMsg): void {
    this.recordEvent(msg);
    this.#events.publish({ id, msg });
  }

  /** The user's own instructions as they are, or ours; ours explain patches where no tool does. */
  instructions(hasPatchTool: boolean): string {
    if (this.config.baseInstructions !== undefined) return this.config.baseInstructions;
    const base = readPrompt("instructions");
    return hasPatchTool ? base : `${base}\n\n${readPrompt("patch-instructions")}`;
  }

  /** Undefined while everybody keeps up with the events; a promise that the source of many of them should wait for. */
  pressure(): Promise<unknown> | undefined {
    return this.#events.pressure(mostWaitingEvents);
  }

  /** Adds to the history, and to the rollout before anything comes of it. */
  record(...items: readonly ResponseItem[]): void {
    for (const item of items) this.recordOnly(item);
    this.history.add(...items);
  }

  /** For what changes what a later task works with, and the running one should not see. */
  recordBetweenTasks(item: ResponseItem): void {
    if (this.#task === undefined) this.record(item);
    else this.#nextContext.push(item);
  }

  /** A summary takes the place of what was said so far, on disk as well. */
  compact(summary: string): void {
    const items = compactedHistory(this.history.items, summary);
    this.#rollout?.recordCompaction(summary, items);
    this.history.replace(items);
    this.context.reset();
  }

  /** Goes on where an earlier process stopped. */
  restore({ items, missing, events }: StoredConversation): void {
    for (const item of missing) this.recordOnly(item);
    this.history.replace(items);
    const usage = events.findLast((event) => event.type === "token_count" && event.info !== null);
    if (usage?.type !== "token_count" || usage.info === null) return;
    this.usage.restore(usage.info);
    this.context.measure(usage.info.last_token_usage.total_tokens);
  }

  /** So that a later process knows what held for this task, and for the session where that is something else. */
  recordTurnContext(settings: TurnSettings): void {
    const lasting = { ...this.settings, ...(this.lastingApproval && { approvalPolicy: this.lastingApproval }) };
    const isLasting = settings === this.settings && this.lastingApproval === undefined;
    this.#rollout?.recordTurnContext(turnContext(settings), isLasting ? undefined : turnContext(lasting));
  }

  /** For what must be on disk although the next request will not contain it. */
  recordOnly(item: ResponseItem): void {
    this.#rollout?.recordItem(item);
  }

  recordEvent(msg: EventMsg): void {
    this.#rollout?.recordEvent(msg);
  }

  endRecording(): void {
    this.#rollout?.close();
  }

  /** Connected at the first request, so that a start does not pay for it. */
  client(): Promise<ModelClient> {
    this.#client ??= this.#connect();
    return this.#client;
  }

  family(model: string): ModelFamily {
    return model === this.config.model ? this.config.modelFamily : modelFamily(model);
  }

  contextWindow(model: string): number | null {
    return model === this.config.model ? this.config.modelContextWindow : contextWindowOf(model);
  }

  /** The tokens from which on the history is compacted unasked; infinite when nobody knows, or wants it. */
  compactionLimit(model: string): number {
    const window = this.contextWindow(model);
    const limit = this.config.modelAutoCompactTokenLimit ?? (window === null ? 0 : Math.floor(window * 0.9));
    return limit === 0 ? Number.POSITIVE_INFINITY : limit;
  }

  /** Of all servers that start; waits until each has started or could not. */
  async mcpTools(signal: AbortSignal): Promise<Readonly<Record<string, McpTool>>> {
    await this.mcp.settled(signal);
    return this.mcp.descriptions();
  }

  /** Starts the user's program, if there is one. */
  async notify(notification: TurnNotification): Promise<void> {
    const { notify, env, credentialVariables: credentials } = this.config;
    if (notify.length === 0) return;
    const { notifyUser } = await import("../process/notify.ts");
    // A program of the repository is not the one that the user means by a name.
    const onProblem = (message: string) => this.emit("", { type: "background_event", message });
    const folders = env["PATH"];
    const outside =
      folders === undefined ? {} : { PATH: pathOutside(folders, findGitRoot(this.config.cwd) ?? this.config.cwd) };
    await notifyUser(notify, notification, { env: { ...env, ...outside }, credentials, onProblem });
  }

  async close(): Promise<void> {
    await this.mcp.close();
    this.sandboxes.close();
    this.endRecording();
  }
}
