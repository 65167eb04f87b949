import { messageOf, UserError } from "../lib/errors.ts";
import type { AuthManager } from "./auth-manager.ts";
import type { IssuerClient } from "./issuer-client.ts";
import type { TokenAnswer } from "./token-content.ts";

/** How a sign-in ended; `error` is told to people. */
export type LoginOutcome = { readonly success: true } | { readonly success: false; readonly error: string };

/** Ours. ChatGPT's issuer does not know it: `chatgpt_client_id` names one that it does. */
const ownClientId = "codex-headless";

export const scope = "openid profile email offline_access";

export function clientIdOf(auth: AuthManager): string {
  return auth.login.clientId ?? ownClientId;
}

/** For those who start a sign-in for a person: without one, the page at the issuer could only say that it failed. */
export function requireClientId({ login }: AuthManager): void {
  if (login.clientId !== undefined) return;
  throw new UserError(
    `No client id for ${login.issuer}: set chatgpt_client_id in config.toml (or -c chatgpt_client_id=ID) to one that is registered there, or log in with an API key: codex login --with-api-key`,
  );
}

/** Where a grant comes from, and who waits for it. */
export interface Grantor {
  readonly auth: AuthManager;
  readonly issuer: IssuerClient;
  readonly signal: AbortSignal;
}

/** Keeps what was granted; from here on the process is signed in with it. */
export async function storeGrant(answer: TokenAnswer, { auth, issuer, signal }: Grantor): Promise<void> {
  const { accessToken } = answer;
  if (accessToken === undefined) throw new Error(`${issuer.url} granted no access token`);
  await auth.loginWithTokens({ ...answer, accessToken, issuer: issuer.url, clientId: clientIdOf(auth) }, signal);
}

/**
 * A sign-in under way, with an end that comes once: by itself, by its time limit, by `cancel`, or because another login or
 * a logout of this process takes its place.
 */
export class PendingLogin {
  readonly completed: Promise<LoginOutcome>;
  readonly #controller = new AbortController();
  readonly #timer: NodeJS.Timeout;
  #resolve: (outcome: LoginOutcome) => void = () => {};

  constructor(auth: AuthManager, timeLimitMs: number) {
    this.completed = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    this.#timer = setTimeout(() => this.fail("Login timed out"), timeLimitMs);
    auth.setPendingLogin({ cancel: (cause) => this.fail(`Login server error: Login cancelled: ${cause}`) });
  }

  /** Fires when the sign-in has ended, however it did; with the failure as a UserError. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  succeed(): void {
    this.#end({ success: true });
  }

  fail(error: string): void {
    this.#end({ success: false, error });
  }

  /** Runs what leads to success; what it throws is the failure. */
  run(action: () => Promise<void>): void {
    action().then(
      () => this.succeed(),
      (error: unknown) => this.fail(messageOf(error)),
    );
  }

  #end(outcome: LoginOutcome): void {
    clearTimeout(this.#timer);
    this.#resolve(outcome); // only the first one counts
    this.#controller.abort(outcome.success ? undefined : new UserError(outcome.error));
  }
}
