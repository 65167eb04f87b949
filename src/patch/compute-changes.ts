import path from "node:path";
import { errorCode, explainSystemError } from "../lib/errors.ts";
import type { Hunk } from "./parse-patch.ts";
import { updateText } from "./update-text.ts";

interface ChangedFile {
  readonly path: string;
  /** As the patch spells it; the new path when the file moves. */
  readonly displayPath: string;
}

/** What a patch does to one file, all its hunks taken together. */
export type PlannedChange = ChangedFile &
  (
    | {
        readonly kind: "add";
        readonly movePath: null;
        /** Not known: a file that may be there already is overwritten unread. */
        readonly oldContent: null;
        readonly newContent: string;
      }
    | {
        readonly kind: "update";
        readonly movePath: string | null;
        /** Permission bits for the moved file to keep. */
        readonly mode: number | null;
        readonly oldContent: string;
        readonly newContent: string;
      }
    | {
        readonly kind: "delete";
        readonly movePath: null;
        readonly oldContent: string;
        readonly newContent: null;
      }
  );

export type ComputeResult =
  | { readonly ok: true; readonly changes: readonly PlannedChange[] }
  | { readonly ok: false; readonly problem: string };

export interface ComputeOptions {
  readonly cwd: string;
  /** May throw what the file system throws. */
  readonly readFile: (absolutePath: string) => Uint8Array | string;
  /** Permission bits of a file that moves; null leaves the new file with the default. */
  readonly readMode?: (absolutePath: string) => number | null;
}

/**
 * Works out what the hunks do, without writing anything. They are taken in order and each sees what the earlier ones did;
 * what comes out is the net change of each file.
 */
export function computeChanges(hunks: readonly Hunk[], options: ComputeOptions): ComputeResult {
  const files = new PatchedFiles(options);
  for (const hunk of hunks) {
    const problem = files.apply(hunk);
    if (problem !== null) return { ok: false, problem };
  }
  return files.netChanges();
}

interface FileState {
  readonly path: string;
  readonly displayPath: string;
  /** What the disk holds, if a hunk needed to know. */
  readonly disk: string | null;
  /** What the hunks so far have made of it; null when it is gone. */
  content: string | null;
  /** The file on disk that this content descends from; null when the patch brought it in. */
  origin: string | null;
  /** Which earlier hunk is to blame when it is gone. */
  whyGone: string;
}

type Read = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly cause: unknown };
type Opened =
  | { readonly ok: true; readonly file: FileState; readonly content: string }
  | { readonly ok: false; readonly cause: string };
type Net =
  | { readonly ok: true; readonly change: PlannedChange | null }
  | { readonly ok: false; readonly problem: string };

/** The files as they are after some of the hunks, on top of what the disk holds. */
class PatchedFiles {
  readonly #options: ComputeOptions;
  readonly #files = new Map<string, FileState>();

  constructor(options: ComputeOptions) {
    this.#options = options;
  }

  /** Null, or the problem that keeps the hunk from being applied. */
  apply(hunk: Hunk): string | null {
    switch (hunk.type) {
      case "add":
        this.#put(hunk.path, { content: hunk.content, origin: null });
        return null;
      case "delete":
        return this.#delete(hunk.path);
      case "update":
        return this.#update(hunk);
      default:
        return hunk satisfies never;
    }
  }

