import type { AuthManager } from "../auth/auth-manager.ts";
import type { Credential } from "../auth/credentials.ts";
import type { Config } from "../config/config.ts";
import { environmentContextText, userInstructionsText } from "../config/environment-context.ts";
import { exposedFolders } from "../config/exposed-folders.ts";
import { loginShellName } from "../config/shell-name.ts";
import { type ClientInfo, originatorOf } from "../config/user-agent.ts";
import { UserError } from "../lib/errors.ts";
import { log } from "../lib/log.ts";
import type { ModelClient } from "../model/model-client.ts";
import type { CommandHost } from "../process/command-host.ts";
import { type ConversationId, newConversationId } from "../protocol/conversation-id.ts";
import type { Event, SessionConfigured } from "../protocol/event.ts";
import { userMessage } from "../protocol/response-item.ts";
import { historyInfo } from "../rollout/message-history.ts";
import type { RolloutRecorder } from "../rollout/recorder.ts";
import { Conversation, type Core } from "./conversation.ts";
import { McpServers } from "./mcp-servers.ts";
import { createRollout } from "./new-rollout.ts";
import { openAuth } from "./open-auth.ts";
import type { ResumedSession, ResumeRequest } from "./resume.ts";
import { type PolicyGuard, SandboxSet } from "./sandbox-set.ts";
import { Session, type SessionLimits } from "./session.ts";
import { serveSubmissions } from "./submission-loop.ts";
import { initialSettings } from "./turn-settings.ts";

/** Longer than a start takes, and shorter than anybody needs to hear of a new session. */
const lockDelayMs = 200;

export interface InitOptions {
  /** Of this program; stands in headers and rollouts. */
  readonly version: string;
  readonly limits?: SessionLimits;
  /** The session to go on with; otherwise the one that the configuration names, or a new one. */
  readonly resume?: ResumeRequest | undefined;
  /** The credentials of this process; default: a view of their own, for processes with one conversation. */
  readonly auth?: AuthManager;
  /** The program that speaks to us, for the User-Agent of requests. */
  readonly client?: ClientInfo;
  /** One for all conversations of a process. */
  readonly commandHost?: CommandHost;
  /** Who opens conversations is not the one whose machine this is. */
  readonly guard?: PolicyGuard;
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
  /** What was given; of a resumed session, with what it keeps of its own. */
  readonly config: Config;
  /** Where the session is on disk; undefined when nothing is written. */
  readonly rolloutPath: string | undefined;
  /** Sentences for the person, not for the model. */
  readonly warnings: readonly string[];
}

/**
 * The one door to a conversation: checks everything that can be checked before a request, opens the rollout, starts the
 * core and waits for its first event. Throws a UserError that names what to change.
 */
