import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { checkExecLines } from "./exec-schema.ts";
import { type RolloutLine, type Workspace, type WorkspaceOptions, workspace } from "./workspace.ts";

export const codexBinary = path.resolve(import.meta.dirname, "../../bin/codex.js");

export interface RunOptions extends WorkspaceOptions {
  /** Becomes the provider `mock`; its retries are off unless `provider` says otherwise. */
  readonly model?: { readonly url: string };
  readonly wire?: "responses" | "chat";
  /** More fields of the provider, as TOML values. */
  readonly provider?: Readonly<Record<string, unknown>>;
  /** Top-level lines of config.toml. */
  readonly config?: readonly string[];
  /** Tables of config.toml. */
  readonly configTables?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Written to stdin; default: nothing. */
  readonly stdin?: string | Uint8Array;
  /** Leaves stdin open and silent. */
  readonly keepStdinOpen?: boolean;
  /** Below the working directory. */
  readonly cwd?: string;
  /** Another copy of the program; a relative path starts at the working directory. */
  readonly binary?: string;
  /** Prepares the workspace before the start. */
  readonly setup?: (place: Workspace) => void;
}

export interface CodexRun {
  /** 128 + n when a signal ended it. */
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Each line of stdout, parsed. */
  readonly lines: readonly JsonLine[];
  /** The messages among the lines. */
  readonly messages: readonly EventLine[];
  readonly files: Readonly<Record<string, string>>;
  /** Text of every file below CODEX_HOME. */
  readonly homeFiles: Readonly<Record<string, string>>;
  readonly rollout: readonly RolloutLine[];
  readonly work: string;
  readonly home: string;
}

export type JsonLine = Readonly<Record<string, unknown>>;
export type EventLine = { readonly type: string } & Readonly<Record<string, unknown>>;

/** A `codex` process under way, in a workspace of its own. */
export interface RunningCodex {
  readonly child: ChildProcessWithoutNullStreams;
  readonly place: Workspace;
  /** Resolves as soon as stdout or stderr holds `text`. */
  sees(text: string): Promise<void>;
  finished(): Promise<CodexRun>;
}

/** Runs the real binary to its end. */
export async function runCodex(args: readonly string[], options: RunOptions = {}): Promise<CodexRun> {
  return startCodex(args, options).finished();
}

export function startCodex(args: readonly string[], options: RunOptions = {}): RunningCodex {
  const place = workspace({ ...options, homeFiles: { "config.toml": configToml(options), ...options.homeFiles } });
  options.setup?.(place);
  const binary = options.binary === undefined ? codexBinary : path.resolve(place.work, options.binary);
  const child = spawn(process.execPath, [binary, ...args], {
    cwd: path.join(place.work, options.cwd ?? "."),
    env: { ...place.env, ...options.env },
  });
  let stdout = "";
  let stderr = "";
  const watchers = new Set<() => void>();
  const changed = () => {
    for (const watch of [...watchers]) watch();
  };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
    changed();
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
    changed();
  });
  child.stdin.on("error", () => {}); // a run may end before it reads
  if (options.stdin !== undefined) child.stdin.write(options.stdin);
  if (options.keepStdinOpen !== true) child.stdin.end();
  const closed = once(child, "close");

  return {
    child,
    place,
    sees: (text) =>
      new Promise((resolve, reject) => {
        const look = () => {
          if (!stdout.includes(text) && !stderr.includes(text)) return;
          watchers.delete(look);
          resolve();
        };
        watchers.add(look);
        look();
        void closed.then(() => reject(new Error(`codex ended without "${text}": ${stdout}${stderr}`)));
      }),
    finished: async () => {
      try {
        const [code, signal] = await closed;
        const exitCode = code ?? 128 + signalNumber(signal);
        const isJson = ["--json", "--experimental-json"].some((flag) => args.includes(flag)) || args[0] === "proto";
        const lines = isJson ? parseLines(stdout, exitCode) : [];
        if (args.includes("exec")) checkExecLines(lines, args.includes("--json") ? "json" : "thread");
        return {
          exitCode,
          stdout,
          stderr,
          lines,
          messages: lines.flatMap((line) => ("msg" in line ? [line["msg"] as EventLine] : [])),
          files: place.files(),
          homeFiles: place.homeFiles(),
          rollout: rolloutOf(place),
          work: place.work,
          home: place.home,
        };
      } finally {
        place[Symbol.dispose]();
      }
    },
  };
}

function rolloutOf(place: Workspace): readonly RolloutLine[] {
  try {
    return place.rollout();
  } catch {
    return []; // a run that never started has none
  }
}

/** What a signal ended may have been cut in the middle of its last line; nothing else may. */
function parseLines(text: string, exitCode: number): readonly JsonLine[] {
  const lines = text.split("\n");
  if (exitCode > 128) lines.pop();
  return lines.filter((line) => line !== "").map((line) => JSON.parse(line) as JsonLine);
}

function signalNumber(signal: string): number {
  return { SIGHUP: 1, SIGINT: 2, SIGKILL: 9, SIGPIPE: 13, SIGTERM: 15 }[signal] ?? 0;
}

export function configToml(options: RunOptions): string {
  if (options.model === undefined)
    return [...(options.config ?? []), "", ...(options.configTables ?? []), ""].join("\n");
  const provider = {
    name: "mock",
    base_url: options.model.url,
    wire_api: options.wire ?? "responses",
    request_max_retries: 0,
    stream_max_retries: 0,
    ...options.provider,
  };
  return [
    'model = "mock-model"',
    'model_provider = "mock"',
    ...(options.config ?? []),
    "",
    "[model_providers.mock]",
    ...Object.entries(provider).map(([key, value]) => `${key} = ${tomlValue(value)}`),
    "",
    ...(options.configTables ?? []),
    "",
  ].join("\n");
}

function tomlValue(value: unknown): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  return `{ ${Object.entries(value)
    .map(([key, inner]) => `${JSON.stringify(key)} = ${JSON.stringify(inner)}`)
    .join(", ")} }`;
}
