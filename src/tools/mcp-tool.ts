import { messageOf } from "../lib/errors.ts";
import { log } from "../lib/log.ts";
import { isRecord, type Parsed, parseJson } from "../lib/parse-json.ts";
import type { ServerTool } from "../mcp-client/connections.ts";
import { durationFromMs, type McpToolResult } from "../protocol/event.ts";
import { failure, type ToolContext, type ToolOutput } from "./tool.ts";
import { truncateMiddle } from "./tool-output.ts";

/** A call that goes to a configured server: nobody is asked, and it runs as long as its server takes. */
export async function runMcpTool(
  serverTool: ServerTool,
  argumentsText: string,
  { callId, signal, emit }: ToolContext,
): Promise<ToolOutput> {
  const parsed = parseToolArguments(argumentsText);
  if (!parsed.ok) return failure(`err: ${parsed.problem}`);
  const { server, tool } = serverTool;
  const invocation = { server, tool: tool.name, arguments: parsed.value ?? null };
  emit({ type: "mcp_tool_call_begin", call_id: callId, invocation });
  const startedAt = performance.now();
  const outcome = await call(serverTool, parsed.value, signal);
  if (signal.aborted) return failure("aborted"); // the interrupt is the end of this call
  emit({
    type: "mcp_tool_call_end",
    call_id: callId,
    invocation,
    duration: durationFromMs(performance.now() - startedAt),
    result: outcome.result,
  });
  return { text: truncateMiddle(outcome.text), isSuccess: outcome.isSuccess };
}

interface Outcome extends ToolOutput {
  readonly result: { readonly Ok: McpToolResult } | { readonly Err: string };
}

async function call(
  { server, tool, call: ask }: ServerTool,
  args: Readonly<Record<string, unknown>> | undefined,
  signal: AbortSignal,
): Promise<Outcome> {
  try {
    const result = await ask(args, signal);
    const text = JSON.stringify(result.structuredContent ?? result.content);
    return { result: { Ok: result }, text, isSuccess: result.isError !== true };
  } catch (error) {
    log("warn", "mcp", `${server}: ${tool.name} failed: ${messageOf(error)}`);
    // The reference keeps the cause to itself; a limit is the user's, and the model should not run into it again.
    const cause = error instanceof Error && error.name === "TimeoutError" ? `: ${error.message}` : "";
    const text = `tool call error: tool call failed for \`${server}/${tool.name}\`${cause}`;
    return { result: { Err: text }, text, isSuccess: false };
  }
}

/** Undefined when the model gave none. */
function parseToolArguments(text: string): Parsed<Readonly<Record<string, unknown>> | undefined> {
  if (text.trim() === "") return { ok: true, value: undefined };
  const parsed = parseJson(text);
  if (!parsed.ok) return parsed;
  if (parsed.value === null) return { ok: true, value: undefined };
  return isRecord(parsed.value)
    ? { ok: true, value: parsed.value }
    : { ok: false, problem: "the arguments of a tool are a JSON object" };
}
