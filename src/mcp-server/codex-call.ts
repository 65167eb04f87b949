import { messageOf } from "../lib/errors.ts";
import { isRecord } from "../lib/parse-json.ts";
import type { Asker } from "./approval-desk.ts";
import { elicitationAsker } from "./approval-requests.ts";
import { EventForwarder } from "./event-forwarder.ts";
import { KeptEvent } from "./kept-event.ts";
import type { LiveConversation, TurnOutcome, TurnWatcher } from "./live-conversation.ts";
import { toIdToken } from "./message.ts";
import { Progress } from "./progress.ts";
import type { OpenCall } from "./server.ts";
import type { ServerState } from "./server-state.ts";
import { failedCall, turnResult } from "./tool-result.ts";

/** A call of `codex` or `codex-reply` under way: follows one turn, and is answered by its end. */
export class CodexCall implements TurnWatcher {
  readonly asker: Asker;
  readonly #call: OpenCall;
  readonly #state: ServerState;
  readonly #progress: Progress | undefined;
  #conversation: LiveConversation | undefined;
  #events: EventForwarder | undefined;
  #isCancelled: boolean;

  constructor(call: OpenCall, { state, isCancelled }: { readonly state: ServerState; readonly isCancelled: boolean }) {
    this.#call = call;
    this.#state = state;
    this.#isCancelled = isCancelled;
    this.asker = elicitationAsker(state, call.id);
    const meta = isRecord(call.params) && isRecord(call.params["_meta"]) ? call.params["_meta"] : {};
    const token = toIdToken(meta["progressToken"], call.json, ["params", "_meta", "progressToken"]);
    this.#progress = token === undefined ? undefined : new Progress(state.outgoing, token);
    call.onCancel(() => {
      this.#isCancelled = true;
      this.#conversation?.cancel(this);
    });
  }

  /** From here on it belongs to the conversation; `start` hands its input over. */
  begin(conversation: LiveConversation, start: () => void): void {
    this.#conversation = conversation;
    this.#events = new EventForwarder(this.#state, { requestId: this.#call.id, conversationId: conversation.id });
    try {
      start();
    } catch (error) {
      this.fail(`Failed to submit user input: ${messageOf(error)}`); // it has ended since it was found
      return;
    }
    if (this.#isCancelled) conversation.cancel(this); // asked for before there was anything to cancel
  }

  /** The first event of a new conversation, which no turn has. */
  tellFirst({ firstEvent }: LiveConversation): void {
    this.event(new KeptEvent(firstEvent));
  }

  event(event: KeptEvent): void {
    this.#events?.tell(event);
    this.#progress?.tell(event.msg);
  }

  ended(outcome: TurnOutcome): void {
    if (this.#conversation !== undefined) this.reply(turnResult(this.#conversation.id, outcome));
  }

  fail(message: string): void {
    this.reply(failedCall(message));
  }

  reply(result: object): void {
    this.#progress?.stop();
    this.#call.onCancel(undefined);
    this.#call.reply(result);
  }
}
