import { existsSync } from "node:fs";
import type { AuthManager } from "../auth/auth-manager.ts";
import type { ChatGptLogin } from "../auth/browser-login.ts";
import type { Config, ConfigFlags } from "../config/config.ts";
import { loadConfig } from "../config/load-config.ts";
import { ConversationManager } from "../conversation/conversation-manager.ts";
import type { InitializedCodex } from "../conversation/init-codex.ts";
import { openAuth } from "../conversation/open-auth.ts";
import { createCommandHost, SandboxSet } from "../conversation/sandbox-set.ts";
import { UserError } from "../lib/errors.ts";
import { log } from "../lib/log.ts";
import { canonicalPath } from "../process/canonical-path.ts";
import type { CommandHost } from "../process/command-host.ts";
import { compileSparingly, releaseMemory } from "../process/release-memory.ts";
import type { ConversationId } from "../protocol/conversation-id.ts";
import { findSession } from "../rollout/sessions.ts";
import { CallLimits } from "./call-limits.ts";
import { LiveConversation } from "./live-conversation.ts";
import type { ServerState } from "./server-state.ts";

/** The conversations of this server, and those on disk that it can go on with. */
export class Conversations {
  /** One view of the credentials for all of them, and for the account methods. */
  readonly auth: AuthManager;
  /** Sign-ins under way, by id. */
  readonly logins = new Map<string, ChatGptLogin>();
  /** What all commands of this process need. */
  readonly commandHost: CommandHost;
  /** What calls may ask for. */
  readonly limits: CallLimits;
  /** For commands outside of all conversations. */
  readonly sandboxes: SandboxSet;
  readonly #state: ServerState;
  readonly #manager: ConversationManager;
  readonly #live = new Map<string, LiveConversation>();
  /** The last resume under way of each file. */
  readonly #resuming = new Map<string, Promise<LiveConversation>>();
  #releasing = new AbortController();
  readonly #closing = new AbortController();
  #isUnattended = false;

  constructor(state: ServerState) {
    this.#state = state;
    this.commandHost = createCommandHost(state.config);
    this.auth = openAuth(state.config, state.version);
    // Told once those who asked for the change have their answer.
    this.auth.onChange((stored) => {
      const { modelProvider: provider, preferredAuthMethod } = state.config;
      const takesNoAccount = !provider.requiresOpenaiAuth || provider.envKey !== undefined;
      // The same that getAuthStatus says: a key in a variable may stand above what is stored.
      const method = takesNoAccount ? stored : this.auth.method({ provider, preferredAuthMethod });
      state.outgoing.notify("authStatusChange", method === undefined ? {} : { authMethod: method });
    });
    this.limits = new CallLimits({ server: state.config, load: (flags) => this.#load(flags) });
    this.sandboxes = new SandboxSet(state.config, { host: this.commandHost, guard: this.limits });
    this.#manager = new ConversationManager({
      version: state.version,
      auth: this.auth,
      commandHost: this.commandHost,
      guard: this.limits,
    });
    compileSparingly();
  }

  /** Fires when the server ends. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  /** config.toml as it is now, `-c` of the command line, then what the call says, if it may. Throws a UserError. */
  configFor(flags: ConfigFlags): Config {
    return this.limits.configFor(flags);
  }

  /** Throws a UserError when it cannot be started. */
  async create(config: Config): Promise<LiveConversation> {
    return this.#adopt(await this.#manager.create(config, this.#client()));
  }

