import { originatorOf, userAgent } from "../config/user-agent.ts";
import { messageOf } from "../lib/errors.ts";
import { log } from "../lib/log.ts";
import { isRecord } from "../lib/parse-json.ts";
import type { Line } from "../lib/read-lines.ts";
import { Turns } from "../lib/turns.ts";
import type { Conversations } from "./conversations.ts";
import { acceptClient } from "./handshake.ts";
import { classifyLine, type IdToken, type NotificationMessage, type RequestMessage, toIdToken } from "./message.ts";
import { type DirectMethod, isDirectMethod } from "./method-names.ts";
import { type LineOutput, Outgoing } from "./outgoing.ts";
import { internalError, invalidParams, invalidRequest, methodNotFound, RpcFailure } from "./rpc-failure.ts";
import type { ClientState, ServerState } from "./server-state.ts";
import { listedTools } from "./tool-definitions.ts";

interface ServerOptions extends Pick<ServerState, "config" | "overrides" | "env" | "processCwd" | "version"> {
  readonly output: LineOutput;
  /** Called once what serves conversations is loaded. */
  readonly onLoaded: (conversations: Conversations) => void;
}

/** A request under way. It is answered once; what a handler throws is its answer too. */
export interface OpenCall {
  readonly id: IdToken;
  readonly params: unknown;
  /** The line it came in, for numbers that JavaScript cannot hold. */
  readonly json: string;
  reply(result: object): void;
  /** The same for a result that may be large. */
  replyInSteps(result: object): Promise<void>;
  /** What a `notifications/cancelled` with its id does, also after the answer; undefined: nothing. */
  onCancel(cancel: (() => void) | undefined): void;
}

/** How long a request may take to be answered once everything it waits for has been stopped. */
const answerMs = 500;

/** Methods to handlers: every request is answered, and none waits for another. */
export class McpServer {
  readonly #outgoing: Outgoing;
  readonly #client: ClientState = { canElicit: false, info: undefined };
  readonly #state: ServerState;
  readonly #open = new Set<IdToken>();
  readonly #onAnswered: (() => void)[] = [];
  readonly #cancels = new Map<IdToken, () => void>();
  #isInitialized = false;
  /** Loaded with the first conversation or direct method. */
  #conversations: Promise<Conversations> | undefined;
  readonly #turns = new Turns();
  #isLeaving = false;
  readonly #onLoaded: ServerOptions["onLoaded"];

  constructor({ output, onLoaded, ...options }: ServerOptions) {
    this.#onLoaded = onLoaded;
    this.#outgoing = new Outgoing(output);
    const { config, version } = options;
    this.#state = {
      ...options,
      outgoing: this.#outgoing,
      client: this.#client,
      settings: config.mcp,
      userAgent: () => userAgent(originatorOf(config.env), { version, env: config.env, client: this.#client.info }),
    };
  }

  /** A line of the client. None ends the server, whatever it holds. */
  receive(line: Line): void {
    try {
      this.#take(line);
    } catch (error) {
      log("error", "mcp", `a line that cannot be handled: ${messageOf(error)}`);
      this.#outgoing.error(undefined, { code: invalidRequest, message: "Invalid Request" });
    }
  }

  #take(line: Line): void {
    const message = classifyLine(line);
    switch (message?.kind) {
      case undefined:
        return;
      case "request":
        this.#takeRequest(message);
        return;
      case "notification":
        this.#takeNotification(message);
        return;
      case "answer":
        this.#outgoing.takeAnswer(message.id, message.answer);
        return;
      case "unusable":
        log("warn", "mcp", `a line that is no message: ${message.problem}`);
        this.#outgoing.error(message.id, { code: message.code, message: message.problem });
        return;
      default:
        message satisfies never;
    }
  }

