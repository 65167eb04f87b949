import type {
  CallToolRequestParams,
  ElicitResult,
  InitializeRequestParams,
  PaginatedRequestParams,
} from "@modelcontextprotocol/sdk/spec.types.js";
import type { McpServerConfig } from "../config/config.ts";
import { explainSystemError } from "../lib/errors.ts";
import { isLogged, log } from "../lib/log.ts";
import { isRecord } from "../lib/parse-json.ts";
import { LineCutter } from "../lib/read-lines.ts";
import { runInSteps } from "../lib/steps.ts";
import type { OrphanGuard } from "../process/orphan-guard.ts";
import { ServerProcess } from "../process/server-process.ts";
import type { McpTool, McpToolResult } from "../protocol/event.ts";
import { serverNameProblem, serverPlaceProblem, startFolder } from "./check-server.ts";
import { type Answer, JsonRpcPeer, RpcError } from "./json-rpc-peer.ts";

export interface ServerOptions {
  readonly config: McpServerConfig;
  /** The session's directory; what relative paths in `command` and `args` start at. */
  readonly cwd: string;
  readonly isCwdOfCall: boolean;
  /** PATH with the folders of the repository, which `env` is without. */
  readonly fullPath: string | undefined;
  /** The whole environment of the server. */
  readonly env: Readonly<Record<string, string>>;
  /** Ours, for the server to know. */
  readonly version: string;
  readonly guard: OrphanGuard;
}

/** A tool result may hold images; more than this in one line is no answer but a fault. */
const longestLine = 64 * 1024 * 1024;
const mostPages = 100;
const methodNotFound = -32601;

/** One configured server, from its start to its end. */
export class ServerConnection {
  readonly name: string;
  readonly #options: ServerOptions;
  readonly #peer: JsonRpcPeer;
  readonly #closing = new AbortController();
  #process: ServerProcess | undefined;
  #tools: readonly McpTool[] = [];

