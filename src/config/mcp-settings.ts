import { type SandboxMode, sandboxModes } from "../protocol/policy.ts";
import {
  listOf,
  readBoolean,
  readOneOf,
  readSecondsAsMs,
  readStrings,
  readUnsigned,
  type TomlTable,
  WrongValue,
} from "./toml-table.ts";

/** How `codex mcp` serves: the table `mcp` of config.toml. */
export interface McpSettings {
  /** Which notifications tell of a tool call's events; `both`: also one named after the type, as in August 2025. */
  readonly events: (typeof eventKinds)[number];
  /** Lists the tools of August 2025; they can be called in any case. */
  readonly structuredTools: boolean;
  /** What becomes of a `codex-reply` while its conversation works: it waits, or joins. */
  readonly busy: (typeof busyModes)[number];
  /** After it, a question that nobody answers counts as denied. */
  readonly approvalTimeoutMs: number | undefined;
  /** What an elicitation asks for: the four decisions, or nothing, as the reference did. */
  readonly approvalSchema: "choices" | "empty";
  /** How long running turns have once stdin has ended. */
  readonly exitGraceMs: number;
  readonly echoProtocolVersion: boolean;
  /** Arguments that no tool has are an error. */
  readonly strictArguments: boolean;
  /** Of each text in the end event of a command. */
  readonly maxOutputBytes: number | undefined;
  /** The loosest sandbox that a call may ask for. */
  readonly maxSandbox: SandboxMode;
  /** Arguments that a call cannot change. */
  readonly locked: readonly LockableArgument[];
  /** Calls may name programs that run outside the sandbox: `notify` and `mcp_servers`. */
  readonly allowCallPrograms: boolean;
}

export const eventKinds = ["none", "codex", "both"] as const;
export const busyModes = ["queue", "steer"] as const;

/** The arguments of `codex` that say how a session runs, under their first names. */
export const lockableArguments = [
  "approval-policy",
  "base-instructions",
  "config",
  "cwd",
  "include-plan-tool",
  "model",
  "profile",
  "sandbox",
] as const;
export type LockableArgument = (typeof lockableArguments)[number];

/** What `lock = true` locks. */
const usualLock: readonly LockableArgument[] = ["approval-policy", "config", "profile", "sandbox"];

const defaultExitGraceMs = 5_000;

/** Throws a WrongValue. */
export function readMcpSettings(table: TomlTable): McpSettings {
  return {
    events: readOneOf(table, "events", eventKinds) ?? "codex",
    structuredTools: readBoolean(table, "structured_tools") ?? false,
    busy: readOneOf(table, "busy", busyModes) ?? "queue",
    approvalTimeoutMs: readSecondsAsMs(table, "approval_timeout_sec") || undefined,
    approvalSchema: readOneOf(table, "approval_schema", ["choices", "empty"]) ?? "choices",
    exitGraceMs: readSecondsAsMs(table, "exit_grace_sec") ?? defaultExitGraceMs,
    echoProtocolVersion: readBoolean(table, "echo_protocol_version") ?? false,
    strictArguments: readBoolean(table, "strict_arguments") ?? false,
    maxOutputBytes: readUnsigned(table, "max_output_bytes"),
    maxSandbox: readOneOf(table, "max_sandbox", sandboxModes) ?? "danger-full-access",
    locked: [...new Set([...(readBoolean(table, "lock") === true ? usualLock : []), ...readLocked(table)])],
    allowCallPrograms: readBoolean(table, "allow_call_programs") ?? false,
  };
}

function readLocked(table: TomlTable): readonly LockableArgument[] {
  return (readStrings(table, "locked") ?? []).map((text) => {
    const name = lockableArguments.find((known) => sameLetters(known, text));
    if (name !== undefined) return name;
    throw new WrongValue(`${table.key}.locked`, `unknown argument \`${text}\`, expected ${listOf(lockableArguments)}`);
  });
}

/** `approval_policy` and `approvalPolicy` are other spellings of `approval-policy`. */
export function sameLetters(name: string, other: string): boolean {
  return letters(name) === letters(other);
}

function letters(name: string): string {
  return name.replaceAll(/[-_]/g, "").toLowerCase();
}
