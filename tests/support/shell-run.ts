import { expect } from "vitest";
import { parseJson } from "../../src/lib/parse-json.ts";
import type { SandboxMode } from "../../src/protocol/policy.ts";
import { callShell, fakeModel, say } from "./fake-model.ts";
import { inputOf } from "./requests.ts";
import { type CodexRun, type EventLine, type RunOptions, runCodex } from "./run-codex.ts";

/** What became of a command that the model asked for. */
export interface ShellRun {
  readonly run: CodexRun;
  readonly begin: EventLine | undefined;
  readonly pieces: readonly OutputPiece[];
  readonly end: EventLine | undefined;
  /** What the model was told, parsed where it is JSON. */
  readonly answer: unknown;
}

export interface OutputPiece {
  readonly stream: unknown;
  readonly bytes: Buffer;
}

export interface ShellRunOptions extends Omit<RunOptions, "model"> {
  readonly mode: SandboxMode;
  /** Beside `command` in the call. */
  readonly args?: object;
}

/** One run of the binary in which the model asks for this command, and then says "done". */
export async function runShell(command: readonly string[], options: ShellRunOptions): Promise<ShellRun> {
  const { mode, args = {}, ...others } = options;
  await using model = await fakeModel([callShell(command, { args }), say("done")]);
  const run = await runCodex(["exec", "--json", "-s", mode, "go"], { ...others, model });
  return { run, ...commandEvents(run), answer: parsedAnswer(inputOf(model, 2).at(-1)?.output) };
}

/** The events of the call that the model made with its n-th answer, from 1. */
export function commandEvents(run: Pick<CodexRun, "messages">, call = 1): Pick<ShellRun, "begin" | "pieces" | "end"> {
  const messages = run.messages.filter((message) => message["call_id"] === `call_${call}`);
  return {
    begin: messages.find(({ type }) => type === "exec_command_begin"),
    pieces: messages
      .filter(({ type }) => type === "exec_command_output_delta")
      .map(({ stream, chunk }) => ({ stream, bytes: Buffer.from(String(chunk), "base64") })),
    end: messages.find(({ type }) => type === "exec_command_end"),
  };
}

export function bytesOf(pieces: readonly OutputPiece[], stream: "stdout" | "stderr"): Buffer {
  return Buffer.concat(pieces.filter((piece) => piece.stream === stream).map((piece) => piece.bytes));
}

export function parsedAnswer(output: string | undefined): unknown {
  const parsed = parseJson(output ?? "");
  return parsed.ok ? parsed.value : output;
}

/** The JSON that answers a command. */
export function answerWith(output: string, exit_code: number): object {
  return { output, metadata: { exit_code, duration_seconds: expect.any(Number) } };
}

/** The end event of the first call, whose output came on one stream. */
export function endWith({ stdout = "", stderr = "", exit_code = 0 }): object {
  return {
    type: "exec_command_end",
    call_id: "call_1",
    stdout,
    stderr,
    aggregated_output: stdout + stderr,
    exit_code,
    duration: { secs: expect.any(Number), nanos: expect.any(Number) },
    formatted_output: stdout + stderr,
  };
}