  constructor(name: string, options: ServerOptions) {
    this.name = name;
    this.#options = options;
    this.#peer = new JsonRpcPeer({
      send: (line) => this.#process?.write(line),
      answer: answerTo,
      onIgnored: (what) => this.#log(`passed over ${what}`),
    });
  }

  get isRequired(): boolean {
    return this.#options.config.required === true;
  }

  /** As the server listed them, without those that the configuration leaves out. */
  get tools(): readonly McpTool[] {
    return this.#tools;
  }

  /** Rejects, in words for the user, when the server is of no use; it is to be closed then, too. */
  async start(): Promise<void> {
    const problem = serverNameProblem(this.name) ?? (await runInSteps(serverPlaceProblem(this.name, this.#options)));
    if (problem !== undefined) throw new Error(problem);
    await this.#startProcess();
    const timeoutMs = this.#options.config.startupTimeoutMs;
    const signal = this.#closing.signal;
    const capabilities = await this.#initialize({ signal, timeoutMs });
    this.#tools = (await this.#listTools({ signal, timeoutMs, capabilities })).filter((tool) => this.#isWanted(tool));
  }

  /** Rejects with the signal's reason, a TimeoutError, an RpcError, or because the server is gone. */
  async call(tool: string, args: CallToolRequestParams["arguments"], signal: AbortSignal): Promise<McpToolResult> {
    const params: CallToolRequestParams = { ...(args === undefined ? {} : { arguments: args }), name: tool };
    const timeoutMs = this.#options.config.toolTimeoutMs;
    const result = await this.#peer.request("tools/call", params, { signal, timeoutMs });
    return readToolResult(result);
  }

  async close(): Promise<void> {
    this.#closing.abort(new Error("the session ended"));
    await this.#process?.close();
  }

  async #startProcess(): Promise<void> {
    const { config, env, guard } = this.#options;
    const lines = new LineCutter({ maxBytes: longestLine });
    const command = { program: config.command, args: config.args, cwd: startFolder(this.#options), env };
    const onStderr = isLogged("debug", "mcp")
      ? (chunk: Buffer) => {
          for (const line of chunk.toString().split("\n")) if (line !== "") this.#log(line);
        }
      : undefined;
    const onOutput = (chunk: Buffer) => {
      for (const line of lines.add(chunk)) this.#receive(line);
    };
    try {
      this.#process = await ServerProcess.start(command, { guard, onOutput, onStderr });
    } catch (cause) {
      throw new Error(explainSystemError(cause), { cause });
    }
    void this.#process.ended.then((how) => {
      this.#log(how);
      this.#receive(lines.rest());
      this.#peer.close(new Error(`connection closed: ${how}`));
    });
    if (this.#closing.signal.aborted) await this.#process.close();
  }

  /** Bytes that are not UTF-8 become replacement characters: the rest of an answer is of use. */
  #receive(line: Buffer | "too long"): void {
    if (line === "too long") {
      this.#peer.close(new Error(`connection closed: the server sent a line of more than ${longestLine} bytes`));
      void this.#process?.close();
      return;
    }
    const text = line.toString().trim();
    if (text !== "") this.#peer.receive(text);
  }

  /** Returns what the server says it can do. The fields stand in the order of the reference. */
  async #initialize(limits: Limits): Promise<unknown> {
    const params: InitializeRequestParams = {
      capabilities: { elicitation: {} },
      clientInfo: { name: "codex-mcp-client", title: "Codex", version: this.#options.version },
      protocolVersion: "2025-06-18",
    };
    const result = await this.#peer.request("initialize", params, limits);
    this.#peer.notify("notifications/initialized");
    return isRecord(result) ? result["capabilities"] : undefined;
  }

  /** All pages, within one time limit. */
  async #listTools({
    capabilities,
    signal,
    timeoutMs,
  }: Limits & { capabilities: unknown }): Promise<readonly McpTool[]> {
    const deadline = performance.now() + timeoutMs;
    const tools: McpTool[] = [];
    const seen = new Set<string>();
    let params: PaginatedRequestParams | undefined;
    for (let page = 1; page <= mostPages; page += 1) {
      const limits = { signal, timeoutMs: Math.max(0, deadline - performance.now()) };
      let result: unknown;
      try {
        result = await this.#peer.request("tools/list", params, limits);
      } catch (error) {
        // A server that never claimed to have tools need not know the method.
        const hasTools = isRecord(capabilities) && capabilities["tools"] !== undefined;
        if (error instanceof RpcError && error.code === methodNotFound && !hasTools) return [];
        throw error;
      }
      const listed = isRecord(result) && Array.isArray(result["tools"]) ? result["tools"] : [];
      for (const tool of listed) {
        if (isTool(tool)) tools.push(tool);
        else this.#warn("a tool without a name was left out");
      }
      const cursor = isRecord(result) ? result["nextCursor"] : undefined;
      if (typeof cursor !== "string" || cursor === "") return tools;
      if (seen.has(cursor)) break;
      seen.add(cursor);
      params = { cursor };
    }
    this.#warn(`the list of tools has no end; ${tools.length} were taken`);
    return tools;
  }

  #isWanted({ name }: McpTool): boolean {
    const { enabledTools, disabledTools = [] } = this.#options.config;
    return (enabledTools === undefined || enabledTools.includes(name)) && !disabledTools.includes(name);
  }

  #warn(message: string): void {
    log("warn", "mcp", `${this.name}: ${message}`);
  }

  #log(message: string): void {
    log("debug", "mcp", `${this.name}: ${message}`);
  }
}

interface Limits {
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
}

/** Nobody is there to be asked: what we cannot do is refused at once, so that the server does not wait for it. */
function answerTo(method: string): Answer {
  if (method === "ping") return { result: {} };
  if (method === "elicitation/create") return { result: { action: "cancel" } satisfies ElicitResult };
  return { error: { code: methodNotFound, message: `Method not found: ${method}` } };
}

function isTool(value: unknown): value is McpTool {
  return isRecord(value) && typeof value["name"] === "string";
}

/** Fields that MCP does not know go no further. */
function readToolResult(result: unknown): McpToolResult {
  if (!isRecord(result)) throw new Error("server sent a tool result that is no object");
  const { content, isError, structuredContent } = result;
  return {
    content: Array.isArray(content) ? content : [],
    ...(typeof isError === "boolean" ? { isError } : {}),
    ...(structuredContent === undefined || structuredContent === null ? {} : { structuredContent }),
  };
}
