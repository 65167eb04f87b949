import { AsyncQueue } from "../lib/async-queue.ts";
import { Broadcast } from "../lib/broadcast.ts";
import { messageOf } from "../lib/errors.ts";
import type { ConversationId } from "../protocol/conversation-id.ts";
import type { Event } from "../protocol/event.ts";
import type { Op, Submission } from "../protocol/submission.ts";

/**
 * What runs behind a conversation: it reads submissions to their end, brings what they began to its end, and publishes
 * events. As soon as `closing` fires it interrupts what runs.
 */
export type Core = (
  submissions: AsyncQueue<Submission>,
  events: Broadcast<Event>,
  id: ConversationId,
  closing: AbortSignal,
) => Promise<void>;

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
  readonly #closing = new AbortController();
  #isEnding = false;
  #hasFailed = false;
  #nextId = 0;

  /** Only initCodex builds one. */
  constructor(id: ConversationId, core: Core) {
    this.id = id;
    this.#ended = this.#run(core);
  }

  /** The core died; the last event says why. */
  get hasFailed(): boolean {
    return this.#hasFailed;
  }

  /** It was told to end, or has ended: nothing that is submitted now would be read. */
  get isEnding(): boolean {
    return this.#isEnding;
  }

  /** Fulfilled when everything has been let go; it never fails. */
  get ended(): Promise<void> {
    return this.#ended;
  }

  /**
   * Queues `op` and returns the id that its events carry: the client's own or the next number. Throws ConversationEnded
   * once the conversation was told to end.
   */
  submit(op: Op, id?: string): string {
    if (this.#isEnding) throw new ConversationEnded("internal error; agent loop died unexpectedly");
    if (op.type === "shutdown") this.#isEnding = true;
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

  /** Nothing more will be submitted: what was is brought to its end, and questions are answered with "denied". */
  async finish(): Promise<void> {
    this.#isEnding = true;
    this.#submissions.end();
    await this.#ended;
  }

  /** Interrupts what runs, waits until it has ended, and lets everything go. */
  async close(): Promise<void> {
    this.#isEnding = true;
    this.#closing.abort();
    this.#submissions.end();
    await this.#ended;
  }

  async #run(core: Core): Promise<void> {
    await undefined; // the caller subscribes first
    try {
      await core(this.#submissions, this.#events, this.id, this.#closing.signal);
    } catch (error) {
      this.#hasFailed = true;
      const message = `internal error; agent loop died unexpectedly: ${messageOf(error)}`;
      this.#events.publish({ id: "", msg: { type: "error", message } });
    } finally {
      this.#isEnding = true;
      this.#events.close();
    }
  }
}
