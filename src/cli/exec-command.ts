import { constants, fstatSync, ftruncateSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setImmediate } from "node:timers/promises";
import type { Config, ConfigFlags } from "../config/config.ts";
import { exposedFolders } from "../config/exposed-folders.ts";
import { findGitRoot } from "../config/git-root.ts";
import { loadConfig } from "../config/load-config.ts";
import type { Conversation } from "../conversation/conversation.ts";
import type { ResumeRequest } from "../conversation/resume.ts";
import { timeLimitText } from "../conversation/task.ts";
import { explainSystemError, UserError } from "../lib/errors.ts";
import { readImageFile } from "../lib/image-file.ts";
import { startLog } from "../lib/log.ts";
import { openNamedFile } from "../lib/open-named-file.ts";
import type { Event } from "../protocol/event.ts";
import type { SandboxMode } from "../protocol/policy.ts";
import type { InputItem } from "../protocol/submission.ts";
import { showLine } from "../render/printable.ts";
import type { Output, Renderer, RunOutcome } from "../render/renderer.ts";
import { sandboxText } from "../render/sandbox-text.ts";
import { hasColour } from "../render/style.ts";
import { version } from "../version.ts";
import { currentFolder } from "./current-folder.ts";
import { openSession } from "./open-session.ts";
import { ProcessOutput } from "./process-output.ts";
import { readPrompt } from "./read-prompt.ts";
import type { ResumeFlags } from "./resume-target.ts";
import { closeMs, type Signal, signalStatus, timeLimit } from "./run-end.ts";

/** The command line of `exec`, checked by commander. */
export interface ExecOptions {
  readonly overrides: readonly string[];
  readonly images: readonly string[];
  readonly model?: string;
  readonly oss: boolean;
  readonly sandbox?: SandboxMode;
  readonly profile?: string;
  readonly fullAuto: boolean;
  readonly bypass: boolean;
  readonly cwd?: string;
  readonly skipGitRepoCheck: boolean;
  readonly ephemeral: boolean;
  readonly color: "always" | "never" | "auto";
  readonly format: "human" | "json" | "thread";
  readonly lastMessageFile?: string;
  readonly maxTurns?: number;
  readonly timeoutMs?: number;
  readonly recordFile?: string;
  readonly replayFile?: string;
  /** The session to go on with. */
  readonly resume?: ResumeFlags;
}

/** Exit statuses, the same for every command. */
const exitStatus = { completed: 0, failed: 1, limit: 3, stdoutClosed: 141 } as const;

/** One task from the prompt to the exit status. Everything that can be checked is checked before stdin is read. */
export async function execCommand(promptArgument: string | undefined, options: ExecOptions): Promise<number> {
  const loaded = loadConfig({ flags: configFlags(options), env: process.env, processCwd: currentFolder() });
  const output = new ProcessOutput((isTerminal) => hasColour(options.color, { env: loaded.env, isTerminal }));
  startLog(loaded.env, "error", (text) => output.stderr(text));
  const resume = options.resume === undefined ? undefined : await findResumeTarget(options.resume, loaded);
  // A session goes on in the folder where it was allowed to start, unless another one is named.
  const isNewFolder = resume === undefined || loaded.chosen.cwd;
  if (isNewFolder && !options.skipGitRepoCheck && findGitRoot(loaded.cwd) === undefined) {
    throw new UserError(
      "Not inside a trusted directory and --skip-git-repo-check was not specified. Run it in a git repository, or with that flag.",
    );
  }
  checkImages(options.images);
  const { lastMessageFile } = options;
  const answerFile = lastMessageFile === undefined ? undefined : openAnswerFile(lastMessageFile, loaded);

  const { timeoutMs } = options;
  const reading = readPrompt(promptArgument, (text) => output.stderr(`${text}\n`));
  const prompt = await inTime(reading, { timeoutMs, waitingFor: "the end of stdin" });
  const needsServer = options.oss && options.replayFile === undefined;
  const preparing = needsServer ? prepareOss(loaded, output) : Promise.resolve(loaded);
  const prepared = await inTime(preparing, { timeoutMs, waitingFor: "the model" });

  const { conversation, sessionId, config, warnings } = await openSession(prepared, {
    version,
    resume,
    limits: {
      ...(options.maxTurns === undefined ? {} : { maxTurns: options.maxTurns }),
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
    },
    ...(options.recordFile === undefined ? {} : { recordFile: options.recordFile }),
    ...(options.replayFile === undefined ? {} : { replayFile: options.replayFile }),
  });
  for (const warning of warnings) output.stderr(`Warning: ${showLine(warning)}\n`);

  const run = new Run(conversation, output);
  const taskId = run.start([...options.images.map(localImage), { type: "text", text: prompt }]);
  await setImmediate(); // the request leaves before the renderer is loaded
  const renderer = await createRenderer(options, { config, output });
  renderer.start({ config, prompt, sessionId, version, sandboxText: sandboxText(config.sandboxPolicy) });
  const outcome = await run.follow(taskId, renderer);
  renderer.finish(outcome);
  let status = outcome.exitCode;
  if (answerFile !== undefined && !run.isStdoutClosed) status = writeAnswer(answerFile, outcome, output);
  await Promise.race([output.flush(), run.killed]);
  if (output.problem !== undefined) {
    output.stderr(`Error: Cannot write to stdout: ${output.problem}\n`);
    return exitStatus.failed;
  }
  return run.isStdoutClosed && outcome.reason !== "interrupted" ? exitStatus.stdoutClosed : status;
}

