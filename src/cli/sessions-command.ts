import path from "node:path";
import { createInterface } from "node:readline/promises";
import { findCodexHome } from "../config/codex-home.ts";
import { createCommandHost } from "../conversation/sandbox-set.ts";
import { UserError } from "../lib/errors.ts";
import { canonicalPath } from "../process/canonical-path.ts";
import type { ConversationId } from "../protocol/conversation-id.ts";
import { sessionMarkdown } from "../render/session-markdown.ts";
import { listText, sessionText } from "../render/session-text.ts";
import { isContext } from "../rollout/compacted-history.ts";
import { readRollout, type StoredConversation } from "../rollout/reader.ts";
import { isInUse, SessionInUse } from "../rollout/recorder.ts";
import { deleteSession, filesOfSession, findSession, listSessions, moveToArchive } from "../rollout/sessions.ts";
import { currentFolder } from "./current-folder.ts";
import { ProcessOutput } from "./process-output.ts";
import { findSessionId, noSession } from "./session-id.ts";

/** One of the `sessions` commands as its command line says it, checked by commander. */
export type SessionsAction = { readonly json: boolean } & (
  | {
      readonly type: "list";
      readonly limit: number;
      readonly isArchive: boolean;
      readonly cursor: string | undefined;
      readonly cwd: string | undefined;
    }
  | { readonly type: "show" | "archive" | "export"; readonly id: string }
  | { readonly type: "delete"; readonly id: string; readonly isSure: boolean }
);

interface Place {
  readonly codexHome: string;
  readonly output: ProcessOutput;
}

/** Returns the exit status. */
export async function sessionsCommand(action: SessionsAction): Promise<number> {
  const place = { codexHome: findCodexHome(process.env, currentFolder()), output: new ProcessOutput() };
  const status = await perform(action, place);
  await place.output.flush();
  if (place.output.problem !== undefined) throw new UserError(`Cannot write to stdout: ${place.output.problem}`);
  return place.output.stdoutClosed.aborted ? 141 : status;
}

async function perform(action: SessionsAction, place: Place): Promise<number> {
  switch (action.type) {
    case "list":
      list(action, place);
      return 0;
    case "show":
      show(action, place);
      return 0;
    case "archive":
      return archive(action, place);
    case "delete":
      return remove(action, place);
    case "export":
      exportSession(action, place);
      return 0;
    default:
      return action satisfies never;
  }
}

function list(action: Extract<SessionsAction, { type: "list" }>, { codexHome, output }: Place): void {
  const { limit, isArchive, cursor } = action;
  const cwd = action.cwd === undefined ? undefined : canonicalPath(action.cwd);
  const page = listSessions({ codexHome, pageSize: limit, cursor, isArchive, cwd });
  if (action.json) {
    output.stdout(jsonLine(page));
    return;
  }
  const width = process.stdout.isTTY ? process.stdout.columns : undefined;
  output.stdout(listText(page.items, { now: Date.now(), home: process.env["HOME"], width }));
  if (page.items.length === limit && page.nextCursor !== undefined) {
    output.stderr(`More: codex sessions list --cursor '${page.nextCursor}'\n`);
  }
}

function show({ id, json }: { readonly id: string; readonly json: boolean }, { codexHome, output }: Place): void {
  const { file, stored } = readSession(id, codexHome);
  const facts = factsOf(file, stored);
  const text = () => sessionText(facts, { items: said(stored), now: Date.now() });
  output.stdout(json ? jsonLine({ ...facts, messages: stored.events }) : text());
}

function exportSession(
  { id, json }: { readonly id: string; readonly json: boolean },
  { codexHome, output }: Place,
): void {
  const { file, stored } = readSession(id, codexHome);
  const facts = factsOf(file, stored);
  const everything = { ...facts, messages: stored.events, items: stored.items };
  output.stdout(json ? jsonLine(everything) : sessionMarkdown(facts, said(stored)));
}

