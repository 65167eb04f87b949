import { quoteCommand } from "../lib/quote-command.ts";
import type { ResponseItem } from "../protocol/response-item.ts";
import { excerpt, firstLine } from "./excerpt.ts";
import { showControls, stripControls } from "./printable.ts";
import { callText, outputText } from "./stored-call.ts";

interface ListedSession {
  readonly conversationId: string;
  readonly preview: string;
  readonly timestamp: string | undefined;
  readonly cwd: string | undefined;
}

/** What is known of a session beside what was said in it; absent what its version did not write. */
export interface SessionFacts {
  readonly conversationId: string;
  readonly path: string;
  readonly timestamp?: string;
  readonly cwd?: string;
  readonly model?: string;
  readonly sandbox?: string;
  readonly approval?: string;
  readonly damagedLines: number;
  readonly isArchived: boolean;
}

/** One line a session: id, age, folder, the first words. `width` is the terminal's; without one nothing is cut. */
export function listText(
  sessions: readonly ListedSession[],
  { now, home, width }: { readonly now: number; readonly home: string | undefined; readonly width: number | undefined },
): string {
  const rows = sessions.map(({ conversationId, preview, timestamp, cwd }) => [
    conversationId,
    ageText(timestamp, now),
    showControls(shortFolder(cwd ?? "", home)),
    stripControls(firstLine(preview.trim())),
  ]);
  const widths = [0, 1, 2].map((column) => Math.max(0, ...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) => {
      const line = row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ");
      return `${width === undefined || line.length <= width ? line : `${line.slice(0, Math.max(0, width - 1))}…`}\n`;
    })
    .join("");
}

/** For a person: the facts, then what was said and done, outputs in short. */
export function sessionText(
  facts: SessionFacts,
  { items, now }: { readonly items: readonly ResponseItem[]; readonly now: number },
): string {
  const { timestamp } = facts;
  const head: readonly (readonly [string, string | undefined])[] = [
    ["session", facts.conversationId],
    ["started", timestamp && `${timestamp} (${ageText(timestamp, now)})`],
    ["workdir", facts.cwd],
    ["model", facts.model],
    ["sandbox", facts.sandbox],
    ["approval", facts.approval],
    ["file", facts.path],
    ["archived", facts.isArchived ? "yes" : undefined],
    ["damaged lines", facts.damagedLines === 0 ? undefined : String(facts.damagedLines)],
  ];
  const lines = head.flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${showControls(value)}\n`]));
  return [...lines, ...items.flatMap(itemText)].join("");
}

function itemText(item: ResponseItem): string {
  switch (item.type) {
    case "message": {
      const texts = item.content.map((part) => (part.type === "input_image" ? "[image]" : part.text));
      return `\n${item.role === "assistant" ? "codex" : item.role}:\n${stripControls(texts.join("\n")).trimEnd()}\n`;
    }
    case "reasoning": {
      const text = item.summary.map((part) => part.text).join("\n");
      return text.trim() === "" ? "" : `\nthinking:\n${stripControls(text).trimEnd()}\n`;
    }
    case "function_call":
    case "local_shell_call":
    case "custom_tool_call":
      return `\n${showControls(callText(item, quoteCommand)).trimEnd()}\n`;
    case "function_call_output":
    case "custom_tool_call_output":
      return `${excerpt(outputText(item.output)).trimEnd()}\n`;
    default:
      return item satisfies never;
  }
}

const units = [
  [60_000, 60, "min"],
  [3_600_000, 24, "h"],
  [86_400_000, Number.POSITIVE_INFINITY, "d"],
] as const;

function ageText(timestamp: string | undefined, now: number): string {
  const ms = now - Date.parse(timestamp ?? "");
  if (Number.isNaN(ms)) return "?";
  if (ms < 60_000) return "now";
  const [size, , name] = units.find(([length, most]) => ms < length * most) ?? [86_400_000, 0, "d"];
  return `${Math.floor(ms / size)} ${name} ago`;
}

function shortFolder(folder: string, home: string | undefined): string {
  if (!home || (folder !== home && !folder.startsWith(`${home}/`))) return folder;
  return `~${folder.slice(home.length)}`;
}
