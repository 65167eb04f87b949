import type { ApplyPatchApprovalRequest, ExecApprovalRequest } from "../protocol/event.ts";
import type { ReviewDecision } from "../protocol/policy.ts";
import type { OpenRequest } from "./outgoing.ts";

/** What the core asks, and the event that told it. */
export interface ApprovalEvent {
  readonly id: string;
  readonly msg: ExecApprovalRequest | ApplyPatchApprovalRequest;
}

export interface Decision {
  readonly decision: ReviewDecision;
  /** Told to the model where no person decided. */
  readonly reason?: string;
}

/** A way to put a question to the client. */
export interface Asker {
  /** False: whoever is at the other end has said, by saying nothing of it, that they cannot be asked. */
  readonly canAsk: boolean;
  ask(event: ApprovalEvent, onDecision: (decision: Decision) => void): OpenRequest;
}

export interface Question {
  readonly event: ApprovalEvent;
  request: OpenRequest | undefined;
  /** Who was asked. */
  asker: Asker | undefined;
  timer: NodeJS.Timeout | undefined;
}

interface DeskOptions {
  readonly answer: (question: Question, decision: Decision) => void;
  readonly timeoutMs: number | undefined;
}

/** The open questions of one conversation: each is put to the client once, and answered once. */
export class ApprovalDesk {
  readonly #options: DeskOptions;
  readonly #questions = new Set<Question>();
  #isUnattended = false;

  constructor(options: DeskOptions) {
    this.#options = options;
  }

  /** Without an asker it waits for one to come. */
  open({ event, findAsker }: { readonly event: ApprovalEvent; readonly findAsker: () => Asker | undefined }): void {
    const question: Question = { event, request: undefined, asker: undefined, timer: undefined };
    this.#questions.add(question);
    if (this.#isUnattended) {
      this.#settle(question, { decision: "abort" });
      return;
    }
    const { timeoutMs } = this.#options;
    if (timeoutMs !== undefined) {
      question.timer = setTimeout(() => {
        question.request?.withdraw("no answer within the time limit");
        this.#settle(question, { decision: "denied", reason: `nobody answered within ${timeoutMs / 1000} seconds` });
      }, timeoutMs);
    }
    this.#ask(question, findAsker());
  }

  /** Somebody has come who may be asked what could not be asked before. */
  askUnasked(findAsker: () => Asker | undefined): void {
    for (const question of [...this.#questions]) {
      if (question.request === undefined) this.#ask(question, findAsker());
    }
  }

  /** Whoever was asked is gone, and somebody else may be there. */
  askOthers(gone: Asker | undefined, findAsker: () => Asker | undefined): void {
    if (gone === undefined) return;
    for (const question of [...this.#questions]) {
      if (question.asker !== gone) continue;
      question.request?.withdraw("who was asked has gone");
      question.request = undefined;
      question.asker = undefined;
      this.#ask(question, findAsker());
    }
  }

  withdrawAll(reason: string): void {
    for (const question of this.#questions) {
      clearTimeout(question.timer);
      question.request?.withdraw(reason);
    }
    this.#questions.clear();
  }

  leaveUnattended(): void {
    this.#isUnattended = true;
    for (const question of [...this.#questions]) this.#settle(question, { decision: "abort" });
  }

  #ask(question: Question, asker: Asker | undefined): void {
    if (asker === undefined) return;
    if (!asker.canAsk) {
      const reason = "nobody could be asked, because the client does not support elicitation";
      this.#settle(question, { decision: "denied", reason });
      return;
    }
    question.asker = asker;
    question.request = asker.ask(question.event, (decision) => this.#settle(question, decision));
  }

  #settle(question: Question, decision: Decision): void {
    if (!this.#questions.delete(question)) return;
    clearTimeout(question.timer);
    this.#options.answer(question, decision);
  }
}
