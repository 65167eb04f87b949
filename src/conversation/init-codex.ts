import { type Credential, resolveCredential } from "../auth/credentials.ts";
import type { Config } from "../config/config.ts";
import { environmentContextText, userInstructionsText } from "../config/environment-context.ts";
import { findGitRoot } from "../config/git-root.ts";
import { loginShellName } from "../config/shell-name.ts";
import { UserError } from "../lib/errors.ts";
import { log } from "../lib/log.ts";
import type { ModelClient } from "../model/model-client.ts";
import type { Sandbox } from "../process/sandbox.ts";
import { type ConversationId, newConversationId } from "../protocol/conversation-id.ts";
import type { Event, SessionConfigured } from "../protocol/event.ts";
import { userMessage } from "../protocol/response-item.ts";
import { readGitInfo } from "../rollout/git-info.ts";
import { historyInfo } from "../rollout/message-history.ts";
import { RolloutRecorder } from "../rollout/recorder.ts";
import { Conversation, type Core } from "./conversation.ts";
import { McpServers } from "./mcp-servers.ts";
import { SandboxSet } from "./sandbox-set.ts";
import { Session, type SessionLimits } from "./session.ts";
import { serveSubmissions } from "./submission-loop.ts";
import { initialSettings } from "./turn-settings.ts";

export interface InitOptions {
  /** Of this program; stands in headers and rollouts. */
  readonly version: string;
  readonly limits?: SessionLimits;
  /** Keep what the model says in this file. */
  readonly recordFile?: string;
  /** Take what the model says from this file, and ask no provider. */
  readonly replayFile?: string;
  /** The core to run instead of our own; tests put one here that dies. */
  readonly core?: Core;
}

export interface InitializedCodex {
  readonly conversation: Conversation;
  readonly firstEvent: { readonly id: string; readonly msg: SessionConfigured };
  /** The same id as in `firstEvent`, the rollout and every result. */
  readonly sessionId: ConversationId;
  /** Sentences for the person, not for the model. */
  readonly warnings: readonly string[];
}

/**
 * The one door to a conversation: checks everything that can be checked before a request, opens the rollout, starts the
 * core and waits for its first event. Throws a UserError that names what to change.
 */
export async function initCodex(config: Config, options: InitOptions): Promise<InitializedCodex> {
  const sessionId = newConversationId();
  const sandboxes = new SandboxSet(config);
  const sandbox = sandboxes.get(config.sandboxPolicy, config.cwd);
  const warnings = [...config.warnings, ...sandbox.warnings];
  // Before the first event the caller passes warnings on, later the conversation tells them itself.
  let tell = (message: string): void => void warnings.push(message);
  const told = new Set<string>();
  const warn = (message: string) => {
    if (!told.has(message)) tell(message);
    told.add(message);
  };
  const connect = await openModel(config, sessionId, { ...options, warn });

  const core: Core = async (submissions, events, _id, closing) => {
    const { version } = options;
    const rollout = openRollout(config, { sessionId, version, sandbox: sandbox.backend, onProblem: warn });
    const session = new Session({
      id: sessionId,
      config,
      limits: options.limits ?? {},
      settings: initialSettings(config),
      events,
      rollout,
      sandboxes,
      mcp: new McpServers(config, options.version),
      connect,
    });
    try {
      const history = historyInfo(config.codexHome);
      recordFirstMessages(session);
      session.emit("", {
        type: "session_configured",
        session_id: sessionId,
        model: config.model,
        history_log_id: history.logId,
        history_entry_count: history.entryCount,
        rollout_path: rollout?.path ?? "",
      });
      log("info", "session", `${sessionId} started with ${config.model} of ${config.modelProviderId}`);
      tell = (message) => events.publish({ id: "", msg: { type: "background_event", message } });
      session.mcp.start((message) => session.emit("", { type: "error", message }));
      await serveSubmissions(session, submissions, closing);
    } finally {
      await session.close();
    }
  };

  const conversation = new Conversation(sessionId, options.core ?? core);
  const firstEvent = await firstEventOf(conversation);
  return { conversation, firstEvent, sessionId, warnings };
}

