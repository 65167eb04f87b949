import path from "node:path";
import type { Config } from "../config/config.ts";
import { NoStoredSession, type ResumeRequest } from "../conversation/resume.ts";
import { UserError } from "../lib/errors.ts";
import { SessionInUse } from "../rollout/recorder.ts";
import { findSession, latestSession, sessionsFolder } from "../rollout/sessions.ts";
import { findSessionId, lengthOfId, noSession } from "./session-id.ts";

/** Which session a command line means. */
export interface ResumeFlags {
  /** A beginning is enough. Undefined: the one that was used last. */
  readonly id: string | undefined;
  /** The last one of all folders, not of the working directory alone. */
  readonly everywhere: boolean;
  /** Go on with a copy, under a new id. */
  readonly asFork: boolean;
}

/** Throws a UserError when there is no such session: a new one in its place would look like the old one with no memory. */
export function findResumeTarget(flags: ResumeFlags, { codexHome, cwd }: Config): ResumeRequest {
  const { id, everywhere, asFork } = flags;
  if (id === undefined) {
    const last = latestSession(codexHome, everywhere ? {} : { cwd });
    if (last !== undefined) return { file: last.path, asFork };
    throw new UserError(
      everywhere
        ? `There is no session in "${sessionsFolder(codexHome)}".`
        : `There is no session of "${cwd}". With --all the last one of any folder is taken.`,
    );
  }
  return { file: findFile(id, { codexHome, asFork }), asFork };
}

function findFile(id: string, { codexHome, asFork }: { readonly codexHome: string; readonly asFork: boolean }): string {
  const conversationId = findSessionId(id, codexHome);
  const file = findSession(codexHome, conversationId, { withArchive: asFork });
  if (file !== undefined) return file;
  if (findSession(codexHome, conversationId, { withArchive: true }) !== undefined) {
    throw new UserError(
      `The session ${conversationId} is archived. A copy can go on: codex exec fork ${conversationId}`,
    );
  }
  throw noSession(conversationId, codexHome);
}

/**
 * What a session could not go on for: with the file that the reference's words do not name, and with what can be done
 * instead. Other errors are left as they are.
 */
export function explainResume(
  error: unknown,
  { target, resumePath }: { readonly target: ResumeRequest | undefined; readonly resumePath: string | undefined },
): unknown {
  if (error instanceof NoStoredSession) {
    const name = target === undefined ? `experimental_resume = "${resumePath}"` : `"${target.file}"`;
    return new UserError(`Cannot go on with ${name}: ${error.message}`, { cause: error });
  }
  if (error instanceof SessionInUse && target !== undefined) {
    const id = path.basename(target.file, ".jsonl").slice(-lengthOfId);
    return new UserError(`${error.message}. A copy can go on: codex exec fork ${id}`, { cause: error });
  }
  return error;
}
