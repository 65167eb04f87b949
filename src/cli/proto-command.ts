import { isatty } from "node:tty";
import { loadConfig } from "../config/load-config.ts";
import { createCommandHost } from "../conversation/sandbox-set.ts";
import { UserError } from "../lib/errors.ts";
import { startLog } from "../lib/log.ts";
import { watchReader } from "../process/reader-watch.ts";
import type { ApprovalPolicy, SandboxMode } from "../protocol/policy.ts";
import { showLine } from "../render/printable.ts";
import { version } from "../version.ts";
import { currentFolder } from "./current-folder.ts";
import { openSession } from "./open-session.ts";
import { ProcessOutput } from "./process-output.ts";
import { ProtoSession } from "./proto-session.ts";
import type { ResumeFlags } from "./resume-target.ts";

/** The command line of `proto`, checked by commander. */
export interface ProtoOptions {
  readonly overrides: readonly string[];
  readonly model?: string;
  readonly profile?: string;
  readonly sandbox?: SandboxMode;
  readonly approvalPolicy?: ApprovalPolicy;
  readonly cwd?: string;
  readonly ephemeral: boolean;
  readonly recordFile?: string;
  readonly replayFile?: string;
  /** The session to go on with. */
  readonly resume?: ResumeFlags;
}

/** Bytes of the log that are kept for a client that does not read it; what comes then is lost. */
const maxUnreadLog = 1024 * 1024;

/** One conversation over stdin and stdout, from its first event to the exit status. */
export async function protoCommand(options: ProtoOptions): Promise<number> {
  if (isatty(0)) throw new UserError("Protocol mode expects stdin to be a pipe, not a terminal");
  const { model, profile, sandbox, approvalPolicy, cwd, recordFile, replayFile } = options;
  const config = loadConfig({
    flags: {
      overrides: options.overrides,
      ephemeral: options.ephemeral,
      ...(model === undefined ? {} : { model }),
      ...(profile === undefined ? {} : { profile }),
      ...(sandbox === undefined ? {} : { sandboxMode: sandbox }),
      ...(approvalPolicy === undefined ? {} : { approvalPolicy }),
      ...(cwd === undefined ? {} : { cwd }),
    },
    env: process.env,
    processCwd: currentFolder(),
  });
  const output = new ProcessOutput();
  startLog(config.env, "info", (text) => {
    if (process.stderr.writableLength < maxUnreadLog) output.stderr(text);
  });
  const resume = options.resume && (await import("./resume-target.ts")).findResumeTarget(options.resume, config);
  const commandHost = createCommandHost();
  const { conversation, firstEvent, warnings } = await openSession(config, {
    version,
    commandHost,
    resume,
    ...(recordFile === undefined ? {} : { recordFile }),
    ...(replayFile === undefined ? {} : { replayFile }),
  });
  const session = new ProtoSession(conversation, output);
  session.print(firstEvent);
  for (const warning of warnings) output.stderr(`Warning: ${showLine(warning)}\n`);
  watchReader(1, { host: commandHost, onGone: () => output.stopWriting() });
  const status = await session.serve(process.stdin);
  commandHost.close();
  if (output.problem === undefined) return status;
  output.stderr(`Error: Cannot write to stdout: ${output.problem}\n`);
  return 1;
}
