import { once, setMaxListeners } from "node:events";
import http from "node:http";
import { text as readText } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { parseJson } from "../../src/lib/parse-json.ts";
import { chatEvents, responsesEvents } from "./model-events.ts";
import { problemOf } from "./request-check.ts";

/** One scripted answer of the fake model; an empty step is an answer without text. */
export interface ModelStep {
  readonly text?: string;
  /** How `text` is cut for streaming; default: one delta. */
  readonly deltas?: readonly string[];
  /** Summary parts on the Responses wire, `reasoning` text on the chat wire. */
  readonly reasoning?: string | readonly string[];
  /** Raw reasoning (`reasoning_text` content), Responses wire only. */
  readonly rawReasoning?: string;
  readonly encrypted?: string;
  readonly calls?: readonly ModelCall[];
  /** Output items as they are, Responses wire only; sent before calls and text. */
  readonly items?: readonly object[];
  /** Default: 100 input (10 cached), 20 output (5 reasoning) on the Responses wire, none on chat; null: none. */
  readonly usage?: ModelUsage | null;
  /** Wait before the first byte. */
  readonly delayMs?: number;
  /** Sends no byte before this is settled. */
  readonly after?: Promise<unknown>;
  /** Called before each server-sent event, with its index; the event waits for the promise. */
  readonly gate?: (index: number) => Promise<unknown> | undefined;
  /** Wait after each server-sent event. */
  readonly gapMs?: number;
  /** Answers with this status, `body` and `headers` instead of a stream. */
  readonly status?: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Breaks the connection after this many events. */
  readonly cut?: number;
  /** True: headers, then silence. "headers": silence from the start. */
  readonly hang?: boolean | "headers";
  /** Sends everything, then leaves the connection open. */
  readonly keepOpen?: boolean;
  readonly failed?: { readonly code?: string; readonly message?: string };
  readonly incomplete?: string;
  /** Server-sent bytes exactly as given, instead of everything above. */
  readonly raw?: readonly string[];
}

export interface ModelCall {
  readonly name: string;
  readonly args?: unknown;
  /** Text of the arguments as it is, for broken ones. */
  readonly rawArgs?: string;
  /** Makes it a free-form (custom) call with this input. */
  readonly custom?: string;
  readonly callId?: string;
}

interface ModelUsage {
  readonly input: number;
  readonly cached?: number;
  readonly output: number;
  readonly reasoning?: number;
}

export function say(text: string, options: Omit<ModelStep, "text"> = {}): ModelStep {
  return { text, ...options };
}

export function think(reasoning: string | readonly string[], options: Omit<ModelStep, "reasoning"> = {}): ModelStep {
  return { reasoning, ...options };
}

export function callTool(name: string, args: unknown, options: Omit<ModelStep, "calls"> = {}): ModelStep {
  return { calls: [{ name, args }], ...options };
}

/** A `shell` call; `args` go beside `command` (workdir, timeout_ms and so on). */
export function callShell(
  command: readonly string[],
  { args = {}, ...options }: { readonly args?: object } & Omit<ModelStep, "calls"> = {},
): ModelStep {
  return callTool("shell", { command, ...args }, options);
}

interface ReceivedRequest {
  readonly method: string;
  /** With the query, if there is one. */
  readonly path: string;
  readonly headers: http.IncomingHttpHeaders;
  /** Parsed; the text itself when it is not JSON, null when empty. */
  readonly body: unknown;
}

/** A step, or a function that chooses it by the request. */
export type ScriptedStep = ModelStep | ((request: ReceivedRequest) => ModelStep);

export interface FakeModelOptions {
  /** Impossible requests are answered as if they were possible. */
  readonly lenient?: boolean;
  /** The last step answers every further request; otherwise a request beyond the script is a problem. */
  readonly repeatLast?: boolean;
  /** Bodies are checked but not kept, for runs of a thousand requests. */
  readonly forgetful?: boolean;
}

export interface FakeModel extends AsyncDisposable {
  /** Base URL; ends in /v1. */
  readonly url: string;
  /** Every request for an answer so far, in order (not the GETs). */
  readonly requests: readonly ReceivedRequest[];
  /** The n-th request (from 1) as soon as it has arrived. */
  received(count: number): Promise<ReceivedRequest>;
  /** Stops the server, and throws if a request was impossible or beyond the script. */
  close(): Promise<void>;
}