function archive({ id, json }: { readonly id: string; readonly json: boolean }, { codexHome, output }: Place): number {
  const conversationId = findSessionId(id, codexHome);
  const [file, ...others] = findFiles(conversationId, codexHome);
  if (isArchived(file)) throw new UserError(`The session ${conversationId} is archived already.`);
  if (others.length > 0) {
    const files = [file, ...others].map((name) => `"${name}"`).join(", ");
    throw new UserError(`The session ${conversationId} has several files: ${files}. Move away those that are copies.`);
  }
  refuseIfInUse(conversationId, [file]);
  moveToArchive(codexHome, file);
  if (json) output.stdout(jsonLine({ conversationId, archived: true }));
  else output.stderr(`Archived ${conversationId}.\n`);
  return 0;
}

/** Copies go too: what is deleted for good is in none. Status 1 when the person thought better of it. */
async function remove(
  { id, json, isSure }: { readonly id: string; readonly json: boolean; readonly isSure: boolean },
  { codexHome, output }: Place,
): Promise<number> {
  const conversationId = findSessionId(id, codexHome);
  refuseIfInUse(conversationId, findFiles(conversationId, codexHome));
  const isWanted = isSure || (await confirm(`Delete the session ${conversationId} for good? [y/N] `));
  if (isWanted) {
    const files = findFiles(conversationId, codexHome); // looked for again: the person took their time
    if (!isSure) refuseIfInUse(conversationId, files);
    for (const file of files) deleteSession(file);
  }
  if (json) output.stdout(jsonLine({ conversationId, deleted: isWanted }));
  else output.stderr(isWanted ? `Deleted ${conversationId}.\n` : "Nothing was deleted.\n");
  return isWanted ? 0 : 1;
}

async function confirm(question: string): Promise<boolean> {
  if (!process.stdin.isTTY) throw new UserError("Nobody can be asked here: say --yes to delete the session.");
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await lines.question(question)).trim());
  } catch {
    return false; // ended with Ctrl-C or Ctrl-D
  } finally {
    lines.close();
  }
}

function refuseIfInUse(id: ConversationId, files: readonly string[]): void {
  const host = createCommandHost();
  const libc = host.tryLibc();
  const isLocked = files.some((file) => isInUse(file, libc));
  host.close();
  if (isLocked) throw new SessionInUse(`The session ${id} is in use by another process.`);
}

function readSession(id: string, codexHome: string): { readonly file: string; readonly stored: StoredConversation } {
  const conversationId = findSessionId(id, codexHome);
  const file = findSession(codexHome, conversationId, { withArchive: true });
  if (file === undefined) throw noSession(conversationId, codexHome);
  return { file, stored: readRollout(canonicalPath(file)) };
}

function findFiles(id: ConversationId, codexHome: string): readonly [string, ...string[]] {
  const [file, ...others] = filesOfSession(codexHome, id);
  if (file === undefined) throw noSession(id, codexHome);
  return [file, ...others];
}

function factsOf(file: string, { conversationId, meta, lastTurn, skipped }: StoredConversation) {
  return {
    conversationId,
    path: file,
    ...(meta.timestamp === undefined ? {} : { timestamp: meta.timestamp }),
    ...(meta.cwd === undefined ? {} : { cwd: lastTurn?.cwd ?? meta.cwd }),
    ...(lastTurn === undefined
      ? {}
      : { model: lastTurn.model, sandbox: lastTurn.sandbox_policy.mode, approval: lastTurn.approval_policy }),
    damagedLines: skipped,
    isArchived: isArchived(file),
  };
}

function isArchived(file: string): boolean {
  return path.basename(path.dirname(file)) === "archived_sessions";
}

/** Without what the program told the model about its surroundings. */
function said({ items }: StoredConversation) {
  return items.filter((item) => !isContext(item));
}

function jsonLine(value: object): string {
  return `${JSON.stringify(value)}
`;
}
