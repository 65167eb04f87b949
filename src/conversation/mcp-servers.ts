import { setImmediate } from "node:timers/promises";
import type { Config } from "../config/config.ts";
import { UserError } from "../lib/errors.ts";
import type { Connections, ServerTool } from "../mcp-client/connections.ts";
import type { McpTool } from "../protocol/event.ts";
import type { FunctionToolDefinition } from "../protocol/tool-definition.ts";

interface McpServersOptions {
  readonly version: string;
  /** A call of `codex mcp` has chosen the session's directory, not the user. */
  readonly isCwdOfCall: boolean;
}

/** The MCP servers of one session. Where none is configured, nothing of the client is loaded. */
export class McpServers {
  readonly #config: Pick<Config, "mcpServers" | "cwd" | "env">;
  readonly #options: McpServersOptions;
  #starting: Promise<void> | undefined;
  #connections: Connections | undefined;
  #missing: UserError | undefined;
  #isClosed = false;

  constructor(config: Pick<Config, "mcpServers" | "cwd" | "env">, options: McpServersOptions) {
    this.#config = config;
    this.#options = options;
  }

  /** Does not wait for them; `onFailure` is told of each that could not be started, by name, when all have had their chance. */
  start(onFailure: (message: string) => void): void {
    if (Object.keys(this.#config.mcpServers).length > 0) {
      this.#starting = this.#start(onFailure).finally(() => {
        this.#starting = undefined;
      });
    }
  }

  /** Undefined, or ends when each server has started or could not, at the latest after its time limits, or at the signal. */
  settled(signal?: AbortSignal): Promise<void> | undefined {
    const starting = this.#starting;
    if (starting === undefined || signal === undefined) return starting;
    if (signal.aborted) return undefined;
    return new Promise((resolve) => {
      const stop = () => {
        signal.removeEventListener("abort", stop);
        resolve();
      };
      signal.addEventListener("abort", stop);
      void starting.then(stop);
    });
  }

  /** Throws a UserError when a server did not start without which a run is not wanted. */
  requireAll(): void {
    if (this.#missing !== undefined) throw this.#missing;
  }

  /** Those of the servers that have started, sorted by name. */
  get definitions(): readonly FunctionToolDefinition[] {
    return [...(this.#connections?.tools.values() ?? [])].map(({ definition }) => definition);
  }

  tool(name: string): ServerTool | undefined {
    return this.#connections?.tools.get(name);
  }

  /** By the name the model knows, as their servers describe them. */
  descriptions(): Readonly<Record<string, McpTool>> {
    return Object.fromEntries([...(this.#connections?.tools ?? [])].map(([name, { tool }]) => [name, tool]));
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#connections?.close();
    await this.#starting;
  }

  async #start(onFailure: (message: string) => void): Promise<void> {
    await setImmediate(); // whoever opened the session listens to its events first
    const { Connections } = await import("../mcp-client/connections.ts");
    if (this.#isClosed) return;
    const { mcpServers: servers, cwd, env } = this.#config;
    const connections = new Connections({ servers, cwd, env, ...this.#options });
    this.#connections = connections;
    const failures = await connections.start();
    if (this.#isClosed) return connections.close();
    for (const { server, message, isRequired } of failures) {
      onFailure(`MCP client for \`${server}\` failed to start: ${message}`);
      if (isRequired)
        this.#missing ??= new UserError(`MCP server \`${server}\` is required and did not start: ${message}`);
    }
  }
}
