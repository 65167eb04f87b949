import path from "node:path";
import { errorCode, explainSystemError } from "../lib/errors.ts";
import { isRecord, parseJson } from "../lib/parse-json.ts";
import { readRegularFile } from "../lib/read-regular-file.ts";

/** What `auth.json` holds, as far as we use it (spec core 4.4). Blank values count as absent. */
export interface AuthFile {
  readonly apiKey: string | undefined;
  readonly tokens: ChatgptTokens | undefined;
}

interface ChatgptTokens {
  readonly accessToken: string;
  readonly accountId: string | undefined;
  /** In lower case, for example `plus`. */
  readonly plan: string | undefined;
}

/** Reads `<home>/auth.json`. A missing file is no problem, a broken one is told in `problem` and otherwise the same. */
export function readAuthFile(codexHome: string): { auth: AuthFile | undefined; problem: string | undefined } {
  const file = path.join(codexHome, "auth.json");
  const broken = (cause: string) => ({ auth: undefined, problem: `Cannot read "${file}": ${cause}` });
  let text: string;
  try {
    text = readRegularFile(file).toString("utf8");
  } catch (error) {
    return errorCode(error) === "ENOENT" ? { auth: undefined, problem: undefined } : broken(explainSystemError(error));
  }
  const parsed = parseJson(text);
  // The parser's own sentence would quote the text, and with it a key.
  if (!parsed.ok || !isRecord(parsed.value)) return broken("not a JSON object");
  const { OPENAI_API_KEY, tokens } = parsed.value;
  return { auth: { apiKey: textOf(OPENAI_API_KEY), tokens: readTokens(tokens) }, problem: undefined };
}

function readTokens(tokens: unknown): ChatgptTokens | undefined {
  if (!isRecord(tokens)) return undefined;
  const accessToken = textOf(tokens["access_token"]);
  if (accessToken === undefined) return undefined;
  const claims = readClaims(textOf(tokens["id_token"]));
  return {
    accessToken,
    accountId: textOf(tokens["account_id"]) ?? textOf(claims["chatgpt_account_id"]),
    plan: textOf(claims["chatgpt_plan_type"])?.toLowerCase(),
  };
}

/** The OpenAI claims of an id token; nobody has verified its signature, so they decide nothing but which key is used. */
function readClaims(idToken: string | undefined): Readonly<Record<string, unknown>> {
  const payload = idToken?.split(".")[1];
  if (payload === undefined) return {};
  const parsed = parseJson(Buffer.from(payload, "base64url").toString("utf8"));
  const claims = parsed.ok && isRecord(parsed.value) ? parsed.value["https://api.openai.com/auth"] : undefined;
  return isRecord(claims) ? claims : {};
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value.trim() !== "" ? value.trim() : undefined;
}
