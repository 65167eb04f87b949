import { Arrivals } from "./arrivals.ts";
import { type CodexRun, type RunningCodex, type RunOptions, startCodex } from "./run-codex.ts";

/** A process that is told, and tells, one JSON object a line. */
export interface LineSession extends AsyncDisposable {
  readonly codex: RunningCodex;
  /** Exactly these bytes. */
  write(bytes: string | Uint8Array): void;
  /** Ends stdin. */
  end(): void;
  /** Resolves when the process has ended; throws when a line was not as the schema has it. */
  ended(): Promise<CodexRun>;
}

interface Started<Message extends object> {
  readonly session: LineSession;
  readonly messages: Arrivals<Message>;
  /** Each line of stdout as it is. */
  readonly lines: readonly string[];
}

interface LineSessionOptions extends RunOptions {
  readonly args: readonly string[];
  /** What is wrong with a line of stdout. */
  readonly problemOf: (message: unknown) => string | undefined;
}

export function startLineSession<Message extends object>(options: LineSessionOptions): Started<Message> {
  const { args, problemOf, ...runOptions } = options;
  const codex = startCodex(args, { keepStdinOpen: true, ...runOptions });
  const messages = new Arrivals<Message>();
  const lines: string[] = [];
  const problems: string[] = [];
  let rest = "";
  codex.child.stdout.on("data", (text: string) => {
    const found = (rest + text).split("\n");
    rest = found.pop() ?? "";
    for (const line of found) {
      lines.push(line);
      const message: unknown = JSON.parse(line);
      const problem = problemOf(message);
      if (problem !== undefined) problems.push(problem);
      messages.add(message as Message); // or there is a problem
    }
  });
  codex.child.on("close", () => messages.end());
  let finished: Promise<CodexRun> | undefined;
  const ended = async () => {
    finished ??= codex.finished();
    const run = await finished;
    if (problems.length > 0) throw new Error(`Not as the schema has it: ${problems.join("\n")}`);
    return run;
  };
  return {
    messages,
    lines,
    session: {
      codex,
      write: (bytes) => void codex.child.stdin.write(bytes),
      end: () => void codex.child.stdin.end(),
      ended,
      [Symbol.asyncDispose]: async () => {
        codex.child.kill("SIGKILL");
        await ended();
      },
    },
  };
}
