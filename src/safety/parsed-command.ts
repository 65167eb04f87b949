import { quoteCommand } from "../lib/quote-command.ts";
import { splitWords } from "../lib/split-words.ts";
import type { ParsedCommand } from "../protocol/event.ts";
import { readPlainScript } from "./plain-script.ts";
import { isSedPrint } from "./trusted-commands.ts";

type Words = readonly string[];

/** What a command does in the eyes of a person, for display only. */
export function parseCommandSummary(command: Words): readonly ParsedCommand[] {
  const [shell, flag, script] = command;
  const isScript = command.length === 3 && shell === "bash" && script !== undefined;
  if (isScript && flag === "-lc") {
    const commands = readPlainScript(script)?.map(({ words }) => words);
    return commands === undefined ? [{ type: "unknown", cmd: script }] : summarize(commands, script);
  }
  const words = (isScript && flag === "-c" ? splitWords(script) : undefined) ?? command;
  return summarize(words === command ? [command] : splitAtConnectors(words), quoteCommand(words));
}

/** `whole` stands for all of it where no single command does. */
function summarize(commands: readonly Words[], whole: string): readonly ParsedCommand[] {
  const telling = commands.filter((words) => !isFormatting(words));
  if (telling.length === 0) return [{ type: "unknown", cmd: whole }];
  const summaries: ParsedCommand[] = [];
  for (const words of withoutSteps(telling)) {
    const summary = classify(words);
    if (JSON.stringify(summary) !== JSON.stringify(summaries.at(-1))) summaries.push(summary);
  }
  const [first] = summaries;
  // The range that a later sed cuts out belongs to what was read.
  const isCut = commands.some((words) => words[0] === "sed" && words[1] === "-n" && words.length < 4);
  if (summaries.length === 1 && first?.type === "read" && isCut) return [{ ...first, cmd: whole }];
  return summaries;
}

function splitAtConnectors(words: Words): readonly Words[] {
  const commands: string[][] = [[]];
  for (const word of words) {
    if (connectors.has(word)) commands.push([]);
    else commands.at(-1)?.push(word);
  }
  return commands.filter((command) => command.length > 0);
}

const connectors: ReadonlySet<string> = new Set(["&&", "||", "|", ";"]);

/** Programs that only shape what another one printed. */
function isFormatting(words: Words): boolean {
  const [program = ""] = words;
  if (program === "head" || program === "tail") return words.length < 3;
  if (program === "sed") return !isSedPrint(words);
  return formatters.has(program);
}

const formatters: ReadonlySet<string> = new Set("wc tr cut sort uniq xargs tee column awk yes printf".split(" "));

/** Without what only prepares for another command or ends a chain. */
function withoutSteps(commands: readonly Words[]): readonly Words[] {
  const acting = orLast(
    commands.filter((words) => !isNumberingOfInput(words) && !(words[0] === "true" && words.length === 1)),
    commands,
  );
  const settled = acting.filter((words, index) => words[0] !== "cd" || index === acting.length - 1);
  const start = settled.findIndex((words) => words[0] !== "echo");
  return orLast(start === -1 ? [] : settled.slice(start), settled);
}

function orLast<T>(kept: readonly T[], all: readonly T[]): readonly T[] {
  return kept.length > 0 ? kept : all.slice(-1);
}

function isNumberingOfInput([program, ...args]: Words): boolean {
  return program === "nl" && args.every((arg) => arg.startsWith("-"));
}

function classify(words: Words): ParsedCommand {
  const cmd = quoteCommand(words);
  const file = readFileOf(words);
  if (file !== undefined) return { type: "read", cmd, name: file.split("/").findLast((part) => part !== "") ?? file };
  const [program = "", ...args] = words;
  switch (program) {
    case "ls":
      return { type: "list_files", cmd, path: shorten(operands(args, listValueFlags)[0]) };
    case "rg":
      return { type: "search", cmd, ...searchOf(args, ripgrepValueFlags) };
    case "grep":
      return { type: "search", cmd, ...searchOf(args, grepValueFlags) };
    case "fd":
      return { type: "search", cmd, ...fdSearchOf(args) };
    case "find":
      return { type: "search", cmd, ...findSearchOf(args) };
    default:
      return { type: "unknown", cmd };
  }
}

