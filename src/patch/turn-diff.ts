import fs from "node:fs";
import path from "node:path";
import { errorCode } from "../lib/errors.ts";
import { isInside } from "../lib/path-inside.ts";
import { readUnlinkedFile } from "../lib/read-regular-file.ts";
import { unifiedDiff } from "./unified-diff.ts";

/** Larger files are named as changed, they are not read. */
const MOST_TEXT_BYTES = 5 * 1024 * 1024;
const NO_BLOB = "0".repeat(40);

type Snapshot =
  | { readonly type: "missing" }
  /** There, but not to be read: nothing can be said about it. */
  | { readonly type: "unknown" }
  | { readonly type: "file"; readonly mode: string; readonly blobId: string; readonly text: string | null };

interface FilePair {
  readonly oldName: string;
  readonly newName: string;
  readonly before: Snapshot;
  readonly after: Snapshot;
}

/** What the patches of one task did to the files they touched, as git would show it. */
export class TurnDiff {
  readonly #root: string;
  readonly #baselines = new Map<string, Snapshot>();
  /** New path to the path the file had at the beginning. */
  readonly #origins = new Map<string, string>();

  /** `root` is absolute: the repository, or the working directory where there is none. */
  constructor(root: string) {
    this.#root = root;
  }

  /** Must be told before a patch is applied: what the files hold now is what they are compared with later. */
  willTouch(paths: readonly string[]): void {
    for (const touched of paths) {
      this.#remember(touched);
      const target = linkTarget(touched, this.#root);
      if (target !== null) this.#remember(target);
    }
  }

  didMove(from: string, to: string): void {
    const origin = this.#origins.get(from) ?? from;
    this.#origins.delete(from);
    this.#origins.set(to, origin);
  }

  /** The diff up to now, "" when nothing differs from the beginning. */
  text(): string {
    const after = new Map([...this.#baselines.keys()].map((file) => [file, takeSnapshot(file)]));
    return this.#pairs(after).map(formatPair).join("");
  }

  #remember(file: string): void {
    if (!this.#baselines.has(file)) this.#baselines.set(file, takeSnapshot(file));
  }

  #pairs(after: ReadonlyMap<string, Snapshot>): readonly FilePair[] {
    const pairs: FilePair[] = [];
    const moved = new Set<string>();
    for (const [to, from] of this.#origins) {
      const before = this.#baselines.get(from);
      const now = after.get(to);
      // A rename is only told when it is the whole story of both names.
      if (before?.type !== "file" || after.get(from)?.type !== "missing") continue;
      if (now?.type !== "file" || this.#baselines.get(to)?.type !== "missing") continue;
      pairs.push({ oldName: this.#name(from), newName: this.#name(to), before, after: now });
      moved.add(from).add(to);
    }
    for (const [file, before] of this.#baselines) {
      const now = after.get(file);
      if (now === undefined || moved.has(file)) continue;
      const name = this.#name(file);
      pairs.push({ oldName: name, newName: name, before, after: now });
    }
    return pairs.sort((a, b) => Buffer.compare(Buffer.from(a.newName), Buffer.from(b.newName)));
  }

  #name(file: string): string {
    const name = isInside(file, this.#root) ? path.relative(this.#root, file) : file.replace(/^[/\\]+/, "");
    return path.sep === "\\" ? name.replaceAll("\\", "/") : name;
  }
}

function formatPair(pair: FilePair): string {
  const { before, after } = pair;
  if (before.type === "unknown" || after.type === "unknown") return "";
  if (before.type === "missing" && after.type === "missing") return "";
  const oldName = quoteName(`a/${pair.oldName}`);
  const newName = quoteName(`b/${pair.newName}`);

  const lines = [`diff --git ${oldName} ${newName}`];
  if (before.type === "missing") lines.push(`new file mode ${modeOf(after)}`);
  else if (after.type === "missing") lines.push(`deleted file mode ${before.mode}`);
  else if (before.mode !== after.mode) lines.push(`old mode ${before.mode}`, `new mode ${after.mode}`);

  const oldId = blobIdOf(before);
  const newId = blobIdOf(after);
  if (oldId === newId) {
    if (pair.oldName !== pair.newName) {
      // Without hunks only these lines tell a reader which file became which.
      lines.push(
        "similarity index 100%",
        `rename from ${quoteName(pair.oldName)}`,
        `rename to ${quoteName(pair.newName)}`,
      );
    }
    return lines.length === 1 ? "" : `${lines.join("\n")}\n`;
  }

  lines.push(`index ${oldId}..${newId}`);
  const oldText = textOf(before);
  const newText = textOf(after);
  const isBinary = oldText === null || newText === null;
  const hunks = isBinary ? "Binary files differ\n" : unifiedDiff(oldText, newText, { contextLines: 3 });
  if (hunks !== "") {
    lines.push(`--- ${before.type === "missing" ? "/dev/null" : oldName}`);
    lines.push(`+++ ${after.type === "missing" ? "/dev/null" : newName}`);
  }
  return `${lines.join("\n")}\n${hunks}`;
}

type Present = Exclude<Snapshot, { readonly type: "unknown" }>;

function modeOf(snapshot: Present): string {
  return snapshot.type === "file" ? snapshot.mode : "";
}

function blobIdOf(snapshot: Present): string {
  return snapshot.type === "file" ? snapshot.blobId : NO_BLOB;
}

/** Null for content that has no lines to compare. */
function textOf(snapshot: Present): string | null {
  return snapshot.type === "file" ? snapshot.text : "";
}

/** A command in the background may exchange what is there at any moment, also for a link or a FIFO: that is unknown then. */
function takeSnapshot(file: string): Snapshot {
  try {
    const found = fs.lstatSync(file);
    if (found.isSymbolicLink()) return fileSnapshot("120000", fs.readlinkSync(file, "buffer"));
    if (!found.isFile()) return { type: "missing" };
    const { stat, bytes } = readUnlinkedFile(file, MOST_TEXT_BYTES);
    const mode = (stat.mode & 0o100) !== 0 ? "100755" : "100644";
    return bytes === undefined ? largeSnapshot(mode, stat) : fileSnapshot(mode, bytes);
  } catch (error) {
    const isMissing = ["ENOENT", "ENOTDIR"].includes(errorCode(error) ?? "");
    return { type: isMissing ? "missing" : "unknown" };
  }
}

function fileSnapshot(mode: string, bytes: Buffer): Snapshot {
  return { type: "file", mode, blobId: sha1(`blob ${bytes.length}\0`, bytes), text: decode(bytes) };
}

/** Not read, as it may be of any size: its id is none that git knows, and changes with size and time. */
function largeSnapshot(mode: string, { size, mtimeMs }: fs.Stats): Snapshot {
  return { type: "file", mode, blobId: sha1(`large ${size} ${mtimeMs}`), text: null };
}

function sha1(...parts: readonly (string | Buffer)[]): string {
  const hash = process.getBuiltinModule("node:crypto").createHash("sha1");
  for (const part of parts) hash.update(part);
  return hash.digest("hex");
}

function decode(bytes: Buffer): string | null {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    // Not UTF-8: a binary file, which is an answer and no failure.
    return null;
  }
}

/** A patch writes through a symbolic link, so the file behind it may change while the link does not. */
function linkTarget(file: string, root: string): string | null {
  try {
    if (!fs.lstatSync(file).isSymbolicLink()) return null;
    const target = fs.realpathSync(file);
    const realRoot = fs.realpathSync(root);
    return isInside(target, realRoot) ? path.join(root, path.relative(realRoot, target)) : target;
  } catch {
    // No such file yet, or a link to nowhere: there is no second file to watch.
    return null;
  }
}

/** Git's way to write names that its own header lines could not hold; other scripts stay readable. */
function quoteName(name: string): string {
  const escaped = name.replace(/["\\\p{Cc}]/gu, (character) => {
    const letter = escapes[character];
    return `\\${letter ?? character.charCodeAt(0).toString(8).padStart(3, "0")}`;
  });
  return escaped === name ? name : `"${escaped}"`;
}

const escapes: Readonly<Record<string, string>> = {
  '"': '"',
  "\\": "\\",
  "\u0007": "a",
  "\b": "b",
  "\t": "t",
  "\n": "n",
  "\v": "v",
  "\f": "f",
  "\r": "r",
};
