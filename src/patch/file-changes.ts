import type { FileChange, FileChanges } from "../protocol/event.ts";
import type { PlannedChange } from "./compute-changes.ts";
import type { FileOperation } from "./file-operation.ts";
import { unifiedDiff } from "./unified-diff.ts";

/** The changes as the approval request and `patch_apply_begin` show them, each under the path the file has now. */
export function toFileChanges(changes: readonly PlannedChange[]): FileChanges {
  return Object.fromEntries(changes.map((change) => [change.path, toFileChange(change)]));
}

function toFileChange(change: PlannedChange): FileChange {
  switch (change.kind) {
    case "add":
      return { add: { content: change.newContent } };
    case "delete":
      return { delete: { content: change.oldContent } };
    case "update":
      return {
        update: {
          unified_diff: unifiedDiff(change.oldContent, change.newContent, { contextLines: 1 }),
          move_path: change.movePath,
        },
      };
    default:
      return change satisfies never;
  }
}

/** What is to be done on disk, in this order: a moved file is written before the old one goes, so that it is never lost. */
export function toFileOperations(changes: readonly PlannedChange[]): readonly FileOperation[] {
  return changes.flatMap((change): readonly FileOperation[] => {
    switch (change.kind) {
      case "add":
        return [{ type: "write", path: change.path, content: change.newContent }];
      case "delete":
        return [{ type: "delete", path: change.path }];
      case "update": {
        const { path, movePath, newContent: content, mode } = change;
        if (movePath === null) return [{ type: "write", path, content }];
        return [
          { type: "write", path: movePath, content, ...(mode === null ? {} : { mode }) },
          { type: "delete", path },
        ];
      }
      default:
        return change satisfies never;
    }
  });
}

/** Every path the changes write to or remove. */
export function touchedPaths(changes: readonly PlannedChange[]): readonly string[] {
  return changes.flatMap((change) => (change.movePath === null ? [change.path] : [change.path, change.movePath]));
}

export function successText(changes: readonly PlannedChange[]): string {
  const list = (letter: string, kind: PlannedChange["kind"]): string =>
    changes
      .filter((change) => change.kind === kind)
      .map((change) => `${letter} ${change.displayPath}\n`)
      .join("");
  return `Success. Updated the following files:\n${list("A", "add")}${list("M", "update")}${list("D", "delete")}`;
}
