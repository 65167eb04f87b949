import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import type { FakeModel } from "../support/fake-model.ts";
import { codexBinary, configToml, type RunOptions } from "../support/run-codex.ts";
import { type RolloutLine, type Workspace, workspace } from "../support/workspace.ts";

export interface Ended {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** One home and one working directory for several runs of the real binary. */
export interface SessionPlace extends Disposable {
  readonly place: Workspace;
  /** Runs to its end; stdin is empty unless given. */
  run(args: readonly string[], options?: { readonly stdin?: string; readonly cwd?: string }): Promise<Ended>;
  start(args: readonly string[], options?: { readonly cwd?: string }): ChildProcessWithoutNullStreams;
  /** Files of all sessions, sorted. */
  rollouts(): readonly string[];
  /** The file of a session whose id, or other part of its name, is known; else of the only one. */
  rollout(part?: string): string;
}

export function sessionPlace(options: RunOptions): SessionPlace {
  const place = workspace({ ...options, homeFiles: { "config.toml": configToml(options), ...options.homeFiles } });
  const start = (args: readonly string[], { cwd = place.work }: { readonly cwd?: string } = {}) =>
    spawn(process.execPath, [codexBinary, ...args], { cwd, env: { ...place.env, ...options.env } });
  const rollouts = () =>
    readdirSync(place.home, { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".jsonl"))
      .map((file) => path.join(place.home, file))
      .sort();
  return {
    place,
    start,
    rollouts,
    run: async (args, { stdin = "", ...rest } = {}) => {
      const child = start(args, rest);
      child.stdin.on("error", () => {}).end(stdin);
      return ended(child);
    },
    rollout: (part = "") => {
      const [file, ...others] = rollouts().filter((candidate) => candidate.includes(part));
      if (file === undefined || others.length > 0) throw new Error(`There is not one session of "${part}".`);
      return file;
    },
    [Symbol.dispose]: () => place[Symbol.dispose](),
  };
}

export async function ended(child: ChildProcessWithoutNullStreams): Promise<Ended> {
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const [code, signal] = await once(child, "close");
  return { exitCode: code ?? (signal === "SIGKILL" ? 137 : -1), stdout, stderr };
}

export function linesOf(file: string): readonly RolloutLine[] {
  const lines = readFileSync(file, "utf8").split("\n");
  if (lines.pop() !== "") throw new Error(`The last line of "${file}" has no end.`);
  return lines.map((line) => JSON.parse(line) as RolloutLine);
}

export function jsonLines(text: string): readonly Record<string, unknown>[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

export function sessionIdOf(file: string): string {
  return /([\da-f-]{36})\.jsonl$/.exec(file)?.[1] ?? "";
}

/** The items of a request, shortened to what tells them apart. */
export function shape(input: unknown): readonly string[] {
  return (input as readonly Record<string, unknown>[]).map((item) => {
    const { type, role, call_id, output, content } = item;
    if (type === "message") {
      const text = (content as readonly { readonly text?: string }[]).map((part) => part.text ?? "").join("");
      return `${role}: ${text.startsWith("<environment_context>") ? "<environment>" : text}`;
    }
    if (output === undefined) return `${type} ${call_id ?? ""}`.trim();
    return `${type} ${call_id}: ${output === "aborted" ? output : "…"}`;
  });
}

export function inputOfRequest(model: FakeModel, number: number): unknown {
  return (model.requests[number - 1]?.body as { readonly input?: unknown } | undefined)?.input;
}
