import type { Config } from "../config/config.ts";
import { findGitRoot } from "../config/git-root.ts";
import { originatorOf } from "../config/user-agent.ts";
import type { Libc } from "../process/libc.ts";
import type { Sandbox } from "../process/sandbox.ts";
import type { ConversationId } from "../protocol/conversation-id.ts";
import { readGitInfo } from "../rollout/git-info.ts";
import { RolloutRecorder } from "../rollout/recorder.ts";

/** The file of a new session, with its first line. */
export function createRollout(
  config: Config,
  options: {
    readonly sessionId: ConversationId;
    readonly version: string;
    readonly sandbox: Sandbox["backend"];
    readonly libc: Libc | undefined;
    readonly onProblem: (message: string) => void;
    readonly forkedFromId?: ConversationId;
  },
): RolloutRecorder {
  const root = findGitRoot(config.cwd);
  const git = root === undefined ? undefined : readGitInfo(root);
  const { forkedFromId } = options;
  return RolloutRecorder.create({
    codexHome: config.codexHome,
    conversationId: options.sessionId,
    meta: {
      cwd: config.cwd,
      originator: originatorOf(config.env),
      cli_version: options.version,
      instructions: config.userInstructions ?? null,
      ...(git === undefined ? {} : { git }),
      sandbox_backend: options.sandbox,
      ...(forkedFromId === undefined ? {} : { forked_from_id: forkedFromId }),
    },
    now: () => new Date(),
    onProblem: options.onProblem,
    libc: options.libc,
  });
}
