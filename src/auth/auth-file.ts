import path from "node:path";
import { errorCode, explainSystemError } from "../lib/errors.ts";
import { isRecord, isTooDeep, parseDeepJson, tooDeepText } from "../lib/parse-json.ts";
import { readRegularFile } from "../lib/read-regular-file.ts";
import { fitsHeader } from "./fits-header.ts";
import { jwtClaims } from "./jwt-claims.ts";

/** What `auth.json` holds, as far as we use it. Blank values count as absent. */
export interface AuthFile {
  readonly apiKey: string | undefined;
  readonly tokens: ChatgptTokens | undefined;
}

export interface ChatgptTokens {
  readonly accessToken: string;
  readonly refreshToken: string | undefined;
  readonly accountId: string | undefined;
  /** In lower case, for example `plus`. */
  readonly plan: string | undefined;
  readonly email: string | undefined;
  /** The person, within the issuer. */
  readonly subject: string | undefined;
  /** Of the access token, in milliseconds since 1970; undefined when nothing says it. */
  readonly expiresAt: number | undefined;
  readonly refreshedAt: number | undefined;
  /** Who issued the tokens, and to which client; undefined in files that the reference has written. */
  readonly issuer: string | undefined;
  readonly clientId: string | undefined;
  /** The access token that auth.json still holds, where these could not be written there. */
  readonly unsaved?: string;
}

/** The file's JSON as it is, other programs' fields included. */
export type AuthContent = Readonly<Record<string, unknown>>;

export function authFilePath(codexHome: string): string {
  return path.join(codexHome, "auth.json");
}

/** Reads `<home>/auth.json`. A missing file is no problem, a broken one is told in `problem` and otherwise the same. */
export function readAuthFile(codexHome: string): { auth: AuthFile | undefined; problem: string | undefined } {
  const { content, problem } = readAuthContent(codexHome);
  return { auth: content === undefined ? undefined : parseAuthContent(content), problem };
}

export function readAuthContent(codexHome: string): { content: AuthContent | undefined; problem: string | undefined } {
  const file = authFilePath(codexHome);
  const broken = (cause: string) => ({ content: undefined, problem: `Cannot read "${file}": ${cause}` });
  let text: string;
  try {
    text = readRegularFile(file).toString("utf8");
  } catch (error) {
    return errorCode(error) === "ENOENT"
      ? { content: undefined, problem: undefined }
      : broken(explainSystemError(error));
  }
  const parsed = parseDeepJson(text);
  // The parser's own sentence would quote the text, and with it a key.
  if (!parsed.ok || !isRecord(parsed.value)) return broken("not a JSON object");
  if (isTooDeep(parsed.value)) return broken(tooDeepText); // it is written back with all that others keep there
  return { content: parsed.value, problem: undefined };
}

export function parseAuthContent(content: AuthContent): AuthFile {
  return { apiKey: textOf(content["OPENAI_API_KEY"]), tokens: readTokens(content) };
}

function readTokens({ tokens, last_refresh, oauth }: AuthContent): ChatgptTokens | undefined {
  if (!isRecord(tokens)) return undefined;
  const accessToken = textOf(tokens["access_token"]);
  if (accessToken === undefined) return undefined;
  const claims = jwtClaims(textOf(tokens["id_token"]));
  const service = claims["https://api.openai.com/auth"];
  const ofService = isRecord(service) ? service : {};
  const login = isRecord(oauth) ? oauth : {};
  const expiry = jwtClaims(accessToken)["exp"];
  return {
    accessToken,
    refreshToken: textOf(tokens["refresh_token"]),
    accountId: [tokens["account_id"], ofService["chatgpt_account_id"]]
      .map(textOf)
      .find((id) => id !== undefined && fitsHeader(id)),
    plan: textOf(ofService["chatgpt_plan_type"])?.toLowerCase(),
    email: textOf(claims["email"]),
    subject: textOf(claims["sub"]),
    expiresAt: typeof expiry === "number" ? timeOf(expiry * 1000) : timeOf(login["expires_at"]),
    refreshedAt: timeOf(last_refresh),
    issuer: textOf(login["issuer"]),
    clientId: textOf(login["client_id"]),
  };
}

/** One account may be used by several people, and one person may have several accounts. */
export function isSameAccount(one: ChatgptTokens, other: ChatgptTokens): boolean {
  return (
    one.accountId === other.accountId &&
    (one.subject ?? one.email) === (other.subject ?? other.email) && // an address may change
    one.issuer === other.issuer
  );
}

/** Undefined for what no calendar has. */
function timeOf(value: unknown): number | undefined {
  const time = typeof value === "string" || typeof value === "number" ? new Date(value).getTime() : Number.NaN;
  return Number.isNaN(time) ? undefined : time;
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value.trim() !== "" ? value.trim() : undefined;
}
