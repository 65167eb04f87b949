import { type Command, InvalidArgumentError, Option } from "commander";
import { busyModes, eventKinds } from "../config/mcp-settings.ts";
import type { McpOptions } from "./mcp-command.ts";

interface McpFlags {
  readonly config?: readonly string[];
  readonly events?: string;
  readonly structuredTools?: boolean;
  readonly busy?: string;
  readonly approvalTimeout?: number;
  readonly lock?: boolean;
}

/** `codex mcp`, with the other names it has had. Its flags are short for keys of the table `mcp` in config.toml. */
export function addMcpCommand(program: Command, serve: (options: McpOptions) => Promise<void>): void {
  const mcp = program
    .command("mcp")
    .alias("mcp-server")
    .allowExcessArguments(false)
    .summary("serve other agents and editors over MCP")
    .description(
      "Serve other agents and editors as an MCP server on stdin and stdout: the tools codex and codex-reply, events, approvals as elicitations. It ends with its input, once the running turns are done.",
    )
    .addArgument(program.createArgument("[serve]", "the same, spelled out").choices(["serve"]))
    .option("-c, --config <key=value>", "override a value of config.toml; may be repeated", collect)
    .addOption(new Option("--events <kind>", "how the events of a call are told; default: codex").choices(eventKinds))
    .option("--structured-tools", "list the tools conversationCreate, conversationSendMessage and so on")
    .addOption(
      new Option("--busy <mode>", "what becomes of a codex-reply to a session that works; default: queue").choices(
        busyModes,
      ),
    )
    .option("--approval-timeout <seconds>", "deny what nobody answers within this time", seconds)
    .option("--lock", "refuse calls that loosen sandbox or approvals, or change config or profile")
    .helpOption("-h, --help", "print help");
  mcp.action(() => {
    const parent: { readonly config?: readonly string[] } = program.opts();
    const flags: McpFlags = mcp.opts();
    const { events, structuredTools, busy, approvalTimeout, lock } = flags;
    return serve({
      overrides: [
        ...(parent.config ?? []),
        ...(flags.config ?? []),
        ...(events === undefined ? [] : [`mcp.events=${events}`]),
        ...(structuredTools ? ["mcp.structured_tools=true"] : []),
        ...(busy === undefined ? [] : [`mcp.busy=${busy}`]),
        ...(approvalTimeout === undefined ? [] : [`mcp.approval_timeout_sec=${approvalTimeout}`]),
        ...(lock ? ["mcp.lock=true"] : []),
      ],
    });
  });
}

function collect(value: string, values: readonly string[] = []): readonly string[] {
  return [...values, value];
}

function seconds(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !(value > 0)) throw new InvalidArgumentError("It must be a number of seconds above 0.");
  return value;
}
