import { setTimeout as sleep } from "node:timers/promises";
import type { AuthManager } from "./auth-manager.ts";
import { clientIdOf, type Grantor, type LoginOutcome, PendingLogin, scope, storeGrant } from "./chatgpt-login.ts";
import { TokenRefused } from "./issuer-client.ts";
import type { TokenAnswer } from "./token-content.ts";

/** A sign-in that waits for a person with a browser on any machine. */
interface DeviceLogin {
  readonly verificationUrl: string;
  readonly userCode: string;
  /** Never rejects. After a success the process is signed in. */
  readonly completed: Promise<LoginOutcome>;
  cancel(): void;
}

const defaultTimeLimitMs = 15 * 60_000;
/** Between two questions, where the issuer names no other pause (RFC 8628, 3.2). */
const defaultPauseMs = 5_000;
const slowDownMs = 5_000;
/** Whatever the issuer says: nobody waits for longer, and no server is asked all the time. */
const [shortestPauseMs, longestPauseMs, longestTimeLimitMs] = [1_000, 60_000, 3_600_000];

/** Signs in to ChatGPT with a code that is typed in elsewhere (RFC 8628). Throws when the issuer offers no such thing. */
export async function startDeviceLogin(
  auth: AuthManager,
  { pauseMs }: { readonly pauseMs?: number } = {},
): Promise<DeviceLogin> {
  const issuer = await auth.issuer(auth.login.issuer);
  const form = { client_id: clientIdOf(auth), scope };
  const answer = await issuer.requestDeviceCode(form, AbortSignal.timeout(60_000));
  const { device_code, user_code, verification_uri, verification_uri_complete, expires_in, interval } = answer;
  if (typeof device_code !== "string" || typeof user_code !== "string" || typeof verification_uri !== "string") {
    throw new Error(`${issuer.url} sent no device code`);
  }
  const limitMs = typeof expires_in === "number" ? expires_in * 1000 : defaultTimeLimitMs;
  const pending = new PendingLogin(auth, Math.min(limitMs, longestTimeLimitMs));
  const grantor = { auth, issuer, signal: pending.signal };
  const wanted = typeof interval === "number" ? interval * 1000 : defaultPauseMs;
  const pause = pauseMs ?? Math.min(Math.max(wanted, shortestPauseMs), longestPauseMs);
  pending.run(async () => storeGrant(await askUntilGranted(device_code, { ...grantor, pauseMs: pause }), grantor));
  return {
    verificationUrl: typeof verification_uri_complete === "string" ? verification_uri_complete : verification_uri,
    userCode: user_code,
    completed: pending.completed,
    cancel: () => pending.fail("Login was not completed"),
  };
}

async function askUntilGranted(
  deviceCode: string,
  { auth, issuer, signal, pauseMs }: Grantor & { readonly pauseMs: number },
): Promise<TokenAnswer> {
  const form = {
    grant_type: "urn:ietf:params:oauth:grant-type:device_code",
    device_code: deviceCode,
    client_id: clientIdOf(auth),
  };
  for (let ms = pauseMs; ; ) {
    await sleep(ms, undefined, { signal });
    try {
      return await issuer.requestTokens(form, signal);
    } catch (error) {
      if (!(error instanceof TokenRefused)) throw error;
      if (error.code === "slow_down") ms += slowDownMs;
      else if (error.code === "expired_token") throw new Error("The code has expired", { cause: error });
      else if (error.code !== "authorization_pending") {
        throw new Error(`Sign-in was refused: ${error.message}`, { cause: error });
      }
    }
  }
}
