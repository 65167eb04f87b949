import type { Environment } from "../lib/environment.ts";
import { messageOf, UserError } from "../lib/errors.ts";
import { log } from "../lib/log.ts";
import { type AuthContent, type AuthFile, type ChatgptTokens, readAuthFile } from "./auth-file.ts";
import { type Credential, type CredentialNeed, resolveCredential } from "./credentials.ts";
import { fitsHeader } from "./fits-header.ts";
import type { IssuerClient, IssuerConnection } from "./issuer-client.ts";
import { ageOf, type TokenAge } from "./token-age.ts";
import type { TokenSet } from "./token-content.ts";

/** Where people sign in (docs/authentication.md). */
export interface LoginSettings {
  readonly issuer: string;
  /** Undefined: none is configured. */
  readonly clientId: string | undefined;
  /** Of the loopback address that the browser comes back to; 0: any that is free. */
  readonly port: number;
}

interface AuthOptions {
  readonly codexHome: string;
  readonly env: Environment;
  readonly login: LoginSettings;
  readonly originator: string;
  /** Loads what reaches an issuer; a run with an API key never does. */
  readonly connect: () => Promise<IssuerConnection>;
  /** Another limit for a renewal, for tests. */
  readonly longestRenewalMs?: number;
}

/** As the methods of the MCP server spell it. */
export type AuthMethod = "apikey" | "chatgpt";

/** What can be told that another login or a logout takes its place. */
interface Cancellable {
  cancel(cause: string): void;
}

/** All that waits for a renewal waits no longer. */
const longestRenewalMs = 60_000;

/**
 * The credentials of this process: one view for all conversations. The file is read once, here; what this process changes
 * is seen at once, and what others write to the file changes nothing until this process logs in or out itself.
 */
export class AuthManager {
  readonly codexHome: string;
  readonly login: LoginSettings;
  readonly originator: string;
  readonly #env: Environment;
  readonly #connect: AuthOptions["connect"];
  readonly #listeners = new Set<(method: AuthMethod | undefined) => void>();
  #stored: AuthFile | undefined;
  #problem: string | undefined;
  #connection: Promise<IssuerConnection> | undefined;
  readonly #issuers = new Map<string, Promise<IssuerClient>>();
  /** One for all who wait. */
  #renewal: Promise<void> | undefined;
  /**
   * What a renewal has left as it was, or has brought in no better state: it is asked for again when they have got older.
   * Tokens may live for seconds, and by a clock that is wrong they have never lived.
   */
  #accepted: { readonly tokens: ChatgptTokens; readonly age: TokenAge } | undefined;
  readonly #longestRenewalMs: number;
  /** Logins and logouts, one after the other. */
  #changes: Promise<unknown> = Promise.resolve();
  #pendingLogin: Cancellable | undefined;

  constructor({ codexHome, env, login, originator, connect, ...limits }: AuthOptions) {
    this.codexHome = codexHome;
    this.#longestRenewalMs = limits.longestRenewalMs ?? longestRenewalMs;
    this.login = login;
    this.originator = originator;
    this.#env = env;
    this.#connect = connect;
    const { auth, problem } = readAuthFile(codexHome);
    this.#stored = auth;
    this.#problem = problem;
  }

  /** What is stored, for showing it to its owner. */
  get stored(): AuthFile | undefined {
    return this.#stored;
  }

