import path from "node:path";
import { explainSystemError } from "../lib/errors.ts";
import { placeCheckFor } from "./file-place.ts";
import { findGitRoot } from "./git-root.ts";
import { readTextFile, readTextStart } from "./read-file.ts";

const documentName = "AGENTS.md";

interface Documents {
  readonly text: string | undefined;
  readonly warnings: readonly string[];
}

/** AGENTS.md of the home folder, then those of the project from its root down to `cwd`. */
export function readUserInstructions(
  codexHome: string,
  { cwd, maxBytes }: { readonly cwd: string; readonly maxBytes: number },
): Documents {
  const warnings: string[] = [];
  const own = readOr(warnings, path.join(codexHome, documentName), readTextFile)?.trim();
  const project = readProjectDocs({ cwd, codexHome, maxBytes, warnings });
  const texts = [own, project].filter((text) => text !== undefined && text !== "");
  return { text: texts.length === 0 ? undefined : texts.join("\n\n--- project-doc ---\n\n"), warnings };
}

function readProjectDocs(options: {
  readonly cwd: string;
  readonly codexHome: string;
  /** A budget that all files share. */
  readonly maxBytes: number;
  readonly warnings: string[];
}): string {
  const { cwd, codexHome, maxBytes, warnings } = options;
  if (maxBytes === 0) return "";
  const texts: string[] = [];
  let remaining = maxBytes;
  for (const folder of foldersBetween(findGitRoot(cwd) ?? cwd, cwd)) {
    if (remaining === 0) break;
    if (folder === codexHome) continue; // read already
    const file = path.join(folder, documentName);
    const check = placeCheckFor(file, { cwd, codexHome });
    const document = readOr(warnings, file, (name) => readTextStart(name, remaining, check));
    if (document === undefined || document.text.trim() === "") continue;
    if (document.isCut) {
      warnings.push(`Read only the first ${remaining} bytes of "${file}": project_doc_max_bytes is ${maxBytes}.`);
    }
    texts.push(document.text);
    remaining -= document.bytes;
  }
  return texts.join("\n\n");
}

/** From `top` down to `bottom`, both included. */
function foldersBetween(top: string, bottom: string): readonly string[] {
  const folders = [bottom];
  for (let folder = bottom; folder !== top; ) {
    folder = path.dirname(folder);
    folders.unshift(folder);
  }
  return folders;
}

function readOr<T>(warnings: string[], file: string, read: (file: string) => T | undefined): T | undefined {
  try {
    return read(file);
  } catch (error) {
    warnings.push(`Ignored "${file}": ${explainSystemError(error)}`);
    return undefined;
  }
}