/** A scripted provider on loopback: each POST to .../responses or .../chat/completions takes the next step. */
export async function fakeModel(steps: readonly ScriptedStep[], options: FakeModelOptions = {}): Promise<FakeModel> {
  const requests: ReceivedRequest[] = [];
  const problems: string[] = [];
  const waiting = new Set<() => void>();
  const closing = new AbortController();
  setMaxListeners(0, closing.signal); // one for each answer that is delayed

  const server = http.createServer((incoming, response) => {
    serve(incoming, response).catch((error: unknown) => {
      // A client that goes away in the middle is what many tests are about.
      if (!closing.signal.aborted && !response.destroyed) problems.push(`the fake model failed: ${String(error)}`);
      response.destroy();
    });
  });

  async function serve(incoming: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const { method = "", url = "" } = incoming;
    const sent = await readText(incoming);
    if (method !== "POST") return json(response, 200, { object: "list", data: [{ id: "fake-model" }], models: [] });
    const parsed = parseJson(sent);
    const body = parsed.ok ? parsed.value : sent === "" ? null : sent;
    const request = { method, path: url, headers: incoming.headers, body };
    requests.push(options.forgetful === true ? { ...request, body: null } : request);
    for (const wake of [...waiting]) wake();

    const turn = requests.length;
    const refuse = (problem: string) => {
      problems.push(`request ${turn} (POST ${url}): ${problem}`);
      return json(response, 400, { error: { message: `impossible request: ${problem}`, type: "fake_model" } });
    };
    const wire = wireOf(url);
    if (wire === undefined) return refuse("no such path");
    const problem = options.lenient === true ? undefined : problemOf(wire, body);
    if (problem !== undefined) return refuse(problem);
    const scripted = steps[turn - 1] ?? (options.repeatLast === true ? steps.at(-1) : undefined);
    if (scripted === undefined) return refuse(`the script has only ${steps.length} steps`);
    const step = typeof scripted === "function" ? scripted(request) : scripted;
    await play(step, { response, turn, wire, signal: closing.signal });
  }

  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The fake model has no port.");

  let closed: Promise<void> | undefined;
  const close = () => {
    closed ??= (async () => {
      closing.abort();
      const ended = once(server, "close");
      server.close();
      server.closeAllConnections();
      await ended;
      if (problems.length > 0) throw new Error(`The fake model was asked the impossible: ${problems.join("; ")}`);
    })();
    return closed;
  };

  return {
    url: `http://127.0.0.1:${address.port}/v1`,
    requests,
    received: (count) =>
      new Promise((resolve) => {
        const look = () => {
          const request = requests[count - 1];
          if (request === undefined) return;
          waiting.delete(look);
          resolve(request);
        };
        waiting.add(look);
        look();
      }),
    close,
    [Symbol.asyncDispose]: close,
  };
}

function wireOf(url: string): "responses" | "chat" | undefined {
  const path = url.replace(/\?.*$/s, "");
  if (path.endsWith("/responses")) return "responses";
  return path.endsWith("/chat/completions") ? "chat" : undefined;
}

interface Playing {
  readonly response: http.ServerResponse;
  readonly turn: number;
  readonly wire: "responses" | "chat";
  readonly signal: AbortSignal;
}

async function play(step: ModelStep, { response, turn, wire, signal }: Playing): Promise<void> {
  await step.after;
  if (step.delayMs !== undefined) await sleep(step.delayMs, undefined, { signal });
  if (step.hang === "headers") return;
  if (step.status !== undefined) {
    const body = step.body ?? { error: { message: `scripted status ${step.status}`, type: "fake_model" } };
    return json(response, step.status, body, step.headers);
  }
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache", ...step.headers });
  response.flushHeaders();
  if (step.hang === true) return;
  const events = step.raw ?? (wire === "chat" ? chatEvents(step, turn) : responsesEvents(step, turn));
  for (const [index, event] of events.slice(0, step.cut).entries()) {
    await step.gate?.(index);
    if (response.destroyed) return;
    // Waiting for the bytes to be out makes a cut fall exactly where the script says.
    if (step.cut !== undefined) await new Promise((sent) => response.write(event, sent));
    else if (!response.write(event)) await Promise.race([once(response, "drain"), once(response, "close")]);
    if (step.gapMs !== undefined) await sleep(step.gapMs, undefined, { signal });
  }
  if (step.cut !== undefined) response.destroy();
  else if (step.keepOpen !== true) response.end();
}

function json(response: http.ServerResponse, status: number, body: unknown, headers: object = {}): void {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(typeof body === "string" ? body : JSON.stringify(body));
}