  netChanges(): ComputeResult {
    const files = [...this.#files.values()];
    const moved = new Set(files.filter((file) => file.content !== null).map((file) => this.#movedFrom(file)));
    const changes: PlannedChange[] = [];
    for (const file of files) {
      if (moved.has(file)) continue;
      const net = file.content === null ? this.#netDeletion(file) : this.#netWrite(file, file.content);
      if (!net.ok) return net;
      if (net.change !== null) changes.push(net.change);
    }
    return { ok: true, changes };
  }

  #delete(displayPath: string): string | null {
    const opened = this.#open(displayPath);
    if (!opened.ok) return `Failed to read ${this.#resolve(displayPath)}: ${opened.cause}`;
    opened.file.content = null;
    opened.file.whyGone = "An earlier hunk of this patch deletes it.";
    return null;
  }

  #update(hunk: Hunk & { readonly type: "update" }): string | null {
    const source = this.#resolve(hunk.path);
    const opened = this.#open(hunk.path);
    if (!opened.ok) return `Failed to read file to update ${source}: ${opened.cause}`;
    const updated = updateText(opened.content, { chunks: hunk.chunks, path: source });
    if (!updated.ok) return updated.problem;

    if (hunk.movePath === null || this.#resolve(hunk.movePath) === source) {
      opened.file.content = updated.text;
      return null;
    }
    this.#put(hunk.movePath, { content: updated.text, origin: opened.file.origin });
    opened.file.content = null;
    opened.file.whyGone = `An earlier hunk of this patch moves it to '${hunk.movePath}'.`;
    return null;
  }

  #open(displayPath: string): Opened {
    const absolute = this.#resolve(displayPath);
    const known = this.#files.get(absolute);
    if (known !== undefined) {
      if (known.content !== null) return { ok: true, file: known, content: known.content };
      return { ok: false, cause: `No such file or directory (os error 2)\n${known.whyGone}` };
    }
    const read = this.#read(absolute);
    if (!read.ok) return { ok: false, cause: explainSystemError(read.cause) };
    const state = { path: absolute, displayPath, disk: read.text, content: read.text, origin: absolute, whyGone: "" };
    this.#files.set(absolute, state);
    return { ok: true, file: state, content: read.text };
  }

  /** A file that is only overwritten is not read first: it may be binary. */
  #put(displayPath: string, made: { readonly content: string; readonly origin: string | null }): void {
    const absolute = this.#resolve(displayPath);
    const known = this.#files.get(absolute);
    if (known !== undefined) Object.assign(known, made);
    else this.#files.set(absolute, { path: absolute, displayPath, disk: null, whyGone: "", ...made });
  }

  #netWrite(file: FileState, newContent: string): Net {
    const { path: target, displayPath } = file;
    const source = this.#movedFrom(file) ?? file;
    const oldContent = source.disk;
    if (oldContent === null) {
      return { ok: true, change: { kind: "add", path: target, displayPath, movePath: null, oldContent, newContent } };
    }
    const movePath = source === file ? null : target;
    const mode = movePath === null ? null : (this.#options.readMode?.(source.path) ?? null);
    return {
      ok: true,
      change: { kind: "update", path: source.path, displayPath, movePath, mode, oldContent, newContent },
    };
  }

  #netDeletion(file: FileState): Net {
    const read: Read = file.disk === null ? this.#read(file.path) : { ok: true, text: file.disk };
    if (read.ok) {
      const { path: target, displayPath } = file;
      return {
        ok: true,
        change: { kind: "delete", path: target, displayPath, movePath: null, oldContent: read.text, newContent: null },
      };
    }
    // The patch itself made the file and took it away again: to the disk nothing happens.
    if (["ENOENT", "ENOTDIR"].includes(errorCode(read.cause) ?? "")) return { ok: true, change: null };
    return { ok: false, problem: `Failed to read ${file.path}: ${explainSystemError(read.cause)}` };
  }

  /** For a file that is there: which one on disk has become it, unless something is in the old place again. */
  #movedFrom(file: FileState): FileState | null {
    if (file.origin === null) return null;
    const source = this.#files.get(file.origin);
    return source !== undefined && source.content === null ? source : null;
  }

  #resolve(displayPath: string): string {
    return path.resolve(this.#options.cwd, displayPath);
  }

  #read(absolute: string): Read {
    try {
      const data = this.#options.readFile(absolute);
      return { ok: true, text: typeof data === "string" ? data : decodeUtf8(data) };
    } catch (cause) {
      return { ok: false, cause };
    }
  }
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    // ignoreBOM is the API's name for leaving a byte order mark where it is.
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new Error("stream did not contain valid UTF-8", { cause });
  }
}
