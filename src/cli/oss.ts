import http, { type IncomingMessage } from "node:http";
import https from "node:https";
import { text } from "node:stream/consumers";
import type { Config } from "../config/config.ts";
import { errorCode, messageOf, UserError } from "../lib/errors.ts";
import { isRecord, parseJson } from "../lib/parse-json.ts";

const installUrl = "https://github.com/ollama/ollama";

interface TimeLimits {
  /** For the answers that a server has at hand. */
  readonly answerMs: number;
  /** For the pauses of a pull: nothing comes while the server verifies a large file. */
  readonly pauseMs: number;
}

const timeLimits: TimeLimits = { answerMs: 5_000, pauseMs: 15 * 60_000 };
/** Percentages are told in steps, so that the log of a large model stays short. */
const percentStep = 5;

/**
 * Finds the server behind `--oss` and has it pull the model if it lacks it. In the result the base URL
 * ends in `/v1`, below which such a server answers, also when the given one does not (E8). `write` gets whole lines.
 */
export async function prepareOss(
  config: Config,
  write: (text: string) => void,
  { answerMs, pauseMs } = timeLimits,
): Promise<Config> {
  const { model, modelProvider } = config;
  const baseUrl = (modelProvider.baseUrl ?? "").replace(/\/+$/, "");
  const host = baseUrl.replace(/\/v1$/, "");
  checkUrl(baseUrl);
  const probe = await get(host === baseUrl ? `${host}/api/tags` : `${host}/v1/models`, answerMs);
  if (!probe.ok) throw notRunning();
  const tags = await get(`${host}/api/tags`, answerMs);
  if (!hasModel(tags.body, model)) await pull(`${host}/api/pull`, { model, write, pauseMs });
  return { ...config, modelProvider: { ...modelProvider, baseUrl: `${host}/v1` } };
}

function checkUrl(baseUrl: string): void {
  if (URL.canParse(baseUrl) && /^https?:$/.test(new URL(baseUrl).protocol)) return;
  throw new UserError(
    `OSS setup failed: CODEX_OSS_BASE_URL is not a URL that starts with http:// or https://: "${baseUrl}"`,
  );
}

async function get(url: string, answerMs: number): Promise<{ readonly ok: boolean; readonly body: string }> {
  try {
    const response = await send(url, { method: "GET", signal: AbortSignal.timeout(answerMs) });
    return { ok: isOk(response), body: await text(response) };
  } catch (cause) {
    throw notRunning(cause);
  }
}

function notRunning(cause?: unknown): UserError {
  return new UserError(
    `OSS setup failed: No running Ollama server detected. Start it with: \`ollama serve\` (after installing). Install instructions: ${installUrl}`,
    { cause },
  );
}

/** A list that cannot be read counts as empty: the pull then says what is wrong. */
function hasModel(tags: string, model: string): boolean {
  const parsed = parseJson(tags);
  const models = parsed.ok && isRecord(parsed.value) ? parsed.value["models"] : undefined;
  if (!Array.isArray(models)) return false;
  // A name without a tag means this one; the server always lists a tag.
  const names = [model, `${model}:latest`];
  return models.some((entry) => isRecord(entry) && names.some((name) => entry["name"] === name));
}

interface PullOptions {
  readonly model: string;
  readonly write: (text: string) => void;
  readonly pauseMs: number;
}

async function pull(url: string, { model, write, pauseMs }: PullOptions): Promise<void> {
  write(`Pulling model ${model}...\n`);
  const silence = new AbortController();
  const timer = setTimeout(() => silence.abort(), pauseMs);
  const said = new Set<string>();
  try {
    const body = JSON.stringify({ name: model, stream: true });
    const response = await send(url, { method: "POST", body, signal: silence.signal });
    for await (const line of linesOf(response)) {
      timer.refresh();
      const update = parseUpdate(line);
      if (update === undefined) continue;
      if (update.type === "error") throw pullFailed(update.problem);
      if (!said.has(update.text)) write(`${update.text}\n`);
      if (update.isLast) return;
      said.add(update.text);
    }
    throw pullFailed(isOk(response) ? "the answer ended before the model was complete" : statusOf(response));
  } catch (cause) {
    if (cause instanceof UserError) throw cause;
    if (silence.signal.aborted) throw pullFailed(`no sign of life for ${pauseMs / 1000} s`, cause);
    throw pullFailed(errorCode(cause) === "ECONNRESET" ? "the connection was lost" : messageOf(cause), cause);
  } finally {
    clearTimeout(timer);
  }
}

function pullFailed(problem: string, cause?: unknown): UserError {
  return new UserError(`OSS setup failed: Pull failed: ${problem}`, { cause });
}

type Update =
  | { readonly type: "progress"; readonly text: string; readonly isLast: boolean }
  | { readonly type: "error"; readonly problem: string };

function parseUpdate(line: string): Update | undefined {
  const parsed = parseJson(line);
  if (!parsed.ok || !isRecord(parsed.value)) return undefined;
  const { error, status, total, completed } = parsed.value;
  if (typeof error === "string") return { type: "error", problem: error };
  if (typeof status !== "string") return undefined;
  if (typeof total !== "number" || total <= 0) return { type: "progress", text: status, isLast: status === "success" };
  const done = typeof completed === "number" ? completed / total : 0;
  const percent = Math.floor((done * 100) / percentStep) * percentStep;
  return { type: "progress", text: `${status}: ${percent}% of ${sizeText(total)}`, isLast: false };
}

function sizeText(bytes: number): string {
  return bytes >= 1e9 ? `${(bytes / 1e9).toFixed(1)} GB` : `${Math.ceil(bytes / 1e6)} MB`;
}

interface HttpRequest {
  readonly method: "GET" | "POST";
  readonly body?: string;
  readonly signal: AbortSignal;
}

/** Over node:http, because the global fetch refuses some ports and URLs with a password. */
function send(url: string, { method, body, signal }: HttpRequest): Promise<IncomingMessage> {
  const target = new URL(url);
  const open = target.protocol === "https:" ? https.request : http.request;
  const headers = body === undefined ? {} : { "content-type": "application/json" };
  return new Promise((resolve, reject) => {
    open(target, { method, headers, signal }, resolve).on("error", reject).end(body);
  });
}

function isOk({ statusCode = 0 }: IncomingMessage): boolean {
  return statusCode >= 200 && statusCode < 300;
}

function statusOf({ statusCode, statusMessage }: IncomingMessage): string {
  return `HTTP ${statusCode} ${statusMessage ?? ""}`.trim();
}

async function* linesOf(response: IncomingMessage): AsyncGenerator<string> {
  let rest = "";
  response.setEncoding("utf8");
  for await (const chunk of response) {
    const lines = `${rest}${chunk}`.split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
  yield rest;
}
