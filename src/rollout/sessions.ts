import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  renameSync,
  statSync,
  symlinkSync,
  unlinkSync,
} from "node:fs";
import path from "node:path";
import { errorCode, explainSystemError, UserError } from "../lib/errors.ts";
import { isInside } from "../lib/path-inside.ts";
import { runInSteps, runThrough, type Steps } from "../lib/steps.ts";
import { type ConversationId, parseConversationId } from "../protocol/conversation-id.ts";
import { cursorPattern } from "./session-cursor.ts";
import { readSessionHead } from "./session-head.ts";

export interface StoredSession {
  readonly conversationId: ConversationId;
  readonly path: string;
  /** The first plain message of the user. */
  readonly preview: string;
  /** When it began, in UTC. */
  readonly timestamp: string | undefined;
  /** Where it began. */
  readonly cwd: string | undefined;
}

export interface SessionPage {
  /** Newest first. */
  readonly items: readonly StoredSession[];
  /** Where the next page begins; absent behind the last one. */
  readonly nextCursor?: string;
}

/** A path that is none of a session, or of another one than was named. */
export class WrongRolloutPath extends UserError {}

const defaultPageSize = 25;

export function sessionsFolder(codexHome: string): string {
  return path.join(codexHome, "sessions");
}

export function archiveFolder(codexHome: string): string {
  return path.join(codexHome, "archived_sessions");
}

interface ListOptions {
  readonly codexHome: string;
  readonly pageSize?: number | undefined;
  readonly cursor?: string | undefined;
  readonly isArchive?: boolean;
  /** Only those that began there. */
  readonly cwd?: string | undefined;
}

/**
 * The sessions with at least one plain message of the user, newest first by the time of their start. Files are opened
 * until the page is full. A cursor that cannot be read is as good as none.
 */
export function listSessions(options: ListOptions): SessionPage {
  return runThrough(fillPage(options));
}

/** The same for a process that has others to serve meanwhile. */
export function listSessionsInSteps(options: ListOptions): Promise<SessionPage> {
  return runInSteps(fillPage(options));
}

function* fillPage(options: ListOptions): Steps<SessionPage> {
  const { codexHome, pageSize = defaultPageSize, cwd } = options;
  const start = cursorPattern.exec(options.cursor ?? "");
  const before = start === null ? undefined : `${start[1]}-${start[2]?.toLowerCase()}`;
  const items: StoredSession[] = [];
  let last: RolloutName | undefined;
  for (const name of options.isArchive ? archivedRollouts(codexHome) : rollouts(codexHome)) {
    if (items.length >= pageSize) break;
    yield;
    if (before !== undefined && name.key >= before) continue;
    const session = yield* describe(name);
    if (session === undefined || (cwd !== undefined && session.cwd !== cwd)) continue;
    items.push(session);
    last = name;
  }
  return { items, ...(last === undefined ? {} : { nextCursor: `${last.time}|${last.conversationId}` }) };
}

/** The file of a session; undefined when there is none. Archived ones are found only where that is asked for. */
export function findSession(
  codexHome: string,
  id: ConversationId,
  { withArchive = false }: { readonly withArchive?: boolean } = {},
): string | undefined {
  for (const name of withArchive ? allRollouts(codexHome) : rollouts(codexHome)) {
    if (name.conversationId === id) return name.path;
  }
  return undefined;
}

/** Every file that has the id, archived ones last: somebody may have copied one. */
export function filesOfSession(codexHome: string, id: ConversationId): readonly string[] {
  return [...allRollouts(codexHome)].flatMap((name) => (name.conversationId === id ? [name.path] : []));
}

/** Of all sessions, archived ones too; newest first. */
export function idsBeginningWith(codexHome: string, beginning: string): readonly ConversationId[] {
  const ids = [...allRollouts(codexHome)].map((name) => name.conversationId);
  return [...new Set(ids)].filter((id) => id.startsWith(beginning));
}

/** The session that was last written to, of all or of those that began in `cwd`. */
export function latestSession(codexHome: string, { cwd }: { readonly cwd?: string } = {}): StoredSession | undefined {
  const found = [...rollouts(codexHome)].flatMap((name) => {
    const changed = changeTime(name.path);
    return changed === undefined ? [] : [{ name, changed }];
  });
  found.sort((one, other) => other.changed - one.changed || (one.name.key < other.name.key ? 1 : -1));
  for (const { name } of found) {
    const session = runThrough(describe(name));
    if (session !== undefined && (cwd === undefined || session.cwd === cwd)) return session;
  }
  return undefined;
}

