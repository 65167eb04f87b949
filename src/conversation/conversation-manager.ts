import type { Config } from "../config/config.ts";
import { UserError } from "../lib/errors.ts";
import { canonicalPath } from "../process/canonical-path.ts";
import type { CommandHost } from "../process/command-host.ts";
import { type InitializedCodex, type InitOptions, initCodex } from "./init-codex.ts";
import { createCommandHost } from "./sandbox-set.ts";

/** What all conversations of one process have in common. */
type ManagerOptions = Pick<InitOptions, "version" | "auth" | "client" | "commandHost" | "guard">;
/** What may be another thing for each. */
type ConversationOptions = Omit<InitOptions, "version" | "commandHost" | "guard" | "resume">;

/** The conversations of one process, by id. One that ends by itself is forgotten. */
export class ConversationManager {
  readonly #options: ManagerOptions;
  readonly #conversations = new Map<string, InitializedCodex>();
  /** The last resume under way of each file: the next one waits for it, then takes its place. */
  readonly #opening = new Map<string, Promise<InitializedCodex>>();
  #host: CommandHost | undefined;

  constructor(options: ManagerOptions) {
    this.#options = options;
  }

  async create(config: Config, options: ConversationOptions = {}): Promise<InitializedCodex> {
    return this.#add(await initCodex(config, this.#with(options)));
  }

  /**
   * Goes on with the session in `rolloutFile`. One that is live here is closed first, so that what `config` says holds.
   * Throws SessionInUse when another process has it, and a UserError in the reference's words when the file holds none.
   */
  async resume(
    config: Config,
    rolloutFile: string,
    options: ConversationOptions & { readonly asFork?: boolean } = {},
  ): Promise<InitializedCodex> {
    const { asFork = false, ...rest } = options;
    const file = canonicalPath(rolloutFile);
    const open = async () => this.#add(await initCodex(config, this.#with(rest, { file, asFork })));
    if (asFork) return open();
    const before = this.#opening.get(file);
    const resumed = (async () => {
      await before?.catch(() => {}); // told to whoever asked for it
      await this.#closeFile(file);
      return open();
    })();
    this.#opening.set(file, resumed);
    try {
      return await resumed;
    } finally {
      if (this.#opening.get(file) === resumed) this.#opening.delete(file);
    }
  }

  get(id: string): InitializedCodex | undefined {
    return this.#conversations.get(id);
  }

  ids(): readonly string[] {
    return [...this.#conversations.keys()];
  }

  /** Interrupts what the conversation does, and ends it; its file stays. */
  async remove(id: string): Promise<void> {
    const found = this.#conversations.get(id);
    this.#conversations.delete(id);
    await found?.conversation.close();
  }

  /** Ends all conversations, then what their commands shared. */
  async close(): Promise<void> {
    await Promise.allSettled(this.#opening.values());
    await Promise.all(this.ids().map((id) => this.remove(id)));
    this.#host?.close();
    this.#host = undefined;
  }

  async #closeFile(file: string): Promise<void> {
    for (const { sessionId, rolloutPath } of this.#conversations.values()) {
      if (rolloutPath !== undefined && canonicalPath(rolloutPath) === file) await this.remove(sessionId);
    }
  }

  #with(options: ConversationOptions, resume?: InitOptions["resume"]): InitOptions {
    const commandHost = this.#options.commandHost ?? this.#ownHost();
    return { ...this.#options, ...options, commandHost, resume };
  }

  #ownHost(): CommandHost {
    this.#host ??= createCommandHost();
    return this.#host;
  }

  async #add(initialized: InitializedCodex): Promise<InitializedCodex> {
    const { sessionId, conversation, rolloutPath } = initialized;
    const live = this.get(sessionId);
    if (live !== undefined && live.rolloutPath !== rolloutPath) {
      await conversation.close(); // whoever wrote that file does not take over what goes on here
      throw new UserError(`the session ${sessionId} is live here with another file: "${live.rolloutPath}"`);
    }
    await this.remove(sessionId);
    this.#conversations.set(sessionId, initialized);
    void conversation.ended.then(() => {
      if (this.#conversations.get(sessionId) === initialized) this.#conversations.delete(sessionId);
    });
    return initialized;
  }
}
