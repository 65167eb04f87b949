import { statSync } from "node:fs";
import path from "node:path";
import type { Config } from "../config/config.ts";
import { environmentContextText } from "../config/environment-context.ts";
import { UserError } from "../lib/errors.ts";
import { log } from "../lib/log.ts";
import { isInside } from "../lib/path-inside.ts";
import { canonicalPath } from "../process/canonical-path.ts";
import type { Libc } from "../process/libc.ts";
import type { Sandbox } from "../process/sandbox.ts";
import { type ConversationId, newConversationId } from "../protocol/conversation-id.ts";
import { type ApprovalPolicy, hasNetworkAccess, type SandboxPolicy, sandboxModes } from "../protocol/policy.ts";
import { userMessage } from "../protocol/response-item.ts";
import { readRollout, readRolloutInSteps, type StoredConversation } from "../rollout/reader.ts";
import { RolloutRecorder } from "../rollout/recorder.ts";
import { linesForCopy, readRolloutFile } from "../rollout/rollout-file.ts";
import { archiveFolder, sessionsFolder } from "../rollout/sessions.ts";
import { createRollout } from "./new-rollout.ts";
import type { Session } from "./session.ts";
import { firstToldFacts, type ToldFacts, toldFacts } from "./told-facts.ts";

export interface ResumeRequest {
  readonly file: string;
  /** Goes on as a new session with a file of its own. */
  readonly asFork?: boolean;
}

/** A file holds no session to go on with; in the reference's words, which name no file. */
export class NoStoredSession extends UserError {}

interface RecorderOptions {
  readonly version: string;
  readonly sandbox: Sandbox["backend"];
  readonly libc: Libc | undefined;
  readonly onProblem: (message: string) => void;
}

/** A session of an earlier process, about to go on in this one. */
export class ResumedSession {
  readonly sessionId: ConversationId;
  /** What was given, with what the session keeps of its own. */
  readonly config: Config;
  readonly warnings: readonly string[];
  readonly #request: ResumeRequest;
  readonly #told: ToldFacts;
  #stored: StoredConversation;
  /** The session's own, where nobody can be asked just now. */
  readonly #lastingApproval: ApprovalPolicy | undefined;

  /** Rejects with NoStoredSession. Links are followed here and never again. */
  static async read(given: Config, request: ResumeRequest): Promise<ResumedSession> {
    const file = canonicalPath(request.file);
    const stored = await readRolloutInSteps(file).catch((cause: unknown) => {
      throw cause instanceof UserError ? new NoStoredSession(cause.message, { cause }) : cause;
    });
    return new ResumedSession(given, { ...request, file }, stored);
  }

  private constructor(given: Config, request: ResumeRequest, stored: StoredConversation) {
    this.#request = request;
    this.#stored = stored;
    this.#told = toldFacts(this.#stored.items);
    this.sessionId = request.asFork === true ? newConversationId() : this.#stored.conversationId;
    const { skipped } = this.#stored;
    const lines = skipped === 1 ? "1 damaged line" : `${skipped} damaged lines`;
    const settings = this.#settings(given);
    this.config = { ...given, ...settings.config };
    this.#lastingApproval = settings.lastingApproval;
    this.warnings = [...(skipped === 0 ? [] : [`${lines} of "${request.file}" passed over.`]), ...settings.warnings];
  }

  get stored(): StoredConversation {
    return this.#stored;
  }

