import { numberToken } from "../lib/json-token.ts";
import { isRecord, isTooDeep, jsonText, parseDeepJson, tooDeepText } from "../lib/parse-json.ts";
import type { Line } from "../lib/read-lines.ts";
import { invalidRequest, parseError } from "./rpc-failure.ts";

/** The JSON text of an id: `7`, `"7"`, `9007199254740993`. So no two ids are taken for one, and each comes back exactly. */
export type IdToken = string & { readonly __brand: "IdToken" };

export type Answer = { readonly ok: true; readonly result: unknown } | { readonly ok: false; readonly message: string };

interface Call {
  readonly method: string;
  readonly params: unknown;
  /** The line it came in. */
  readonly json: string;
}

export interface RequestMessage extends Call {
  readonly kind: "request";
  readonly id: IdToken;
}

export interface NotificationMessage extends Call {
  readonly kind: "notification";
}

export type Incoming =
  | RequestMessage
  | NotificationMessage
  | { readonly kind: "answer"; readonly id: IdToken; readonly answer: Answer }
  | { readonly kind: "unusable"; readonly id: IdToken | undefined; readonly code: number; readonly problem: string };

/** Says what a line is; undefined for an empty one. `jsonrpc` is not looked at: old clients leave it out. */
export function classifyLine(line: Line): Incoming | undefined {
  if (!line.ok) return { kind: "unusable", id: undefined, code: parseError, problem: `Parse error: ${line.problem}` };
  const json = line.text;
  if (json === "") return undefined;
  const parsed = parseDeepJson(json);
  if (!parsed.ok)
    return {
      kind: "unusable",
      id: undefined,
      code: parseError,
      problem: `Parse error: ${withoutQuote(parsed.problem)}`,
    };
  const message = parsed.value;
  const unusable = (problem: string, id?: IdToken) =>
    ({ kind: "unusable", id, code: invalidRequest, problem: `Invalid request: ${problem}` }) as const;
  if (Array.isArray(message)) return unusable("batches are not supported; send each message on a line of its own");
  if (!isRecord(message)) return unusable("not a JSON object");
  const id = toIdToken(message["id"], json, ["id"]);
  const { method } = message;
  const isRefused = isTooDeep(message);
  if (method !== undefined) {
    if (isRefused) return unusable(tooDeepText, id);
    if (typeof method !== "string") return unusable("the method is not a string", id);
    const call = { method, params: message["params"], json };
    if (id !== undefined) return { kind: "request", id, ...call };
    if (message["id"] === undefined) return { kind: "notification", ...call };
    return unusable("the id is neither a string nor an integer");
  }
  // Whoever waits for an answer learns that it is of no use.
  if (id !== undefined && isRefused) return { kind: "answer", id, answer: { ok: false, message: tooDeepText } };
  if (id !== undefined && "result" in message) {
    return { kind: "answer", id, answer: { ok: true, result: message["result"] } };
  }
  if (id !== undefined && "error" in message) {
    const error = isRecord(message["error"]) ? message["error"] : {};
    const text = jsonText(error["message"] ?? "") || jsonText(error["code"]);
    return { kind: "answer", id, answer: { ok: false, message: text } };
  }
  return unusable("neither a method nor the answer to a request", id);
}

/** The parser quotes what it does not understand, which may be half of a key. */
function withoutQuote(problem: string): string {
  return problem.replace(/^(Unexpected token .*?), (?:\.{3})?".*/su, "$1");
}

/** Undefined for what cannot be an id; `path` leads to the value in `json`. */
export function toIdToken(value: unknown, json: string, path: readonly string[]): IdToken | undefined {
  const token = tokenText(value, json, path);
  return token as IdToken | undefined; // the text of a string or an integer
}

function tokenText(value: unknown, json: string, path: readonly string[]): string | undefined {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value !== "number") return undefined;
  if (Number.isSafeInteger(value)) return String(value);
  const token = numberToken(json, path);
  return token !== undefined && /^-?\d+$/.test(token) ? token : undefined;
}

/** The id as the events and approval questions of old clients have it: without quotes. */
export function idText(token: IdToken): string {
  return token.startsWith('"') ? String(JSON.parse(token)) : token;
}
