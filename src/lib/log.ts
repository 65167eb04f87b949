import process from "node:process";
import type { Environment } from "./environment.ts";

export type LogLevel = "error" | "warn" | "info" | "debug" | "trace";

const levels: readonly string[] = ["error", "warn", "info", "debug", "trace"] satisfies readonly LogLevel[];

interface Directive {
  /** The part of the program it is about; empty for every part. */
  readonly target: string;
  /** How many of the levels are shown. */
  readonly shown: number;
}

let directives: readonly Directive[] = [];
let write = (text: string): void => void process.stderr.write(text);

/** The variable that says what is logged: ours, or the one that the reference reads. */
export function logFilter(env: Environment): string | undefined {
  return env["CODEX_LOG"] || env["RUST_LOG"] || undefined;
}

/**
 * Shows log lines on stderr from here on: those that CODEX_LOG or RUST_LOG ask for ("debug", "warn,sandbox=trace",
 * "off"), otherwise those up to `defaultLevel`. What is not understood in a filter is passed over, as the reference does.
 */
export function startLog(env: Environment, defaultLevel: LogLevel, writeText = write): void {
  write = writeText;
  directives = parseFilter(logFilter(env) ?? defaultLevel);
}

export function isLogged(level: LogLevel, target: string): boolean {
  const best = directives
    .filter((directive) => target.startsWith(directive.target))
    .reduce<Directive | undefined>(
      (found, next) => (found === undefined || next.target.length >= found.target.length ? next : found),
      undefined,
    );
  return best !== undefined && levels.indexOf(level) < best.shown;
}

/** One line for people who look for the cause of something; never a credential, and never the only place of an error. */
export function log(level: LogLevel, target: string, message: string): void {
  if (directives.length === 0 || !isLogged(level, target)) return;
  const text = message.replaceAll(/\p{Cc}/gu, " ");
  write(`${new Date().toISOString()} ${level.toUpperCase().padStart(5)} ${target}: ${text}\n`);
}

function parseFilter(filter: string): readonly Directive[] {
  return filter.split(",").flatMap((part) => {
    const [name = "", level] = part.trim().toLowerCase().split("=");
    const word = level ?? name;
    const shown = word === "off" ? 0 : levels.indexOf(word) + 1;
    if (shown === 0 && word !== "off") return [];
    return [{ target: level === undefined ? "" : name, shown }];
  });
}
