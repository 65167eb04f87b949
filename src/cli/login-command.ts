import type { AuthManager } from "../auth/auth-manager.ts";
import type { ChatGptLogin } from "../auth/browser-login.ts";
import type { LoginOutcome } from "../auth/chatgpt-login.ts";
import type { Config } from "../config/config.ts";
import { loadConfig } from "../config/load-config.ts";
import { openAuth } from "../conversation/open-auth.ts";
import { startLog } from "../lib/log.ts";
import { openBrowser } from "../process/open-browser.ts";
import { showControls, showLine } from "../render/printable.ts";
import { version } from "../version.ts";
import { currentFolder } from "./current-folder.ts";
import { askSecret, askYesNo, Declined, readPipedSecret } from "./read-secret.ts";
import { type Signal, signalStatus, timeLimit } from "./run-end.ts";

/** The command line of `login`, checked by commander. */
export interface LoginOptions {
  readonly overrides: readonly string[];
  readonly apiKey?: string;
  readonly withApiKey: boolean;
  readonly deviceAuth: boolean;
  readonly browser: boolean;
}

/** Signs in and keeps the credential in auth.json. Everything it says goes to stderr. */
export async function loginCommand(options: LoginOptions): Promise<number> {
  const { config, auth } = open(options.overrides);
  try {
    const key = await chooseKey(options, config);
    if (key !== undefined) return await keepKey(auth, key);
  } catch (error) {
    if (error instanceof Declined) return signalStatus.SIGINT;
    throw error;
  }
  const { requireClientId } = await import("../auth/chatgpt-login.ts");
  requireClientId(auth);
  return options.deviceAuth ? loginByDevice(auth) : loginByBrowser(auth, { config, browser: options.browser });
}

/** Says with what requests to OpenAI are signed; status 1 when with nothing. */
export function loginStatusCommand(overrides: readonly string[]): number {
  const { config, auth } = open(overrides);
  const provider = config.modelProviders.get("openai");
  if (provider === undefined) throw new Error("there is no provider openai"); // it is built in
  const { preferredAuthMethod } = config;
  const credential = auth.current({ provider, preferredAuthMethod }, (problem) => say(`Warning: ${showLine(problem)}`));
  if (credential === undefined) {
    say("Not logged in");
    return 1;
  }
  if (credential.kind === "chatgpt") {
    say("Logged in using ChatGPT");
    return 0;
  }
  say(`Logged in using an API key - ${maskKey(credential.token)}`);
  if (credential.source !== "auth.json") {
    // Names of our own are not taken from the .env file.
    const place = credential.source.startsWith("CODEX_") ? "environment variable" : "environment variable or .env file";
    say(`   API loaded from ${credential.source} ${place}`);
  }
  return 0;
}

export async function logoutCommand(overrides: readonly string[]): Promise<number> {
  const { auth } = open(overrides);
  say((await auth.logout()) ? "Successfully logged out" : "Not logged in");
  return 0;
}

function open(overrides: readonly string[]): { readonly config: Config; readonly auth: AuthManager } {
  const config = loadConfig({ flags: { overrides }, env: process.env, processCwd: currentFolder() });
  startLog(config.env, "warn");
  return { config, auth: openAuth(config, version) };
}

/** The API key to keep; undefined: sign in to ChatGPT. */
async function chooseKey(
  { apiKey, withApiKey, deviceAuth }: LoginOptions,
  { env }: Config,
): Promise<string | undefined> {
  if (apiKey !== undefined) return apiKey;
  const isTerminal = process.stdin.isTTY === true;
  const ofEnvironment = env["OPENAI_API_KEY"]?.trim() ?? "";
  if (withApiKey) {
    if (!isTerminal) return readPipedSecret();
    if (ofEnvironment === "") return askSecret("API key (it is not shown): ");
    return (await askSecret("API key (it is not shown; Enter takes the one in OPENAI_API_KEY): ")) || ofEnvironment;
  }
  if (deviceAuth || ofEnvironment === "") return undefined;
  if (isTerminal) {
    const isWanted = await askYesNo(
      "OPENAI_API_KEY is set. Keep that key in auth.json instead of signing in to ChatGPT?",
    );
    return isWanted ? ofEnvironment : undefined;
  }
  say("OPENAI_API_KEY is set, and used as it is. To keep it: printenv OPENAI_API_KEY | codex login --with-api-key");
  return undefined;
}

async function keepKey(auth: AuthManager, key: string): Promise<number> {
  await auth.loginWithApiKey(key);
  say("Successfully logged in");
  return 0;
}

async function loginByBrowser(
  auth: AuthManager,
  { config, browser }: { readonly config: Config; readonly browser: boolean },
): Promise<number> {
  const { startChatGptLogin } = await import("../auth/browser-login.ts");
  const login = await startChatGptLogin(auth);
  say(`Starting local login server on http://localhost:${login.port}.`);
  const isOpen =
    browser && (await openBrowser(login.authUrl, { env: config.env, credentials: config.credentialVariables }));
  say(isOpen ? "If your browser did not open, navigate to this URL to authenticate:" : openHint(login));
  say(`\n${login.authUrl}\n`);
  const status = await waitForLogin(login);
  await Promise.race([login.closed, timeLimit(lastPageMs)]);
  return status;
}

/** How long the browser may take to fetch the last page. */
const lastPageMs = 2_000;

function openHint({ port }: ChatGptLogin): string {
  return `Open this URL in a browser on this machine (from elsewhere: ssh -L ${port}:localhost:${port}):`;
}

async function loginByDevice(auth: AuthManager): Promise<number> {
  const { startDeviceLogin } = await import("../auth/device-login.ts");
  const login = await startDeviceLogin(auth);
  say("Open this URL in a browser on any machine, and check or type the code:");
  say(`\n${showControls(login.verificationUrl)}\n\n${showControls(login.userCode)}\n`);
  return waitForLogin(login);
}

/** A signal ends the sign-in first, so that nothing comes of it later. */
async function waitForLogin(login: { readonly completed: Promise<LoginOutcome>; cancel(): void }): Promise<number> {
  let signalled: Signal | undefined;
  for (const signal of Object.keys(signalStatus) as Signal[]) {
    process.once(signal, () => {
      signalled = signal;
      login.cancel();
    });
  }
  const outcome = await login.completed;
  if (outcome.success) {
    say("Successfully logged in");
    return 0;
  }
  if (signalled !== undefined) return signalStatus[signalled];
  say(`Error logging in: ${showControls(outcome.error)}`);
  return 1;
}

/** The ends of a long key, nothing of a short one. */
function maskKey(key: string): string {
  return key.length <= 13 ? "***" : `${key.slice(0, 8)}***${key.slice(-5)}`;
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}