  /** The credential as it stands; `warn` is told about a broken auth.json, which counts as missing. */
  current(need: CredentialNeed, warn?: (sentence: string) => void): Credential | undefined {
    const stored = () => {
      if (this.#problem !== undefined) warn?.(this.#problem);
      return this.#stored;
    };
    return resolveCredential(need, { env: this.#env, stored });
  }

  /** The kind of what signs requests now; undefined: nobody is signed in. */
  method(need: CredentialNeed): AuthMethod | undefined {
    const kind = this.current(need)?.kind;
    return kind === "api-key" ? "apikey" : kind;
  }

  /** The credential for the next request; a promise only while tokens are renewed. Rejects with a UserError. */
  credential(
    need: CredentialNeed,
    warn?: (sentence: string) => void,
  ): Credential | undefined | Promise<Credential | undefined> {
    const credential = this.current(need, warn);
    const tokens = this.#stored?.tokens;
    if (credential?.kind !== "chatgpt" || tokens === undefined) return credential;
    const age = ageOf(tokens);
    const isAccepted = tokens === this.#accepted?.tokens && age === this.#accepted.age;
    return age === "fresh" || isAccepted ? credential : this.#renewAhead(need, age);
  }

  /**
   * For a request whose credential a server has refused: another one, or undefined where there is none now. Rejects with
   * a UserError when only the person can help.
   */
  async replacement(need: CredentialNeed, refused: Credential): Promise<Credential | undefined> {
    let credential = this.current(need);
    if (credential?.token === refused.token && credential.kind === "chatgpt") {
      try {
        await this.renew();
      } catch (error) {
        if (error instanceof UserError) throw error;
        log("warn", "auth", messageOf(error)); // the next repetition of the request may find the issuer well
      }
      credential = this.current(need);
    }
    return credential?.token === refused.token ? undefined : credential;
  }

  /** Renews the ChatGPT tokens, if there are any; rejects when that fails. */
  renew(): Promise<void> {
    this.#renewal ??= this.#renew().finally(() => {
      this.#renewal = undefined;
    });
    return this.#renewal;
  }

  /** Resolves when no issuer is asked any more: an answer that nobody takes is the end of a refresh token. */
  async settled(): Promise<void> {
    await this.#renewal?.catch(() => {}); // told to whoever waits for it
  }

  /** Keeps the key in place of whatever is stored; rejects with a UserError where it is none. */
  async loginWithApiKey(text: string): Promise<void> {
    const key = text.trim();
    if (key === "") throw new UserError("No API key provided.");
    if (!fitsHeader(key)) throw new UserError("That is no API key: it holds a blank or a control character.");
    this.#pendingLogin?.cancel("a login with an API key took its place");
    await this.#inTurn(async () => {
      const { apiKeyContent } = await import("./token-content.ts");
      await this.#write((content) => apiKeyContent(key, content));
    });
  }

  /** Keeps the tokens in place of whatever is stored, unless the signal says that nobody wants them any more. */
  async loginWithTokens(tokens: TokenSet, signal: AbortSignal): Promise<void> {
    await this.#inTurn(async () => {
      const { loginContent } = await import("./token-content.ts");
      await this.#write((content) => {
        signal.throwIfAborted();
        return loginContent(tokens, content);
      });
    });
  }

  /** Deletes auth.json, also with an API key in it; false when there was none. */
  async logout(): Promise<boolean> {
    this.#pendingLogin?.cancel("a logout ended it");
    return this.#inTurn(async () => {
      const { deleteAuthFile } = await import("./write-auth-file.ts");
      const existed = await deleteAuthFile(this.codexHome);
      this.#set(undefined);
      return existed;
    });
  }

  /** At most one sign-in is under way: a new one ends the old one. */
  setPendingLogin(login: Cancellable): void {
    const previous = this.#pendingLogin;
    this.#pendingLogin = login;
    previous?.cancel("another login was started");
  }

  /**
   * Calls back after each login and logout of this process, once those who asked for it have been answered; the returned
   * function ends that.
   */
  onChange(listener: (method: AuthMethod | undefined) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Keeps what it has found out about the issuer, but not that it could not be reached. */
  async issuer(url: string): Promise<IssuerClient> {
    const known = this.#issuers.get(url) ?? this.#findIssuer(url);
    this.#issuers.set(url, known);
    try {
      return await known;
    } catch (error) {
      this.#issuers.delete(url);
      throw error;
    }
  }

  async #findIssuer(url: string): Promise<IssuerClient> {
    const { IssuerClient } = await import("./issuer-client.ts");
    this.#connection ??= this.#connect();
    return IssuerClient.find(url, await this.#connection);
  }

  async #renewAhead(need: CredentialNeed, age: "due" | "expired"): Promise<Credential | undefined> {
    try {
      await this.renew();
    } catch (error) {
      if (age === "expired") {
        throw error instanceof UserError ? error : new UserError(messageOf(error), { cause: error });
      }
      log("warn", "auth", messageOf(error));
      this.#accept(age); // not of the age that they have by now
    }
    return this.current(need);
  }

  async #renew(): Promise<void> {
    const before = this.#stored;
    if (before?.tokens === undefined) return;
    const { renewTokens } = await import("./token-renewal.ts");
    const signal = AbortSignal.timeout(this.#longestRenewalMs);
    const renewed = await renewTokens(before.tokens, { auth: this, signal }).catch((error: unknown) => {
      if (error !== signal.reason) throw error;
      throw new Error(`The login could not be renewed within ${this.#longestRenewalMs / 1000} seconds`, {
        cause: error,
      });
    });
    if (this.#stored !== before) return; // a login or logout on the way has the last word
    this.#stored = { ...before, tokens: renewed };
    this.#accept();
  }

  #accept(age?: TokenAge): void {
    const tokens = this.#stored?.tokens;
    this.#accepted = tokens && { tokens, age: age ?? ageOf(tokens) };
  }

  async #write(change: (content: AuthContent) => AuthContent): Promise<void> {
    const { writeAuthFile } = await import("./write-auth-file.ts");
    this.#set(await writeAuthFile(this.codexHome, (content) => change(content ?? {})));
  }

  /** The last one that was asked for has the last word. */
  #inTurn<T>(change: () => Promise<T>): Promise<T> {
    const turn = this.#changes.then(change);
    this.#changes = turn.catch(() => {}); // told to whoever asked for it
    return turn;
  }

  #set(auth: AuthFile | undefined): void {
    this.#stored = auth;
    this.#problem = undefined;
    const method = auth?.tokens !== undefined ? "chatgpt" : auth?.apiKey !== undefined ? "apikey" : undefined;
    setImmediate(() => {
      for (const listener of [...this.#listeners]) listener(method);
    });
  }
}
