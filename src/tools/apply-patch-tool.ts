import { realpathSync, statSync } from "node:fs";
import path from "node:path";
import * as z from "zod/mini";
import { homeCheckFor } from "../config/file-place.ts";
import { readRegularFile } from "../lib/read-regular-file.ts";
import { computeChanges } from "../patch/compute-changes.ts";
import { successText, toFileChanges, toFileOperations, touchedPaths } from "../patch/file-changes.ts";
import { parsePatch } from "../patch/parse-patch.ts";
import { TurnDiff } from "../patch/turn-diff.ts";
import { SandboxSetupError } from "../process/sandbox-error.ts";
import { writeFiles } from "../process/write-files.ts";
import { assessPatch } from "../safety/assess-patch.ts";
import { writableRoots } from "../safety/writable-roots.ts";
import { parseArguments } from "./parse-arguments.ts";
import { failure, rejection, type ToolContext, type ToolOutput } from "./tool.ts";
import { commandAnswer } from "./tool-output.ts";

const ApplyPatchArguments = z.object({ input: z.string() });

export async function runApplyPatchTool(argumentsText: string, context: ToolContext): Promise<ToolOutput> {
  const parsed = parseArguments(argumentsText, ApplyPatchArguments);
  if (!parsed.ok) return failure(parsed.problem);
  return applyPatch({ patch: parsed.value.input, cwd: context.settings.cwd }, context);
}

/**
 * A patch, from its check against the files to its answer. Everything is computed before anybody is asked and before
 * anything is written; the writing is done under the same sandbox as a command's.
 */
export async function applyPatch(
  { patch, cwd }: { readonly patch: string; readonly cwd: string },
  context: ToolContext,
): Promise<ToolOutput> {
  const { settings, callId, emit } = context;
  const parsed = parsePatch(patch);
  if (!parsed.ok) return failure(`error: ${parsed.problem}`);
  const computed = computeChanges(parsed.hunks, {
    cwd,
    readFile: (file) => readRegularFile(file, undefined, homeCheckFor(file, context.config.codexHome)),
    readMode: (file) => statSync(file).mode & 0o777,
  });
  if (!computed.ok) return failure(`error: ${computed.problem}`);

  const { changes } = computed;
  if (changes.length === 0) return failure("patch rejected: empty patch");
  const paths = touchedPaths(changes);
  const verdict = assessPatch({
    paths: [...paths, ...pathsIntoGit(paths)],
    approvalPolicy: settings.approvalPolicy,
    sandboxPolicy: settings.sandboxPolicy,
    writableRoots: writableRoots(settings.sandboxPolicy, { cwd: settings.cwd, tmpdir: context.config.env["TMPDIR"] }),
    isSandboxAvailable: true,
  });
  const fileChanges = toFileChanges(changes);
  /** Undefined: it may be applied. */
  const ask = async (reason?: string): Promise<ToolOutput | undefined> => {
    const answer = await context.ask({
      type: "apply_patch_approval_request",
      call_id: callId,
      changes: fileChanges,
      ...(reason === undefined ? {} : { reason }),
    });
    const isApproved = answer.decision === "approved" || answer.decision === "approved_for_session";
    return isApproved ? undefined : rejection("patch", answer);
  };

  let sandboxed = false;
  let autoApproved = false;
  switch (verdict.verdict) {
    case "reject":
      return failure(verdict.reason);
    case "ask": {
      const refusal = await ask();
      if (refusal !== undefined) return refusal;
      break;
    }
    case "run":
      sandboxed = verdict.sandboxed;
      autoApproved = true;
      break;
    default:
      verdict satisfies never;
  }

  const operations = toFileOperations(changes);
  const turnDiff = context.turnDiff((root) => new TurnDiff(root));
  const write = async (isSandboxed: boolean, isAuto: boolean) => {
    const started = performance.now();
    const policy = isSandboxed ? settings.sandboxPolicy : ({ mode: "danger-full-access" } as const);
    emit({ type: "patch_apply_begin", call_id: callId, auto_approved: isAuto, changes: fileChanges });
    turnDiff.willTouch(paths);
    const result = await writeFilesOrSay(operations, { sandbox: context.sandbox(policy), signal: context.signal });
    if (result.ok) {
      for (const { path, movePath } of changes) if (movePath !== null) turnDiff.didMove(path, movePath);
    }
    const stdout = result.ok ? successText(changes) : "";
    const stderr = result.ok ? "" : `${result.message}\n`;
    emit({ type: "patch_apply_end", call_id: callId, stdout, stderr, success: result.ok });
    const text = commandAnswer(result.ok ? stdout : stderr, result.ok ? 0 : 1, performance.now() - started);
    return { text, isSuccess: result.ok };
  };

  const output = await write(sandboxed, autoApproved);
  if (output.isSuccess || !sandboxed || settings.approvalPolicy !== "on-failure") return output;
  return (await ask("command failed; retry without sandbox?")) ?? write(false, false);
}

/** Where links lead into a `.git`: the spelling alone does not show it, and hooks there run as programs. */
function pathsIntoGit(paths: readonly string[]): readonly string[] {
  return paths.flatMap((file) => {
    const real = realPath(file);
    return real.split(path.sep).some((part) => part.toLowerCase() === ".git") ? [real] : [];
  });
}

/** Of a file that may not be there yet: links are followed as far as there is something. */
function realPath(file: string): string {
  try {
    return realpathSync.native(file);
  } catch {
    const parent = path.dirname(file);
    return parent === file ? file : path.join(realPath(parent), path.basename(file));
  }
}

async function writeFilesOrSay(
  operations: Parameters<typeof writeFiles>[0],
  options: Parameters<typeof writeFiles>[1],
): Promise<{ readonly ok: true } | { readonly ok: false; readonly message: string }> {
  try {
    return await writeFiles(operations, options);
  } catch (error) {
    if (error instanceof SandboxSetupError) return { ok: false, message: error.message };
    throw error;
  }
}
