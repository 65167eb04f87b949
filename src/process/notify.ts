import { spawn } from "node:child_process";
import type { Environment } from "../lib/environment.ts";
import { explainSystemError } from "../lib/errors.ts";
import { withoutCredentials } from "./child-env.ts";

/** What the program of `notify` gets as its last argument. */
export interface TurnNotification {
  readonly turnId: string;
  /** The user's texts of the task. */
  readonly inputMessages: readonly string[];
  readonly lastAssistantMessage: string | null;
}

interface NotifyOptions {
  readonly env: Environment;
  /** Variables that the program must not see. */
  readonly credentials: readonly string[];
  readonly onProblem: (message: string) => void;
}

/** A single argument cannot be longer on Linux; what is cut is the user's own text. */
const longestArgument = 120_000;

/**
 * Starts the user's program where the user has started us, whatever folder the session works in, and waits only until it has
 * started or could not. It cannot write into our stdout, which belongs to the run's own output.
 */
export function notifyUser(
  argv: readonly string[],
  { turnId, inputMessages, lastAssistantMessage }: TurnNotification,
  { env, credentials, onProblem }: NotifyOptions,
): Promise<void> {
  const [program, ...args] = argv;
  if (program === undefined) return Promise.resolve();
  const fail = (error: unknown) => onProblem(`Cannot run "${program}" of notify: ${explainSystemError(error)}`);
  const message = (messages: readonly string[], last: string | null) =>
    JSON.stringify({
      type: "agent-turn-complete",
      "turn-id": turnId,
      "input-messages": messages,
      "last-assistant-message": last,
    });
  let argument = message(inputMessages, lastAssistantMessage);
  if (Buffer.byteLength(argument) > longestArgument) {
    const cut = (text: string) => text.slice(0, 10_000);
    argument = message(
      inputMessages.slice(0, 3).map(cut),
      lastAssistantMessage === null ? null : cut(lastAssistantMessage),
    );
  }
  try {
    const child = spawn(program, [...args, argument], {
      env: withoutCredentials(env, credentials),
      stdio: ["ignore", 2, 2],
      detached: true,
    });
    child.unref();
    return new Promise((resolve) => {
      child.once("spawn", resolve);
      child.once("error", (error) => {
        fail(error);
        resolve();
      });
    });
  } catch (error) {
    fail(error);
    return Promise.resolve();
  }
}