  /** Goes on with a session on disk, a live one from its file anew; throws a UserError when the file holds none. */
  async resume(config: Config, rolloutFile: string): Promise<LiveConversation> {
    const file = canonicalPath(rolloutFile);
    const resumed = this.#manager.resume(config, file, this.#client()).then((codex) => this.#adopt(codex));
    this.#resuming.set(file, resumed);
    try {
      return await resumed;
    } finally {
      if (this.#resuming.get(file) === resumed) this.#resuming.delete(file);
    }
  }

  /** Undefined also for one that was told to end. */
  get(id: string): LiveConversation | undefined {
    const live = this.#live.get(id);
    return live?.isEnding === true ? undefined : live;
  }

  /** What was asked for before is open, so that a client need not wait for the answer before it goes on. */
  async whenResumed(): Promise<void> {
    while (this.#resuming.size > 0) await Promise.allSettled(this.#resuming.values());
  }

  /** One that is live, or one of an earlier process. */
  async find(id: ConversationId): Promise<LiveConversation | undefined> {
    for (;;) {
      const known = this.#live.get(id);
      if (known?.isEnding === false) return known;
      await known?.ended; // its file may be gone by then
      const file = findSession(this.#state.config.codexHome, id);
      if (file === undefined) return undefined;
      const live = this.#liveFrom(canonicalPath(file));
      if (live !== undefined) return live;
      const resuming = this.#resuming.get(canonicalPath(file));
      if (resuming === undefined) return this.resume(this.configForResume({}), file);
      await resuming.catch(() => {}); // told to whoever asked for it
    }
  }

  /** The name of a file may tell another id than the session in it has. */
  #liveFrom(file: string): LiveConversation | undefined {
    return [...this.#live.values()].find(({ rolloutPath, isEnding }) => !isEnding && rolloutPath === file);
  }

  /** For a session with a policy of its own: what the command line says is for new ones, only the call changes it. */
  configForResume(flags: ConfigFlags): Config {
    const { env, processCwd } = this.#state;
    const { chosen } = loadConfig({ flags, env, processCwd });
    return { ...this.configFor(flags), chosen };
  }

  #load(flags: ConfigFlags): Config {
    const { env, processCwd, overrides } = this.#state;
    return loadConfig({ flags: { overrides, ...flags }, env, processCwd });
  }

  /** Interrupts what it does, and ends it; resolves when its last event is told. */
  async shutDown(id: string): Promise<void> {
    await this.#live.get(id)?.shutDown();
  }

  /** The client cannot answer questions any more. */
  leaveUnattended(): void {
    this.#isUnattended = true;
    for (const conversation of this.#live.values()) conversation.leaveUnattended();
  }

  /** Resolves when nothing runs and nothing waits anywhere. */
  async whenIdle(): Promise<void> {
    await Promise.all([...this.#live.values()].map((conversation) => conversation.whenIdle()));
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all([...this.#live.values()].map((live) => live.close().then(() => live.ended)));
    await this.#manager.close();
    await this.auth.settled();
    this.sandboxes.close();
    this.commandHost.close();
  }

  /** Anew with each end, so that it comes once all is quiet. */
  #release(): void {
    this.#releasing.abort();
    if (this.closing.aborted) return; // all of it goes back in a moment, and the FFI need not be loaded for that
    this.#releasing = new AbortController();
    void releaseMemory(this.#releasing.signal, this.commandHost.tryLibc());
  }

  #client() {
    const { info } = this.#state.client;
    return info === undefined ? {} : { client: info };
  }

  async #adopt(codex: InitializedCodex): Promise<LiveConversation> {
    const { conversation, rolloutPath, warnings } = codex;
    for (const warning of warnings) log("warn", "mcp", `${conversation.id}: ${warning}`);
    if (rolloutPath !== undefined && !existsSync(rolloutPath)) {
      await this.#manager.remove(conversation.id); // nobody could go on with it later
      throw new UserError(warnings.find((warning) => warning.includes(rolloutPath)) ?? `Cannot write "${rolloutPath}"`);
    }
    this.#releasing.abort(); // not while a turn begins
    const live = new LiveConversation(codex, this.#state);
    if (this.#isUnattended) live.leaveUnattended();
    this.#live.set(live.id, live);
    void live.ended.then(() => {
      if (this.#live.get(live.id) === live) this.#live.delete(live.id);
      this.#release();
    });
    if (!this.closing.aborted) return live;
    await live.close();
    throw new UserError("the server is ending");
  }
}
