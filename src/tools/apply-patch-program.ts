import { readFileSync, statSync } from "node:fs";
import { messageOf } from "../lib/errors.ts";
import { readRegularFile } from "../lib/read-regular-file.ts";
import { computeChanges } from "../patch/compute-changes.ts";
import { successText, toFileOperations } from "../patch/file-changes.ts";
import { parsePatch } from "../patch/parse-patch.ts";
import { applyFileOperations } from "../process/file-operations.ts";

/** What a patch program prints and ends with. */
interface ProgramResult {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

const usage = "Usage: apply_patch 'PATCH'\n       echo 'PATCH' | apply_patch\n";

/**
 * `apply_patch` as a program: for scripts that call it among other commands. It runs where the script
 * runs, so the script's sandbox holds for it too.
 */
export function runApplyPatchProgram(args: readonly string[], cwd: string): ProgramResult {
  if (args.length > 1)
    return { status: 2, stdout: "", stderr: `Error: apply_patch accepts exactly one argument.\n${usage}` };
  let patch = args[0];
  if (patch === undefined) {
    try {
      patch = readFileSync(0, "utf8");
    } catch (error) {
      return failed(`Error: Failed to read PATCH from stdin.\n${messageOf(error)}\n`);
    }
    if (patch === "") return { status: 2, stdout: "", stderr: usage };
  }
  const parsed = parsePatch(patch);
  if (!parsed.ok) return failed(`${parsed.problem.replace(/^invalid patch: /, "Invalid patch: ")}\n`);
  const computed = computeChanges(parsed.hunks, {
    cwd,
    readFile: readRegularFile,
    readMode: (file) => statSync(file).mode & 0o777,
  });
  if (!computed.ok) return failed(`${computed.problem}\n`);
  if (computed.changes.length === 0) return failed("No files were modified.\n");
  const result = applyFileOperations(toFileOperations(computed.changes));
  if (!result.ok) return failed(`${result.message}\n`);
  return { status: 0, stdout: successText(computed.changes), stderr: "" };
}

function failed(stderr: string): ProgramResult {
  return { status: 1, stdout: "", stderr };
}
