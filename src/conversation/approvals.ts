import type { ApprovalAnswer } from "../tools/tool.ts";

interface Question {
  readonly callId: string;
  readonly submissionId: string;
  readonly answer: (answer: ApprovalAnswer) => void;
}

/** The questions that wait for a person. An answer names the task's submission or the call. */
export class Approvals {
  readonly #open: Question[] = [];
  #isUnattended = false;

  /** Ends with the answer, or with "abort" as soon as `signal` fires. */
  ask(callId: string, submissionId: string, signal: AbortSignal): Promise<ApprovalAnswer> {
    return new Promise((resolve) => {
      const answer = (given: ApprovalAnswer) => {
        signal.removeEventListener("abort", abort);
        const at = this.#open.indexOf(question);
        if (at !== -1) this.#open.splice(at, 1);
        resolve(given);
      };
      const abort = () => answer({ decision: "abort" });
      const question: Question = { callId, submissionId, answer };
      if (signal.aborted) return resolve({ decision: "abort" });
      if (this.#isUnattended) return resolve({ decision: "denied" });
      this.#open.push(question);
      signal.addEventListener("abort", abort, { once: true });
    });
  }

  /** Nobody is there any more: open questions and those to come are answered with "denied". */
  leaveUnattended(): void {
    this.#isUnattended = true;
    for (const question of [...this.#open]) question.answer({ decision: "denied" });
  }

  /** False when nobody waits for `id`. */
  answer(id: string, answer: ApprovalAnswer): boolean {
    const question =
      this.#open.find((open) => open.callId === id) ?? this.#open.find((open) => open.submissionId === id);
    question?.answer(answer);
    return question !== undefined;
  }
}
