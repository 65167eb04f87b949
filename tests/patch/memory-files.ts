import { type ComputeResult, computeChanges } from "../../src/patch/compute-changes.ts";
import { successText, toFileOperations } from "../../src/patch/file-changes.ts";
import { parsePatch } from "../../src/patch/parse-patch.ts";

export const CWD = "/ws";

export type Files = Readonly<Record<string, string | Uint8Array>>;

/** Computes the changes of a patch on files that are named relative to CWD, or absolutely. */
export function compute(patch: string, files: Files): ComputeResult {
  const parsed = parsePatch(patch);
  if (!parsed.ok) return parsed;
  return computeChanges(parsed.hunks, { cwd: CWD, readFile: (path) => read(files, path) });
}

/** The files after the patch and what the model would be told, or just the problem. */
export function patchFiles(patch: string, files: Files): { files: Files; text: string } | { problem: string } {
  const computed = compute(patch, files);
  if (!computed.ok) return { problem: computed.problem };
  const result: Record<string, string | Uint8Array> = { ...files };
  for (const operation of toFileOperations(computed.changes)) {
    const name = nameOf(operation.path);
    if (operation.type === "write") result[name] = operation.content;
    else delete result[name];
  }
  return { files: result, text: successText(computed.changes) };
}

/** A patch around some hunk lines, its last line being the End marker. */
export function patchOf(...lines: readonly string[]): string {
  return ["*** Begin Patch", ...lines, "*** End Patch"].join("\n");
}

export function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: as node words it`), { code });
}

function read(files: Files, path: string): string | Uint8Array {
  const content = files[nameOf(path)];
  if (content === undefined) throw systemError("ENOENT");
  return content;
}

function nameOf(path: string): string {
  return path.startsWith(`${CWD}/`) ? path.slice(CWD.length + 1) : path;
}
