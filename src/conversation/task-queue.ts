import type { Session } from "./session.ts";
import { Task, TaskStopped } from "./task.ts";
import type { TurnSettings } from "./turn-settings.ts";
import type { UserInput } from "./user-message.ts";

/** One task after another. What cannot join the running one waits, and what waits is not overtaken. */
export class TaskQueue {
  readonly #session: Session;
  readonly #waiting: Task[] = [];
  #running: Promise<void> = Promise.resolve();

  constructor(session: Session) {
    this.#session = session;
  }

  /** Input starts a task or joins the running one, whose settings then hold. */
  addInput(id: string, settings: TurnSettings, input: UserInput): void {
    const { task } = this.#session;
    if (task?.takesInput && this.#waiting.length === 0) task.addInput(input);
    else this.#add(new Task(id, settings, input));
  }

  addCompaction(id: string, settings: TurnSettings): void {
    this.#add(new Task(id, settings));
  }

  /** Stops the running task; what waits is its successor. */
  interrupt(): void {
    this.#session.task?.stop(new TaskStopped());
  }

  /** Ends when everything has run to its end. */
  async finish(): Promise<void> {
    do await this.#running;
    while (this.#session.task !== undefined);
  }

  /** Ends when nothing runs any more; what waited is never started. */
  async stop(): Promise<void> {
    this.#waiting.length = 0;
    this.interrupt();
    await this.#running;
  }

  #add(task: Task): void {
    if (this.#session.task === undefined && this.#waiting.length === 0) this.#start(task);
    else this.#waiting.push(task);
  }

  #start(task: Task): void {
    this.#session.startTask(task);
    this.#running = task.run(this.#session).then(() => {
      if (this.#session.task !== undefined) return; // input that came behind the last event did not wait
      const next = this.#waiting.shift();
      if (next !== undefined) this.#start(next);
    });
  }
}
