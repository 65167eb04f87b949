import type { Config } from "../config/config.ts";
import type { ResumeRequest } from "../conversation/resume.ts";
import { UserError } from "../lib/errors.ts";
import { findSession, latestSession, sessionsFolder } from "../rollout/sessions.ts";
import { findSessionId, noSession } from "./session-id.ts";

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