interface Wait {
  readonly timeoutMs: number | undefined;
  readonly waitingFor: string;
}

/** The time limit is one of the whole run: what comes before the task has no more time than the task itself. */
async function inTime<T>(work: Promise<T>, { timeoutMs, waitingFor }: Wait): Promise<T> {
  if (timeoutMs === undefined) return work;
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    const message = `${timeLimitText(timeoutMs)}, waiting for ${waitingFor}`;
    const stop = () => reject(new UserError(message, { exitCode: exitStatus.limit }));
    timer = setTimeout(stop, Math.max(0, timeoutMs - performance.now()));
  });
  try {
    return await Promise.race([work, limit]);
  } finally {
    clearTimeout(timer);
  }
}

/** A task under way: its events go to the renderer, signals and a closed stdout go to the conversation. */
class Run {
  readonly killed: Promise<void>;
  readonly #conversation: Conversation;
  readonly #output: ProcessOutput;
  readonly #events: AsyncIterator<Event>;
  readonly #signalled: Promise<void>;
  #renderer: Renderer | undefined;
  #signal: Signal | undefined;

  constructor(conversation: Conversation, output: ProcessOutput) {
    this.#conversation = conversation;
    this.#events = conversation.events({ isPacing: true });
    this.#output = output;
    let onSignal = () => {};
    this.#signalled = new Promise((resolve) => {
      onSignal = resolve;
    });
    this.killed = new Promise((resolve) => this.#listen({ onSignal, kill: resolve }));
  }

  get isStdoutClosed(): boolean {
    return this.#output.stdoutClosed.aborted;
  }

  /** Returns the id that the task's events carry. */
  start(items: readonly InputItem[]): string {
    return this.#conversation.submit({ type: "user_input", items });
  }

  /** Shows every event until the task has ended, and says how it did. */
  async follow(taskId: string, renderer: Renderer): Promise<RunOutcome> {
    this.#renderer = renderer;
    let lastAgentMessage: string | null = null;
    let failure: Extract<Event["msg"], { type: "error" }> | undefined;
    let hasEnded = false;
    for (let next = await this.#events.next(); !next.done; next = await this.#events.next()) {
      const event = next.value;
      const { msg } = event;
      renderer.show(event);
      const pressure = this.#output.pressure();
      if (pressure !== undefined) await Promise.race([pressure, this.#signalled]); // a signal waits for no reader
      if (event.id !== taskId) continue;
      if (msg.type === "agent_message") lastAgentMessage = msg.message;
      if (msg.type === "error") failure = msg;
      if (msg.type !== "task_complete" && msg.type !== "turn_aborted") continue;
      hasEnded = true;
      break;
    }
    await Promise.race([this.#conversation.close(), timeLimit(closeMs)]);
    if (hasEnded) await this.#showRest(renderer);
    if (this.#signal !== undefined) {
      return { reason: "interrupted", exitCode: signalStatus[this.#signal], lastAgentMessage };
    }
    if (this.isStdoutClosed) return { reason: "interrupted", exitCode: exitStatus.stdoutClosed, lastAgentMessage };
    if (failure?.code !== undefined) return { reason: "limit", exitCode: exitStatus.limit, lastAgentMessage };
    if (failure !== undefined || !hasEnded) return { reason: "failed", exitCode: exitStatus.failed, lastAgentMessage };
    return { reason: "completed", exitCode: exitStatus.completed, lastAgentMessage };
  }

  /** What was told behind the task's last event, as by a notify program that could not be started. */
  async #showRest(renderer: Renderer): Promise<void> {
    for (;;) {
      const next = await Promise.race([this.#events.next(), setImmediate(undefined)]);
      if (next === undefined || next.done) return;
      if (next.value.msg.type === "background_event") renderer.show(next.value);
    }
  }

  /** The first signal interrupts the task and lets it end in order; the second one ends the program at once. */
  #listen({ onSignal, kill }: { readonly onSignal: () => void; readonly kill: () => void }): void {
    const interrupt = () => {
      try {
        this.#conversation.submit({ type: "interrupt" });
      } catch {
        // it has ended already
      }
    };
    for (const signal of Object.keys(signalStatus) as Signal[]) {
      process.on(signal, () => {
        if (this.#signal !== undefined) {
          const exitCode = signalStatus[this.#signal];
          this.#renderer?.finish({ reason: "interrupted", exitCode, lastAgentMessage: null });
          process.exit(exitCode);
        }
        this.#signal = signal;
        onSignal();
        interrupt();
        setTimeout(() => kill(), closeMs).unref();
      });
    }
    this.#output.stdoutClosed.addEventListener("abort", interrupt, { once: true });
  }
}

function configFlags(options: ExecOptions): ConfigFlags {
  const sandboxMode = options.bypass ? "danger-full-access" : options.fullAuto ? "workspace-write" : options.sandbox;
  return {
    isUnattended: true, // exec never asks anybody anything
    ...(options.bypass ? { approvalPolicy: "never" } : {}),
    overrides: options.overrides,
    ephemeral: options.ephemeral,
    ...(options.model === undefined ? {} : { model: options.model }),
    ...(options.oss
      ? {
          modelProvider: "oss",
          showRawAgentReasoning: true,
          ...(options.model === undefined ? { model: "gpt-oss:20b" } : {}),
        }
      : {}),
    ...(options.profile === undefined ? {} : { profile: options.profile }),
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(sandboxMode === undefined ? {} : { sandboxMode }),
  };
}

async function findResumeTarget(flags: ResumeFlags, config: Config): Promise<ResumeRequest> {
  const target = await import("./resume-target.ts");
  return target.findResumeTarget(flags, config);
}

async function prepareOss(config: Config, output: Output): Promise<Config> {
  const oss = await import("./oss.ts");
  return oss.prepareOss(config, (text) => output.stderr(text));
}

function localImage(file: string): InputItem {
  return { type: "local_image", path: path.resolve(file) }; // relative to this process, not to -C
}

function checkImages(files: readonly string[]): void {
  for (const file of files) {
    const image = readImageFile(file);
    if (!image.ok) throw new UserError(`Cannot read image "${file}": ${image.problem}`);
  }
}

interface AnswerFile {
  readonly name: string;
  readonly fd: number;
}

/** Opened before the run costs anything, and changed only at its end. A FIFO that nobody reads is refused, not waited for. */
function openAnswerFile(name: string, config: Config): AnswerFile {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_NONBLOCK;
  try {
    return { name, fd: openNamedFile(name, { flags, mode: 0o666, exposed: exposedFolders(config) }) };
  } catch (cause) {
    throw new UserError(`Failed to write last message file "${name}": ${explainSystemError(cause)}`, { cause });
  }
}

/** What a run that did not come to its end said on the way is no answer: then the file is emptied. */
function writeAnswer({ name, fd }: AnswerFile, outcome: RunOutcome, output: Output): number {
  const answer = outcome.reason === "completed" ? outcome.lastAgentMessage : null;
  try {
    if (!isStillThere(name, fd)) throw new Error("a command has removed or replaced it");
    if (fstatSync(fd).isFile()) ftruncateSync(fd);
    writeFileSync(fd, answer ?? "");
  } catch (error) {
    output.stderr(`Failed to write last message file "${name}": ${explainSystemError(error)}\n`);
    return outcome.exitCode === 0 ? exitStatus.failed : outcome.exitCode;
  }
  if (answer === null) output.stderr(`Warning: no last agent message; wrote empty content to ${name}\n`);
  return outcome.exitCode;
}

function isStillThere(name: string, fd: number): boolean {
  const [there, opened] = [statSync(name, { throwIfNoEntry: false }), fstatSync(fd)];
  return !opened.isFile() || (there?.dev === opened.dev && there.ino === opened.ino);
}

async function createRenderer(
  options: ExecOptions,
  { config, output }: { readonly config: Config; readonly output: Output },
): Promise<Renderer> {
  switch (options.format) {
    case "json": {
      const { JsonRenderer } = await import("../render/json-renderer.ts");
      return new JsonRenderer(output);
    }
    case "thread": {
      const { ThreadRenderer } = await import("../render/thread-renderer.ts");
      return new ThreadRenderer(output);
    }
    case "human": {
      const { HumanRenderer } = await import("../render/human-renderer.ts");
      if (!output.isStderrTerminal || config.env["TERM"] === "dumb") return new HumanRenderer(output);
      const { TerminalSpinner } = await import("../render/spinner.ts");
      return new HumanRenderer(output, {
        spinner: new TerminalSpinner(process.stderr, { hasColour: output.hasColour }),
      });
    }
    default:
      return options.format satisfies never;
  }
}