  /** Loads what conversations need, so that the first one need not wait for it. */
  warmUp(): void {
    if (this.#isLeaving) return;
    this.#loadConversations().catch((error: unknown) => {
      log("warn", "mcp", `cannot load what conversations need: ${messageOf(error)}`); // the first one tries again
    });
  }

  /** No line will come any more: nobody can answer questions. Resolves when the running turns have ended. */
  async finish(): Promise<void> {
    this.#isLeaving = true;
    const conversations = await this.#conversations;
    conversations?.leaveUnattended();
    while (this.#open.size > 0) await new Promise<void>((resolve) => this.#onAnswered.push(resolve));
    await conversations?.whenIdle();
  }

  /** Interrupts what runs, and lets everything go. */
  async close(): Promise<void> {
    this.#isLeaving = true;
    const conversations = await this.#conversations;
    await conversations?.close();
    // What that has interrupted still has its answer to give.
    const limit = AbortSignal.timeout(answerMs);
    const late = new Promise<void>((resolve) => limit.addEventListener("abort", () => resolve()));
    while (this.#open.size > 0 && !limit.aborted) {
      await Promise.race([late, new Promise<void>((resolve) => this.#onAnswered.push(resolve))]);
    }
    for (const id of this.#open) {
      this.#outgoing.error(id, { code: internalError, message: "the server is ending" });
    }
    this.#open.clear();
  }

  #takeRequest(message: RequestMessage): void {
    const { id } = message;
    if (this.#open.has(id)) {
      this.#outgoing.error(id, { code: invalidRequest, message: "request id already in use" });
      return;
    }
    this.#open.add(id);
    const settle = () => {
      this.#open.delete(id);
      for (const wake of this.#onAnswered.splice(0)) wake();
    };
    const call: OpenCall = {
      id,
      params: message.params,
      json: message.json,
      reply: (result) => {
        if (!this.#open.has(id)) return;
        this.#outgoing.result(id, result);
        settle();
      },
      replyInSteps: async (result) => {
        const write = await this.#outgoing.resultInSteps(id, result);
        if (!this.#open.has(id)) return;
        write();
        settle();
      },
      onCancel: (cancel) => {
        if (cancel === undefined) this.#cancels.delete(id);
        else this.#cancels.set(id, cancel);
      },
    };
    const fail = (error: unknown) => {
      if (!this.#open.has(id))
        return log("error", "mcp", `${message.method} failed after its answer: ${messageOf(error)}`);
      const code = error instanceof RpcFailure ? error.code : internalError;
      const text = error instanceof RpcFailure ? error.message : `internal error: ${messageOf(error)}`;
      this.#outgoing.error(id, { code, message: text });
      settle();
    };
    try {
      this.#handle(message.method, call)?.catch(fail);
    } catch (error) {
      fail(error);
    }
  }

  /** What needs nothing but an answer is answered here and now. */
  #handle(method: string, call: OpenCall): Promise<void> | undefined {
    switch (method) {
      case "initialize": {
        if (this.#isInitialized) throw new RpcFailure(invalidRequest, "initialize called more than once");
        const result = acceptClient(call.params, this.#state);
        this.#isInitialized = true;
        call.reply(result);
        return;
      }
      case "ping":
        call.reply({});
        return;
      case "tools/list":
        call.reply(listedTools(call.params, this.#state.settings));
        return;
      case "tools/call":
        return this.#callTool(call);
      default:
        if (isDirectMethod(method)) return this.#callMethod(method, call);
        throw new RpcFailure(methodNotFound, `Method not found: ${method}`);
    }
  }

  async #callTool(call: OpenCall): Promise<void> {
    if (!isRecord(call.params)) throw new RpcFailure(invalidParams, "Invalid params: missing field `params`");
    const { name } = call.params;
    if (typeof name !== "string") throw new RpcFailure(invalidParams, "Invalid params: missing field `name`");
    // A cancel may come before anything is loaded.
    let isCancelled = false;
    call.onCancel(() => {
      isCancelled = true;
    });
    const conversations = await this.#loadConversations();
    const { callTool } = await import("./tool-calls.ts");
    await this.#turns.next();
    call.onCancel(undefined);
    await callTool(name, call, { state: this.#state, conversations, isCancelled });
  }

  async #callMethod(method: DirectMethod, call: OpenCall): Promise<void> {
    const conversations = await this.#loadConversations();
    const { callMethod } = await import("./direct-methods.ts");
    await this.#turns.next();
    await callMethod(method, call, { state: this.#state, conversations });
  }

  #loadConversations(): Promise<Conversations> {
    if (this.#isLeaving) throw new RpcFailure(internalError, "the server is ending");
    this.#conversations ??= this.#startConversations();
    return this.#conversations;
  }

  async #startConversations(): Promise<Conversations> {
    try {
      const { Conversations } = await import("./conversations.ts");
      const conversations = new Conversations(this.#state);
      this.#onLoaded(conversations);
      return conversations;
    } catch (error) {
      this.#conversations = undefined; // the next request may have more luck
      throw error;
    }
  }

  #takeNotification({ method, params, json }: NotificationMessage): void {
    if (method !== "notifications/cancelled") {
      log("debug", "mcp", `the notification ${method} has no effect`);
      return;
    }
    const id = isRecord(params) ? toIdToken(params["requestId"], json, ["params", "requestId"]) : undefined;
    const cancel = id === undefined ? undefined : this.#cancels.get(id);
    if (cancel === undefined) log("debug", "mcp", `a cancel for ${id ?? "nothing"}, which does not run`);
    else cancel();
  }
}