/** The one file whose text a command prints. */
function readFileOf(words: Words): string | undefined {
  const [program, ...args] = words;
  switch (program) {
    case "cat": {
      if (args[0] === "--") return args.length === 2 ? args[1] : undefined;
      return args.length === 1 && !args[0]?.startsWith("-") ? args[0] : undefined;
    }
    case "head":
    case "tail": {
      const [count = "", file, ...others] = args[0] === "-n" ? [`-n${args[1]}`, ...args.slice(2)] : args;
      const isCount = (program === "head" ? /^-n\d+$/ : /^-n\+?\d+$/).test(count);
      return isCount && others.length === 0 ? file : undefined;
    }
    case "nl":
      return operands(args, numberingValueFlags)[0];
    case "sed":
      return isSedPrint(words) ? words[3] : undefined;
    default:
      return undefined;
  }
}

interface Search {
  readonly query: string | null;
  readonly path: string | null;
}

function searchOf(args: Words, valueFlags: ReadonlySet<string>): Search {
  const [first, second] = operands(args, valueFlags);
  if (args.includes("--files")) return { query: null, path: shorten(first) };
  const flag = args.findIndex((arg) => arg === "-e" || arg === "--regexp");
  if (flag !== -1) return { query: args[flag + 1] ?? null, path: shorten(first) };
  return { query: first ?? null, path: shorten(second) };
}

function fdSearchOf(args: Words): Search {
  const [first, second] = operands(args, fdValueFlags);
  const isFolder = first !== undefined && (first.includes("/") || /^\.\.?$/.test(first));
  if (second === undefined && isFolder) return { query: null, path: shorten(first) };
  return { query: first ?? null, path: shorten(second) };
}

function findSearchOf(args: Words): Search {
  const test = args.findIndex((arg) => /^-i?(?:name|path|wholename|regex)$/.test(arg));
  const start = args[0];
  const path = start === undefined || /^[-(!]/.test(start) ? null : shorten(start);
  return { query: test === -1 ? null : (args[test + 1] ?? null), path };
}

const listValueFlags: ReadonlySet<string> = new Set(["-I", "-w", "-T", "--ignore", "--hide", "--width", "--tabsize"]);
const numberingValueFlags: ReadonlySet<string> = new Set(["-b", "-d", "-f", "-h", "-i", "-l", "-n", "-s", "-v", "-w"]);
const grepValueFlags: ReadonlySet<string> = new Set(
  (
    "-A -B -C -D -d -e -f -m --after-context --before-context --context --exclude --exclude-dir --file --include " +
    "--max-count --regexp"
  ).split(" "),
);
const ripgrepValueFlags: ReadonlySet<string> = new Set(
  (
    "-A -B -C -E -M -T -d -e -f -g -j -m -r -t --after-context --before-context --context --encoding --engine " +
    "--file --glob --iglob --ignore-file --max-columns --max-count --max-depth --max-filesize --regexp --replace " +
    "--sort --sortr --threads --type --type-not"
  ).split(" "),
);
const fdValueFlags: ReadonlySet<string> = new Set(
  (
    "-d -e -E -S -t -j --max-depth --min-depth --exact-depth --extension --exclude --size --type --threads " +
    "--changed-within --changed-before --max-results --base-directory"
  ).split(" "),
);

/** The arguments that are neither a flag nor the value of one. */
function operands(args: Words, valueFlags: ReadonlySet<string>): Words {
  const end = args.indexOf("--");
  const before = end === -1 ? args : args.slice(0, end);
  const found = before.filter((arg, index) => !arg.startsWith("-") && !valueFlags.has(before[index - 1] ?? ""));
  return end === -1 ? found : [...found, ...args.slice(end + 1)];
}

/** The last part of a path that says something. */
function shorten(path: string | undefined): string | null {
  if (path === undefined) return null;
  const parts = path.split("/").filter((part) => part !== "");
  return parts.findLast((part) => !commonFolders.has(part)) ?? parts.at(-1) ?? path;
}

const commonFolders: ReadonlySet<string> = new Set(["build", "dist", "node_modules", "src"]);