  /** Opens the file to go on with, or the copy. Undefined when nothing is to be written; throws SessionInUse. */
  openRecorder(options: RecorderOptions): RolloutRecorder | undefined {
    if (this.config.ephemeral) return undefined;
    const { file, asFork } = this.#request;
    const { origin } = this.#stored;
    if (asFork === true) {
      const { sessionId, config } = this;
      const { bytes } = readRolloutFile(file, origin);
      const recorder = createRollout(config, { ...options, sessionId, forkedFromId: this.#stored.conversationId });
      recorder.copyLines(linesForCopy(bytes, new Date()));
      return recorder;
    }
    const now = () => new Date();
    const recorder = RolloutRecorder.resume(file, { now, onProblem: options.onProblem, libc: options.libc, origin });
    try {
      // Before the lock was ours, somebody else may have gone on.
      if ((recorder.size ?? 0) > this.#stored.size + 1) this.#stored = readRollout(file, origin);
    } catch (error) {
      recorder.close(); // or the lock would stay as long as this process
      throw error;
    }
    return recorder;
  }

  /** Gives the session its past, and tells the model what is not as it was told before. */
  restore(session: Session): void {
    session.restore(this.#stored);
    session.lastingApproval = this.#lastingApproval;
    const { cwd, approvalPolicy, sandboxPolicy } = this.config;
    const told = this.#told;
    const isNewSandbox =
      sandboxPolicy.mode !== told.sandboxMode || hasNetworkAccess(sandboxPolicy) !== (told.hasNetwork ?? false);
    const news = {
      ...(cwd === told.cwd ? {} : { cwd }),
      ...(approvalPolicy === told.approvalPolicy ? {} : { approvalPolicy }),
      ...(isNewSandbox ? { sandboxPolicy } : {}),
    };
    if (Object.keys(news).length > 0) session.record(userMessage(environmentContextText(news)));
    log("info", "session", `${this.sessionId} goes on with ${this.#stored.items.length} items`);
  }

  #settings(given: Config) {
    const { chosen } = given;
    const own = this.#ownSettings(given);
    const isOurs = liesAmongOurs(this.#request.file, given.codexHome);
    const folder = own.cwd === undefined || chosen.cwd || !isOurs ? given.cwd : existingFolder(own.cwd);
    const approval = isOurs ? own.approvalPolicy : stricterApproval(own.approvalPolicy, given.approvalPolicy);
    const sandbox = isOurs ? own.sandboxPolicy : stricterSandbox(own.sandboxPolicy, given.sandboxPolicy);
    const lasting = (chosen.approvalPolicy ? undefined : approval) ?? given.approvalPolicy;
    // Where nobody can be asked, asking and never leaving the sandbox come to the same; `untrusted` forbids more.
    const approvalPolicy = given.isUnattended && lasting !== "untrusted" ? "never" : lasting;
    return {
      config: {
        cwd: folder ?? given.cwd,
        sandboxPolicy: (chosen.sandboxPolicy ? undefined : sandbox) ?? given.sandboxPolicy,
        approvalPolicy,
      },
      lastingApproval: lasting === approvalPolicy ? undefined : lasting,
      warnings:
        folder === undefined ? [`The session's folder "${own.cwd}" is gone: it goes on in "${given.cwd}".`] : [],
    };
  }

  /** As the last turn's line tells them; older versions told only the model, and not everything. */
  #ownSettings(given: Config): {
    readonly cwd: string | undefined;
    readonly approvalPolicy: ApprovalPolicy | undefined;
    readonly sandboxPolicy: SandboxPolicy | undefined;
  } {
    const { lastTurn, meta } = this.#stored;
    const told = firstToldFacts(this.#stored.items);
    return {
      cwd: lastTurn?.cwd ?? told.cwd ?? meta.cwd,
      approvalPolicy: lastTurn?.approval_policy ?? told.approvalPolicy,
      sandboxPolicy: lastTurn?.sandbox_policy ?? toldSandbox(told, given.sandboxPolicy),
    };
  }
}

function toldSandbox({ sandboxMode, hasNetwork }: ToldFacts, given: SandboxPolicy): SandboxPolicy | undefined {
  if (sandboxMode !== "workspace-write") return sandboxMode && { mode: sandboxMode };
  const rest =
    given.mode === "workspace-write"
      ? given
      : { writable_roots: [], exclude_tmpdir_env_var: false, exclude_slash_tmp: false };
  return { ...rest, mode: sandboxMode, network_access: hasNetwork === true };
}

/** A file from elsewhere may hold anything: it can forbid, and allow nothing. */
function stricterSandbox(stored: SandboxPolicy | undefined, given: SandboxPolicy): SandboxPolicy {
  if (stored === undefined) return given;
  return sandboxModes.indexOf(stored.mode) < sandboxModes.indexOf(given.mode) ? stored : given;
}

function stricterApproval(stored: ApprovalPolicy | undefined, given: ApprovalPolicy): ApprovalPolicy {
  return stored === "untrusted" ? stored : given;
}

/**
 * Whether this program keeps its sessions there; `file` is canonical. Whoever may write to that folder may write to
 * config.toml too, so that a session has no need of more distrust than the configuration.
 */
function liesAmongOurs(file: string, codexHome: string): boolean {
  return [sessionsFolder(codexHome), archiveFolder(codexHome)].some((folder) => isInside(file, canonicalPath(folder)));
}

function existingFolder(folder: string): string | undefined {
  if (!path.isAbsolute(folder)) return undefined;
  return statSync(folder, { throwIfNoEntry: false })?.isDirectory() ? canonicalPath(folder) : undefined;
}