async function firstEventOf(conversation: Conversation): Promise<InitializedCodex["firstEvent"]> {
  const events = conversation.events();
  const { value } = await events.next();
  await events.return?.(); // a reader that nobody reads would keep everything
  const event: Event | undefined = value;
  if (event?.msg.type !== "session_configured" || event.msg.session_id !== conversation.id) {
    await conversation.close();
    const found = event === undefined ? "nothing" : JSON.stringify(event.msg);
    throw new UserError(`internal error; the first event was not session_configured but ${found}`);
  }
  return { id: event.id, msg: event.msg };
}

/** Instructions and environment, as the model and the rollout get them before the first input (spec core 8.1, 15). */
function recordFirstMessages(session: Session): void {
  const { config, settings } = session;
  if (config.developerInstructions !== undefined) {
    const content = [{ type: "input_text", text: config.developerInstructions }] as const;
    session.record({ type: "message", role: "developer", content });
  }
  if (config.userInstructions !== undefined) session.record(userMessage(userInstructionsText(config.userInstructions)));
  const { cwd, approvalPolicy, sandboxPolicy } = settings;
  const shell = loginShellName();
  session.record(userMessage(environmentContextText({ cwd, approvalPolicy, sandboxPolicy, shell })));
}

/** A request that OpenAI would refuse for want of a key is not sent; a server of the user's own may do without. */
function credentialFor(config: Config, warn: (message: string) => void): Credential | undefined {
  const { modelProvider: provider, env, codexHome, preferredAuthMethod } = config;
  const credential = resolveCredential(provider, { env, codexHome, preferredAuthMethod, warn });
  if (credential === undefined && provider.requiresOpenaiAuth && provider.baseUrl === undefined) {
    throw new UserError(
      `No API key for ${provider.name}: set OPENAI_API_KEY, or choose a provider with -c model_provider=NAME.`,
    );
  }
  return credential;
}

function openRollout(
  config: Config,
  options: {
    readonly sessionId: ConversationId;
    readonly version: string;
    readonly sandbox: Sandbox["backend"];
    readonly onProblem: (message: string) => void;
  },
): RolloutRecorder | undefined {
  if (config.ephemeral) return undefined;
  const root = findGitRoot(config.cwd);
  const git = root === undefined ? undefined : readGitInfo(root);
  return RolloutRecorder.create({
    codexHome: config.codexHome,
    conversationId: options.sessionId,
    meta: {
      cwd: config.cwd,
      originator: originatorOf(config),
      cli_version: options.version,
      instructions: config.userInstructions ?? null,
      ...(git === undefined ? {} : { git }),
      sandbox_backend: options.sandbox,
    },
    now: () => new Date(),
    onProblem: options.onProblem,
  });
}

function originatorOf(config: Config): string {
  return config.env["CODEX_INTERNAL_ORIGINATOR_OVERRIDE"] || "codex_cli_rs";
}

/** Opens recordings now, so that a wrong file stops the start, and connects to a provider only at the first request. */
async function openModel(
  config: Config,
  conversationId: ConversationId,
  { version, recordFile, replayFile, warn }: InitOptions & { readonly warn: (message: string) => void },
): Promise<() => Promise<ModelClient>> {
  const connect = async () => {
    const { createModelClient } = await import("../model/create-model-client.ts");
    return createModelClient({
      provider: config.modelProvider,
      providerId: config.modelProviderId,
      credential: () => credentialFor(config, warn),
      conversationId,
      env: config.env,
      version,
      originator: originatorOf(config),
      showRawReasoning: config.showRawAgentReasoning,
    });
  };
  if (replayFile !== undefined) {
    const { Recording, replayClient } = await import("../model/replay-client.ts");
    const client = replayClient(new Recording(replayFile));
    return () => Promise.resolve(client);
  }
  if (recordFile !== undefined) {
    const { Recorder, recordingClient } = await import("../model/recording.ts");
    const recorder = new Recorder(recordFile);
    return async () => recordingClient(await connect(), recorder);
  }
  return connect;
}
