import { AsyncQueue } from "../lib/async-queue.ts";
import { Broadcast } from "../lib/broadcast.ts";
import { messageOf } from "../lib/errors.ts";
import type { ConversationId } from "../protocol/conversation-id.ts";
import type { Event } from "../protocol/event.ts";
import type { Op, Submission } from "../protocol/submission.ts";

/** What runs behind a conversation: it reads submissions to their end and publishes events. */
export type Core = (submissions: AsyncQueue<Submission>, events: Broadcast<Event>, id: ConversationId) => Promise<void>;

/** Submitting to a conversation that has ended. */
export class ConversationEnded extends Error {
  override readonly name = "ConversationEnded";
}

/** One agent with its history; the only thing that `exec`, `proto` and `mcp` know of the core. */
export class Conversation {
  readonly id: ConversationId;
  readonly #submissions = new AsyncQueue<Submission>();
  readonly #events = new Broadcast<Event>();
  readonly #ended: Promise<void>;
  #hasEnded = false;
  #nextId = 0;

  /** Only initCodex builds one. */
  constructor(id: ConversationId, core: Core) {
    this.id = id;
    this.#ended = this.#run(core);
  }

  /** Queues `op` and returns the id that its events carry: the client's own or the next number. Throws ConversationEnded. */
  submit(op: Op, id?: string): string {
    if (this.#hasEnded) throw new ConversationEnded("internal error; agent loop died unexpectedly");
    const submissionId = id ?? String(this.#nextId++);
    this.#submissions.push({ id: submissionId, op });
    return submissionId;
  }

  /**
   * Every event from this call on; ends when the conversation does. A reader that is pacing makes commands wait with
   * their output while it is far behind, so that what it has not taken stays bounded.
   */
  events(options: { readonly isPacing?: boolean } = {}): AsyncIterableIterator<Event> {
    return this.#events.subscribe(options);
  }

  /** Interrupts what runs, waits until it has ended, and lets everything go. */
  async close(): Promise<void> {
    this.#submissions.end();
    await this.#ended;
  }

  async #run(core: Core): Promise<void> {
    await undefined; // the caller subscribes first
    try {
      await core(this.#submissions, this.#events, this.id);
    } catch (error) {
      const message = `internal error; agent loop died unexpectedly: ${messageOf(error)}`;
      this.#events.publish({ id: "", msg: { type: "error", message } });
    } finally {
      this.#hasEnded = true;
      this.#events.close();
    }
  }
}