/** Undefined for what is gone by now, or a link that leads nowhere. */
function changeTime(file: string): number | undefined {
  try {
    return statSync(file).mtimeMs;
  } catch {
    return undefined; // nobody could go on with it either
  }
}

/** The canonical path of a session's own file; throws WrongRolloutPath when the path is not this session's. */
export function checkRolloutPath(
  codexHome: string,
  { conversationId, rolloutPath }: { readonly conversationId: ConversationId; readonly rolloutPath: string },
): string {
  const file = canonicalRollout(codexHome, rolloutPath);
  if (file.endsWith(`${conversationId}.jsonl`)) return file;
  throw new WrongRolloutPath(`rollout path \`${rolloutPath}\` does not match conversation id ${conversationId}`);
}

/** Moves a session out of the list; of a link the link itself, wherever it leads. */
export function moveToArchive(codexHome: string, file: string): void {
  const folder = archiveFolder(codexHome);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const target = path.join(folder, path.basename(file));
    if (lstatSync(target, { throwIfNoEntry: false }) !== undefined) throw new Error(`"${target}" exists already`);
    if (lstatSync(file).isSymbolicLink()) {
      symlinkSync(path.resolve(realpathSync(path.dirname(file)), readlinkSync(file)), target); // from there it would lead elsewhere
      unlinkSync(file);
    } else renameSync(file, target);
  } catch (cause) {
    throw new UserError(explainSystemError(cause), { cause });
  }
}

/** Deletes one of filesOfSession. */
export function deleteSession(file: string): void {
  try {
    unlinkSync(file);
  } catch (cause) {
    throw new UserError(`Cannot delete "${file}": ${explainSystemError(cause)}`, { cause });
  }
}

/** Canonical, so that no link leads elsewhere. A path that is not absolute is one of nobody's folder. */
function canonicalRollout(codexHome: string, rolloutPath: string): string {
  try {
    const file = realpathSync.native(rolloutPath);
    if (path.isAbsolute(rolloutPath) && isInside(file, realpathSync.native(sessionsFolder(codexHome)))) return file;
  } catch {
    // neither is what does not exist
  }
  throw new WrongRolloutPath(`rollout path \`${rolloutPath}\` must be in sessions directory`);
}

interface RolloutName {
  readonly path: string;
  /** Local time of the start, as the name tells it. */
  readonly time: string;
  readonly conversationId: ConversationId;
  /** In its order names are sorted. */
  readonly key: string;
}

/** Newest first; folders are read as they are come to. */
function* rollouts(codexHome: string): Iterable<RolloutName> {
  const root = sessionsFolder(codexHome);
  for (const year of numbers(root, /^\d{4}$/)) {
    for (const month of numbers(year, /^\d\d$/)) {
      for (const day of numbers(month, /^\d\d$/)) yield* rolloutsIn(day);
    }
  }
}

function* allRollouts(codexHome: string): Iterable<RolloutName> {
  yield* rollouts(codexHome);
  yield* archivedRollouts(codexHome);
}

/** All lie in one folder. */
function archivedRollouts(codexHome: string): Iterable<RolloutName> {
  return rolloutsIn(archiveFolder(codexHome));
}

function numbers(folder: string, pattern: RegExp): readonly string[] {
  const names = entries(folder).filter((name) => pattern.test(name));
  return names
    .sort()
    .reverse()
    .map((name) => path.join(folder, name));
}

function* rolloutsIn(folder: string): Iterable<RolloutName> {
  for (const name of entries(folder).sort().reverse()) {
    const [, time = "", id = ""] =
      /^rollout-(\d{4}(?:-\d\d){2}T\d\d(?:-\d\d){2})-([\da-f-]{36})\.jsonl$/.exec(name) ?? [];
    const conversationId = toId(id);
    if (conversationId !== undefined)
      yield { path: path.join(folder, name), time, conversationId, key: `${time}-${id}` };
  }
}

/** A missing folder is an empty one. */
function entries(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (cause) {
    const code = errorCode(cause);
    if (code === "ENOENT" || code === "ENOTDIR") return [];
    throw new UserError(`Cannot read "${folder}": ${explainSystemError(cause)}`, { cause });
  }
}

function toId(text: string): ConversationId | undefined {
  try {
    return text === "" ? undefined : parseConversationId(text);
  } catch {
    return undefined; // another file of this form of name
  }
}

function* describe({ path: file, conversationId }: RolloutName): Steps<StoredSession | undefined> {
  const head = yield* readSessionHead(file);
  if (head?.preview === undefined) return undefined;
  return { conversationId, path: file, preview: head.preview, timestamp: head.timestamp, cwd: head.cwd };
}