export async function initCodex(given: Config, options: InitOptions): Promise<InitializedCodex> {
  const resumed = await openStored(given, options.resume);
  const config = resumed?.config ?? given;
  const sessionId = resumed?.sessionId ?? newConversationId();
  const { guard, commandHost } = options;
  guard?.checkConfig(config);
  const sandboxes = new SandboxSet(config, { host: commandHost, guard });
  const sandbox = sandboxes.get(config.sandboxPolicy, config.cwd);
  const warnings = [...config.warnings, ...(resumed?.warnings ?? []), ...sandbox.warnings];
  // Before the first event the caller passes warnings on, later the conversation tells them itself.
  let tell = (message: string): void => void warnings.push(message);
  const told = new Set<string>();
  const warn = (message: string) => {
    if (!told.has(message)) tell(message);
    told.add(message);
  };
  const auth = options.auth ?? openAuth(config, options.version);
  const connect = await openModel(config, sessionId, { ...options, auth, warn });

  const { version } = options;
  const { host } = sandbox;
  const hasLibc = resumed !== undefined || sandbox.backend !== "none"; // a new session without a sandbox has not loaded it
  const libc = hasLibc ? host.tryLibc() : undefined;
  const recording = { version, sandbox: sandbox.backend, libc, onProblem: (message: string) => tell(message) };
  const openRollout = (): RolloutRecorder | undefined => {
    if (resumed !== undefined) return resumed.openRecorder(recording);
    if (config.ephemeral) return undefined;
    const created = createRollout(config, { ...recording, sessionId });
    if (!hasLibc) setTimeout(() => created.lock(host.tryLibc()), lockDelayMs).unref();
    return created;
  };
  const rollout = options.core === undefined ? openRollout() : undefined;
  const core: Core = async (submissions, events, _id, closing) => {
    const session = new Session({
      id: sessionId,
      config,
      limits: options.limits ?? {},
      settings: initialSettings(config),
      events,
      rollout,
      sandboxes,
      mcp: new McpServers(config, { version, isCwdOfCall: guard?.isFolderOfCall(config.cwd) === true }),
      connect,
    });
    try {
      const history = historyInfo(config.codexHome);
      if (resumed === undefined) recordFirstMessages(session);
      else resumed.restore(session);
      if (config.isUnattended) session.approvals.leaveUnattended();
      session.emit("", {
        type: "session_configured",
        session_id: sessionId,
        model: config.model,
        history_log_id: history.logId,
        history_entry_count: history.entryCount,
        ...(resumed === undefined ? {} : { initial_messages: resumed.stored.events }),
        rollout_path: rollout?.path ?? "",
      });
      log("info", "session", `${sessionId} started with ${config.model} of ${config.modelProviderId}`);
      tell = (message) => {
        log("warn", "session", `${sessionId}: ${message}`); // there may be no reader of events
        events.publish({ id: "", msg: { type: "background_event", message } });
      };
      session.mcp.start((message) => session.emit("", { type: "error", message }));
      await serveSubmissions(session, submissions, closing);
    } finally {
      await session.close();
      if (options.auth === undefined) await auth.settled(); // else others may still use it
    }
  };

  const conversation = new Conversation(sessionId, options.core ?? core);
  const firstEvent = await firstEventOf(conversation);
  return { conversation, firstEvent, sessionId, config, rolloutPath: rollout?.path, warnings };
}

async function openStored(config: Config, request: ResumeRequest | undefined): Promise<ResumedSession | undefined> {
  const wanted = request ?? (config.resumePath === undefined ? undefined : { file: config.resumePath });
  if (wanted === undefined) return undefined;
  const { ResumedSession } = await import("./resume.ts");
  return ResumedSession.read(config, wanted);
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

/** Instructions and environment, as the model and the rollout get them before the first input. */
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
async function credentialFor(
  { modelProvider: provider, preferredAuthMethod }: Config,
  { auth, warn }: { readonly auth: AuthManager; readonly warn: (message: string) => void },
): Promise<Credential | undefined> {
  const credential = await auth.credential({ provider, preferredAuthMethod }, warn);
  if (credential === undefined && provider.requiresOpenaiAuth && provider.baseUrl === undefined) {
    throw new UserError(
      `No API key for ${provider.name}: set OPENAI_API_KEY, run codex login --with-api-key, or choose a provider with -c model_provider=NAME.`,
    );
  }
  return credential;
}

/** Opens recordings now, so that a wrong file stops the start, and connects to a provider only at the first request. */
async function openModel(
  config: Config,
  conversationId: ConversationId,
  options: InitOptions & { readonly auth: AuthManager; readonly warn: (message: string) => void },
): Promise<() => Promise<ModelClient>> {
  const { version, client, recordFile, replayFile, warn, auth } = options;
  const { modelProvider: provider, preferredAuthMethod } = config;
  const connect = async () => {
    const { createModelClient } = await import("../model/create-model-client.ts");
    return createModelClient({
      provider,
      providerId: config.modelProviderId,
      credential: () => credentialFor(config, { auth, warn }),
      replacement: (refused) => auth.replacement({ provider, preferredAuthMethod }, refused),
      conversationId,
      env: config.env,
      version,
      originator: originatorOf(config.env),
      client,
      showRawReasoning: config.showRawAgentReasoning,
    });
  };
  if (replayFile !== undefined) {
    const { Recording, replayClient } = await import("../model/replay-client.ts");
    const client = replayClient(new Recording(replayFile, exposedFolders(config)));
    return () => Promise.resolve(client);
  }
  if (recordFile !== undefined) {
    const { Recorder, recordingClient } = await import("../model/recording.ts");
    const recorder = new Recorder(recordFile, exposedFolders(config));
    return async () => recordingClient(await connect(), recorder);
  }
  return connect;
}
