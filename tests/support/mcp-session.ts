import { isRecord } from "../../src/lib/parse-json.ts";
import type { Event, EventMsg } from "../../src/protocol/event.ts";
import { type LineSession, startLineSession } from "./line-session.ts";
import { mcpProblem } from "./mcp-schema.ts";
import type { RunOptions } from "./run-codex.ts";

/** A line of the server, parsed; what it holds was held against the package's schema. */
export interface McpMessage {
  readonly id?: string | number | null;
  readonly method?: string;
  // biome-ignore lint/suspicious/noExplicitAny: each test knows what it has asked for
  readonly params?: any;
  // biome-ignore lint/suspicious/noExplicitAny: each test knows what it has asked for
  readonly result?: any;
  readonly error?: { readonly code: number; readonly message: string };
}

type Pattern = (message: McpMessage) => boolean;

/** A `codex mcp` process under test. */
export interface McpSession extends LineSession {
  readonly messages: readonly McpMessage[];
  /** Each line of stdout as it is. */
  readonly lines: readonly string[];
  /** Sends any message. */
  send(message: object): void;
  /** Sends a request and returns its answer; ids count from 1000 unless one is given. */
  request(method: string, params?: unknown, id?: string | number): Promise<McpMessage>;
  initialize(capabilities?: object): Promise<McpMessage>;
  /** The same with a `tools/call`; `meta` becomes `_meta`. */
  call(
    tool: string,
    args?: unknown,
    options?: { readonly id?: string | number; readonly meta?: object },
  ): Promise<McpMessage>;
  /** The next message of this kind that no earlier wait has returned. */
  next(pattern: Pattern): Promise<McpMessage>;
  /** The next event of this type, however it is told. */
  event<Type extends EventMsg["type"]>(type: Type): Promise<McpMessage>;
  /** The next request of the server by this method. */
  asked(method: string): Promise<McpMessage>;
  answer(request: McpMessage, result: unknown): void;
}

export interface McpOptions extends RunOptions {
  /** Behind `mcp`. */
  readonly args?: readonly string[];
}

/** Settings under which nothing is asked and nothing is sandboxed. */
export const fullAccess = ['sandbox_mode = "danger-full-access"', 'approval_policy = "never"'];
/** Settings under which every command that is not known to only read is asked for. */
export const untrusted = ['sandbox_mode = "danger-full-access"', 'approval_policy = "untrusted"'];

export function startMcp({ args = [], ...options }: McpOptions = {}): McpSession {
  const asked = new Map<unknown, { readonly method: string; readonly tool?: string }>();
  const { session, messages, lines } = startLineSession<McpMessage>({
    args: ["mcp", ...args],
    problemOf: (message) => mcpProblem(message, (id) => asked.get(id)),
    ...options,
  });
  let nextId = 1000;
  const send = (message: object) => {
    if ("id" in message && "method" in message) {
      const params = "params" in message && isRecord(message.params) ? message.params : {};
      const tool = params["name"];
      asked.set(message.id, { method: String(message.method), ...(typeof tool === "string" ? { tool } : {}) });
    }
    session.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
  };
  const next = (pattern: Pattern) => messages.next(pattern, () => `The server ended; it said: ${lines.join("\n")}`);
  const request = (method: string, params?: unknown, id: string | number = nextId++) => {
    send({ id, method, ...(params === undefined ? {} : { params }) });
    return next((message) => message.id === id && message.method === undefined);
  };
  return {
    ...session,
    messages: messages.all,
    lines,
    send,
    next,
    request,
    initialize: (capabilities = { elicitation: {} }) =>
      request("initialize", {
        protocolVersion: "2025-06-18",
        capabilities,
        clientInfo: { name: "spec-probe", title: "Spec Probe", version: "1.2.3" },
      }),
    call: (name, args, { id, meta } = {}) =>
      request(
        "tools/call",
        { name, ...(args === undefined ? {} : { arguments: args }), ...(meta === undefined ? {} : { _meta: meta }) },
        id,
      ),
    event: (type) => next((message) => message.params?.msg?.type === type),
    asked: (method) => next((message) => message.method === method && message.id !== undefined),
    answer: ({ id }, result) => send({ id, result }),
  };
}

/** The events told for one call, or by one method, in order. */
export function eventsOf({ messages }: Pick<McpSession, "messages">, requestId: string | number): readonly Event[] {
  return messages
    .filter(({ method, params }) => method === "codex/event" && params._meta?.requestId === requestId)
    .map(({ params }) => params);
}

export function typesOf(events: readonly Event[]): readonly string[] {
  return events.map(({ msg }) => msg.type);
}

/** What a tool call says in words. */
export function textOf(message: McpMessage): string | undefined {
  return message.result?.content?.[0]?.text;
}
