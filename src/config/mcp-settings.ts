import { readBoolean, readOneOf, readSecondsAsMs, readUnsigned, type TomlTable } from "./toml-table.ts";

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
}

export const eventKinds = ["none", "codex", "both"] as const;
export const busyModes = ["queue", "steer"] as const;

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
  };
}
