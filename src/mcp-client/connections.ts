import type { McpServerConfig } from "../config/config.ts";
import type { Environment } from "../lib/environment.ts";
import { messageOf } from "../lib/errors.ts";
import { log } from "../lib/log.ts";
import { OrphanGuard } from "../process/orphan-guard.ts";
import type { McpTool, McpToolResult } from "../protocol/event.ts";
import type { FunctionToolDefinition } from "../protocol/tool-definition.ts";
import { ServerConnection } from "./server-connection.ts";
import { serverEnvironment } from "./server-environment.ts";
import { qualifiedToolName } from "./tool-names.ts";
import { cleanToolSchema } from "./tool-schema.ts";

/** A tool of a server, as the model is offered it and as its server knows it. */
export interface ServerTool {
  readonly definition: FunctionToolDefinition;
  readonly server: string;
  readonly tool: McpTool;
  /** Rejects when no result came: with the signal's reason, a TimeoutError, the server's error, or because it is gone. */
  call(args: Readonly<Record<string, unknown>> | undefined, signal: AbortSignal): Promise<McpToolResult>;
}

export interface StartFailure {
  readonly server: string;
  readonly message: string;
  readonly isRequired: boolean;
}

interface ConnectionsOptions {
  readonly servers: Readonly<Record<string, McpServerConfig>>;
  readonly cwd: string;
  readonly isCwdOfCall: boolean;
  /** Ours; a server sees little of it. */
  readonly env: Environment;
  readonly version: string;
}

/** The configured servers of one session, and their tools by the name the model knows. */
export class Connections {
  readonly #guard = new OrphanGuard();
  readonly #servers: readonly ServerConnection[];
  #tools: ReadonlyMap<string, ServerTool> = new Map();

  constructor({ servers, env, ...options }: ConnectionsOptions) {
    this.#servers = Object.entries(servers)
      .sort(byName)
      .map(([name, config]) => {
        const inherited = { env, cwd: options.cwd };
        const serverEnv = serverEnvironment(config, inherited);
        const fullPath = env["PATH"];
        return new ServerConnection(name, { ...options, config, env: serverEnv, fullPath, guard: this.#guard });
      });
  }

  /** Sorted by name, as the model is offered them. */
  get tools(): ReadonlyMap<string, ServerTool> {
    return this.#tools;
  }

  /** Starts all of them at once. Ends when each has started or could not, with those that could not, by name. */
  async start(): Promise<readonly StartFailure[]> {
    const failures = await Promise.all(this.#servers.map(startServer));
    this.#tools = collectTools(this.#servers);
    return failures.flat();
  }

  async close(): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.close()));
    this.#guard.close();
  }
}

async function startServer(server: ServerConnection): Promise<readonly StartFailure[]> {
  try {
    await server.start();
    return [];
  } catch (error) {
    void server.close();
    return [{ server: server.name, message: messageOf(error), isRequired: server.isRequired }];
  }
}

function collectTools(servers: readonly ServerConnection[]): ReadonlyMap<string, ServerTool> {
  const tools = new Map<string, ServerTool>();
  for (const server of servers) {
    for (const tool of server.tools) {
      const name = qualifiedToolName(server.name, tool.name);
      if (tools.has(name))
        log("warn", "mcp", `${server.name}: there is another tool named ${name}; this one is left out`);
      else tools.set(name, serverTool(name, { server, tool }));
    }
  }
  return new Map([...tools].sort(byName));
}

function serverTool(name: string, { server, tool }: { server: ServerConnection; tool: McpTool }): ServerTool {
  const { description, inputSchema } = tool;
  return {
    definition: {
      type: "function",
      name,
      description: typeof description === "string" ? description : "",
      strict: false,
      parameters: cleanToolSchema(inputSchema),
    },
    server: server.name,
    tool,
    call: (args, signal) => server.call(tool.name, args, signal),
  };
}

/** By code units, the same everywhere. */
function byName([left]: readonly [string, unknown], [right]: readonly [string, unknown]): number {
  return left < right ? -1 : Number(left > right);
}
