import { closeSync, readFileSync, readlinkSync, realpathSync } from "node:fs";
import path from "node:path";
import { isInside } from "../lib/path-inside.ts";
import { applyFileOperations, type FileOperation, type FileResult } from "./file-operations.ts";
import { encodeRequest } from "./helper-process.ts";
import { killGroup } from "./kill-tree.ts";
import type { BubblewrapSandbox, LandlockSandbox, Sandbox, SeatbeltSandbox } from "./sandbox.ts";
import { reportAfterSetup, SandboxSetupError, sandboxFailure } from "./sandbox-error.ts";

/**
 * Writes and deletes files under the policy that commands have, one after the other: what was written before a
 * failure stays. Rejects with a SandboxSetupError when the sandbox could not be had, or with the signal's reason.
 */
export async function writeFiles(
  operations: readonly FileOperation[],
  options: { readonly sandbox: Sandbox; readonly signal: AbortSignal },
): Promise<FileResult> {
  const { sandbox, signal } = options;
  signal.throwIfAborted();
  switch (sandbox.backend) {
    case "none":
      return applyFileOperations(operations);
    case "seatbelt":
      return findOutside(operations, sandbox) ?? applyFileOperations(operations);
    case "landlock":
    case "bubblewrap":
      return writeByHelper(operations, { sandbox, signal });
    default:
      return sandbox satisfies never;
  }
}

/** By a process that is restricted itself, so that no link or race of a command's making leads outside. */
async function writeByHelper(
  operations: readonly FileOperation[],
  options: { readonly sandbox: LandlockSandbox | BubblewrapSandbox; readonly signal: AbortSignal },
): Promise<FileResult> {
  const { sandbox, signal } = options;
  const { host } = sandbox;
  const helper = sandbox.backend === "landlock" ? host.takeHelper() : host.startConfinedHelper(sandbox);
  const restrictions = sandbox.backend === "landlock" ? sandbox.restrictions : null;
  helper.send(encodeRequest({ kind: "files", operations, restrictions }));
  const onAbort = () => killGroup(helper.pid);
  signal.addEventListener("abort", onAbort);
  try {
    const exit = await helper.exited;
    const reports = await helper.takeReports();
    if (!reports.some((report) => report.kind === "files")) signal.throwIfAborted();
    const report = reportAfterSetup(reports, { exit, readStderr: () => readFileSync(helper.stderr, "utf8") });
    if (report?.kind === "files") return report.result;
    throw new SandboxSetupError(sandboxFailure("the helper ended before it had written all files."));
  } finally {
    signal.removeEventListener("abort", onAbort);
    closeSync(helper.stdout);
    closeSync(helper.stderr);
  }
}

/** Nothing but this check holds our own writes to the policy there. All paths are judged before any is written. */
function findOutside(operations: readonly FileOperation[], sandbox: SeatbeltSandbox): FileResult | undefined {
  const isWritable = (file: string) =>
    sandbox.roots.some((root) => isInside(file, root.path) && !root.readOnly.some((part) => isInside(file, part)));
  const refused = operations.find(({ type, path: file }) => {
    // A link is followed by a write and removed by a deletion.
    const target = type === "write" ? realTarget(file) : path.join(realTarget(path.dirname(file)), path.basename(file));
    return !isWritable(target);
  });
  if (refused === undefined) return undefined;
  const message = `Failed to ${refused.type} file ${refused.path}: Operation not permitted (os error 1)`;
  return { ok: false, done: 0, path: refused.path, message };
}

const maxLinks = 40;

/** Where a path leads, as far as it exists; a link to nothing leads where a write through it would make a file. */
function realTarget(file: string, links = 0): string {
  try {
    return realpathSync(file);
  } catch {
    const parent = path.dirname(file);
    const link = links < maxLinks ? readLink(file) : undefined;
    if (link !== undefined) return realTarget(path.resolve(parent, link), links + 1);
    return parent === file ? file : path.join(realTarget(parent, links), path.basename(file));
  }
}

function readLink(file: string): string | undefined {
  try {
    return readlinkSync(file);
  } catch {
    return undefined;
  }
}
