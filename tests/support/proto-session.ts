import type { Event, EventMsg } from "../../src/protocol/event.ts";
import type { Op } from "../../src/protocol/submission.ts";
import { schemaProblem } from "./proto-schema.ts";
import { type CodexRun, type RunningCodex, type RunOptions, startCodex } from "./run-codex.ts";

type EventOf<Type extends EventMsg["type"]> = Event & { readonly msg: Extract<EventMsg, { readonly type: Type }> };

/** A `codex proto` process; every line of its stdout is held against the package's schema. */
export interface ProtoSession extends AsyncDisposable {
  readonly codex: RunningCodex;
  readonly events: readonly Event[];
  send(op: Op, id?: string): void;
  input(text: string, id?: string): void;
  /** Exactly these bytes. */
  write(bytes: string | Uint8Array): void;
  /** The next event of this type that no earlier wait has returned. */
  next<Type extends EventMsg["type"]>(type: Type): Promise<EventOf<Type>>;
  /** Ends stdin. */
  end(): void;
  /** Resolves when the process has ended; throws when a line was not as the schema has it. */
  ended(): Promise<CodexRun>;
}

export interface ProtoOptions extends RunOptions {
  /** Behind `proto`. */
  readonly args?: readonly string[];
}

/** Settings under which nothing is asked and nothing is sandboxed. */
export const fullAccess = ["-s", "danger-full-access", "-a", "never"];

export function startProto({ args = [], ...options }: ProtoOptions = {}): ProtoSession {
  const codex = startCodex(["proto", ...args], { keepStdinOpen: true, ...options });
  const events: Event[] = [];
  const problems: string[] = [];
  const taken = new Set<Event>();
  const watchers = new Set<() => void>();
  let rest = "";
  let hasEnded = false;
  let nextId = 0;
  const wake = () => {
    for (const watch of [...watchers]) watch();
  };
  codex.child.stdout.on("data", (text: string) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      const event: unknown = JSON.parse(line);
      const problem = schemaProblem("Event", event);
      if (problem !== undefined) problems.push(problem);
      events.push(event as Event); // or there is a problem
    }
    wake();
  });
  codex.child.on("close", () => {
    hasEnded = true;
    wake();
  });
  let finished: Promise<CodexRun> | undefined;
  const ended = async () => {
    finished ??= codex.finished();
    const run = await finished;
    if (problems.length > 0) throw new Error(`Not as the schema has it: ${problems.join("\n")}`);
    return run;
  };
  const write = (bytes: string | Uint8Array) => void codex.child.stdin.write(bytes);
  const send = (op: Op, id?: string) => {
    nextId += 1;
    write(`${JSON.stringify({ id: id ?? `s${nextId}`, op })}\n`);
  };
  return {
    codex,
    events,
    send,
    write,
    input: (text, id) => send({ type: "user_input", items: [{ type: "text", text }] }, id),
    next: (type) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const event = events.find((candidate) => candidate.msg.type === type && !taken.has(candidate));
          if (event === undefined && !hasEnded) return;
          watchers.delete(look);
          if (event === undefined) return reject(new Error(`The session ended without ${type}.`));
          taken.add(event);
          resolve(event as EventOf<typeof type>); // its type was compared
        };
        watchers.add(look);
        look();
      }),
    end: () => void codex.child.stdin.end(),
    ended,
    [Symbol.asyncDispose]: async () => {
      codex.child.kill("SIGKILL");
      await ended();
    },
  };
}

/** The types of the events, in order. */
export function typesOf(events: readonly Event[]): readonly string[] {
  return events.map(({ msg }) => msg.type);
}
