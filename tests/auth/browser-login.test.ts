import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync, rmSync, symlinkSync } from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import net from "node:net";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { machineName } from "../../src/auth/auth-lock.ts";
import type { AuthManager } from "../../src/auth/auth-manager.ts";
import { startChatGptLogin } from "../../src/auth/browser-login.ts";
import { UserError } from "../../src/lib/errors.ts";
import { browse, clientId, openIdProvider } from "../support/openid-provider.ts";
import { workspace } from "../support/workspace.ts";
import { authFileOf, modeOf, need, openIn, signedIn, signIn, store, storedIn } from "./support.ts";

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = http.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo; // it listens on one
  server.close();
  await once(server, "close");
  return port;
}

/** What a server of ours sees of a browser that comes from elsewhere. */
function get(port: number, path: string, headers: http.OutgoingHttpHeaders = {}): Promise<number> {
  return new Promise((resolve, reject) => {
    const request = http.get({ host: "127.0.0.1", port, path, headers, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    request.on("error", reject);
  });
}

describe("a sign-in by browser", () => {
  test("the address has what the issuer needs, and a challenge instead of the secret", async () => {
    await using provider = await openIdProvider();
    using place = workspace({ git: false });
    const env = { CODEX_INTERNAL_ORIGINATOR_OVERRIDE: "my_editor" };
    const login = await startChatGptLogin(openIn(place, provider.config, env));
    const url = new URL(login.authUrl);
    expect(`${url.origin}${url.pathname}`).toBe(`${provider.issuer}/auth`);
    expect(Object.fromEntries(url.searchParams)).toEqual({
      response_type: "code",
      client_id: clientId,
      redirect_uri: `http://localhost:${login.port}/auth/callback`,
      scope: "openid profile email offline_access",
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge_method: "S256",
      id_token_add_organizations: "true",
      codex_cli_simplified_flow: "true",
      state: expect.stringMatching(/^[\w-]{43}$/),
      originator: "my_editor",
    });
    await browse(login.authUrl);
    await login.completed;
    const [exchange] = provider.tokenRequests;
    const verifier = exchange?.form["code_verifier"] ?? "";
    expect(createHash("sha256").update(verifier).digest("base64url")).toBe(url.searchParams.get("code_challenge"));
    expect(exchange?.headers).toMatchObject({
      originator: "my_editor",
      "user-agent": expect.stringMatching(/^my_editor\/1\.2\.3 \(/),
    });
  });

  test("keeps the tokens, readable to nobody else, and this process uses them at once", async () => {
    await using provider = await openIdProvider();
    using place = workspace({ git: false });
    const auth = openIn(place, provider.config);
    const changes: unknown[] = [];
    auth.onChange((method) => changes.push(method));
    const login = await startChatGptLogin(auth);
    void login.completed.then(() => changes.push("completed"));
    expect(auth.current(need)).toBeUndefined();
    const page = await browse(login.authUrl);
    expect(page).toMatchObject({ status: 200, text: expect.stringContaining("Signed in") });
    expect(await login.completed).toEqual({ success: true });
    await login.closed;

    const stored = storedIn(place);
    expect(stored).toEqual({
      OPENAI_API_KEY: null,
      tokens: {
        id_token: expect.stringMatching(/^\w+\.[\w-]+\.[\w-]+$/),
        access_token: expect.any(String),
        refresh_token: expect.any(String),
        account_id: "account-of-ann",
      },
      last_refresh: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/),
      oauth: { issuer: provider.issuer, client_id: clientId, expires_at: expect.any(String) },
    });
    expect(modeOf(authFileOf(place))).toBe("600");
    const credential = {
      kind: "chatgpt",
      token: stored.tokens?.access_token,
      accountId: "account-of-ann",
      plan: "plus",
    };
    expect(auth.current(need)).toMatchObject(credential);
    expect(changes).toEqual(["completed", "chatgpt"]); // the order in which a client of the MCP server hears of it
    expect(auth.stored?.tokens?.email).toBe("ann@example.com");
  });

  test("a refused consent is told, and leaves what was there", async () => {
    await using provider = await openIdProvider();
    using place = workspace({ git: false });
    store(place, { OPENAI_API_KEY: "sk-old" });
    provider.consents = false;
    const auth = openIn(place, provider.config);
    const login = await startChatGptLogin(auth);
    const page = await browse(login.authUrl);
    expect(page.text).toContain("the person said no");
    expect(await login.completed).toEqual({
      success: false,
      error: "Sign-in was refused: access_denied: the person said no",
    });
    expect(storedIn(place)).toEqual({ OPENAI_API_KEY: "sk-old" });
    expect(auth.method(need)).toBe("apikey");
  });

  test("an answer with a wrong state is not taken, and the sign-in waits for the right one", async () => {
    await using provider = await openIdProvider();
    using place = workspace({ git: false });
    const login = await startChatGptLogin(openIn(place, provider.config));
    const callback = `http://localhost:${login.port}/auth/callback`;
    for (const query of ["?code=stolen&state=guessed", "?code=stolen", "?error=access_denied"]) {
      expect(await browse(callback + query)).toMatchObject({
        status: 400,
        text: expect.stringContaining("State mismatch"),
      });
    }
    expect(provider.tokenRequests).toEqual([]);
    await browse(login.authUrl);
    expect(await login.completed).toEqual({ success: true });
  });

  test("what is no request for us is refused, and the sign-in goes on", async () => {
    await using provider = await openIdProvider();
    using place = workspace({ git: false });
    const login = await startChatGptLogin(openIn(place, provider.config));
    for (const target of ["//", "http://[", "//evil:99999/", "/\\"]) {
      const socket = net.connect(login.port, "127.0.0.1");
      socket.end(`GET ${target} HTTP/1.1\r\nHost: localhost:${login.port}\r\nConnection: close\r\n\r\n`);
      const [answer] = await once(socket, "data");
      expect(String(answer)).toMatch(/^HTTP\/1\.1 40[04]/);
      socket.destroy();
    }
    await browse(login.authUrl);
    expect(await login.completed).toEqual({ success: true });
  });

  test("a code that the issuer refuses is no sign-in", async () => {
    await using provider = await openIdProvider();
    using place = workspace({ git: false });
    const login = await startChatGptLogin(openIn(place, provider.config));
    const state = new URL(login.authUrl).searchParams.get("state");
    const page = await browse(`http://localhost:${login.port}/auth/callback?code=made-up&state=${state}`);
    expect(page.status).toBe(400);
    expect(await login.completed).toMatchObject({
      success: false,
      error: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+ refused the sign-in: invalid_grant/),
    });
    expect(existsSync(authFileOf(place))).toBe(false);
  });

  test("what the issuer says is text on our page", async () => {
    await using provider = await openIdProvider();
    using place = workspace({ git: false });
    const login = await startChatGptLogin(openIn(place, provider.config));
    const state = new URL(login.authUrl).searchParams.get("state");
    const description = encodeURIComponent('<img src="x">');
    const query = `?state=${state}&error=access_denied&error_description=${description}`;
    const page = await browse(`http://localhost:${login.port}/auth/callback${query}`);
    expect(page.text).toContain("&#60;img src=&#34;x&#34;&#62;");
    expect(page.text).not.toContain("<img");
  });

  test("cancelling ends it and frees the port", async () => {
    await using provider = await openIdProvider();
    using place = workspace({ git: false });
    const port = await freePort();
    const auth = openIn(place, [...provider.config.slice(0, 2), `chatgpt_login_port = ${port}`]);
    const login = await startChatGptLogin(auth);
    expect(login.loginId).toMatch(/^[\da-f-]{36}$/);
    login.cancel();
    expect(await login.completed).toEqual({ success: false, error: "Login server error: Login was not completed" });
    await login.closed;
    await expect(get(port, "/")).rejects.toThrow("ECONNREFUSED");
  });

  test.each<[name: string, change: (auth: AuthManager) => Promise<unknown>, cause: string, method: string | undefined]>(
    [
      ["a logout", (auth) => auth.logout(), "a logout ended it", undefined],
      ["a key", (auth) => auth.loginWithApiKey("sk-1"), "a login with an API key took its place", "apikey"],
    ],
  )("%s that comes while it begins has the last word", async (_, change, cause, method) => {
    await using provider = await openIdProvider();
    using place = workspace({ git: false });
    const auth = openIn(place, provider.config);
    const beginning = startChatGptLogin(auth); // asks the issuer first
    const changed = change(auth);
    await expect(beginning).rejects.toThrow(new UserError(`Login server error: Login cancelled: ${cause}`));
    await changed;
    expect(auth.method(need)).toBe(method);
  });

  test("of two that begin at once the later one goes on", async () => {
    await using provider = await openIdProvider();
    using place = workspace({ git: false });
    const auth = openIn(place, provider.config);
    const [first, second] = await Promise.allSettled([startChatGptLogin(auth), startChatGptLogin(auth)]);
    expect(first).toMatchObject({ reason: { message: expect.stringContaining("another login was started") } });
    if (second.status === "rejected") throw second.reason;
    await browse(second.value.authUrl);
    expect(await second.value.completed).toEqual({ success: true });
  });

  test("cancelling has the last word as long as nothing is written", async () => {
    await using provider = await openIdProvider();
    using place = workspace({ git: false });
    const auth = openIn(place, provider.config);
    const login = await startChatGptLogin(auth);
    const lock = path.join(place.home, "auth.json.lock"); // somebody else is at the file
    symlinkSync(`${machineName()} ${process.pid} other`, lock);
    const browsing = browse(login.authUrl);
    await expect.poll(() => provider.tokenRequests.length).toBe(1); // and the issuer has granted
    login.cancel();
    rmSync(lock);
    await browsing.catch(() => {}); // its page is cut off, or says what happened
    await login.closed;
    expect(existsSync(authFileOf(place))).toBe(false);
    expect(auth.method(need)).toBeUndefined();
  });

  test("it ends by itself when nobody comes", async () => {
    await using provider = await openIdProvider();
    using place = workspace({ git: false });
    const login = await startChatGptLogin(openIn(place, provider.config), { timeLimitMs: 20 });
    expect(await login.completed).toEqual({ success: false, error: "Login timed out" });
  });

  test("a second sign-in replaces the account of the first one", async () => {
    await using provider = await openIdProvider();
    using place = workspace({ git: false });
    const auth = await signedIn(place, provider);
    provider.person = "bob";
    await signIn(auth);
    expect(auth.current(need)).toMatchObject({ accountId: "account-of-bob" });
    expect(storedIn(place).tokens?.account_id).toBe("account-of-bob");
  });

  test.each([
    ["a login with a key", (auth: ReturnType<typeof openIn>) => auth.loginWithApiKey("sk-new"), "apikey"],
    ["a logout", (auth: ReturnType<typeof openIn>) => auth.logout(), undefined],
  ])("%s in the same process ends it, also when the issuer is just answering", async (_, action, method) => {
    await using provider = await openIdProvider();
    using place = workspace({ git: false });
    store(place, { OPENAI_API_KEY: "sk-old" });
    const auth = openIn(place, provider.config);
    const login = await startChatGptLogin(auth);
    let goOn = () => {};
    provider.hold = new Promise((resolve) => {
      goOn = resolve;
    });
    const browsing = browse(login.authUrl);
    await expect.poll(() => provider.isAskedForTokens).toBe(true);
    await action(auth);
    goOn();
    await browsing.catch(() => {}); // its page is cut off, or says what happened
    expect(await login.completed).toMatchObject({ success: false, error: expect.stringContaining("Login cancelled") });
    expect(auth.method(need)).toBe(method);
    expect(existsSync(authFileOf(place)) ? storedIn(place) : {}).not.toHaveProperty("tokens");
  });
});

describe("the port that the browser comes back to", () => {
  test("a sign-in of another process there gives way, and is told why", async () => {
    await using provider = await openIdProvider();
    using place = workspace({ git: false });
    const lines = [...provider.config.slice(0, 2), `chatgpt_login_port = ${await freePort()}`];
    const first = await startChatGptLogin(openIn(place, lines));
    const second = await startChatGptLogin(openIn(place, lines)); // a manager of its own, as another process has
    expect(await first.completed).toEqual({
      success: false,
      error: "Login server error: Login cancelled: another login was started on this machine",
    });
    await browse(second.authUrl);
    expect(await second.completed).toEqual({ success: true });
  });

  test("a program that is no codex keeps its port; the sentence names what to do", async () => {
    await using provider = await openIdProvider();
    using place = workspace({ git: false });
    const other = http.createServer((_, response) => response.end("mine")).listen(0, "127.0.0.1");
    await once(other, "listening");
    const { port } = other.address() as AddressInfo; // it listens on one
    try {
      const auth = openIn(place, [...provider.config.slice(0, 2), `chatgpt_login_port = ${port}`]);
      await expect(startChatGptLogin(auth)).rejects.toThrow(
        `Port ${port} is in use by another program, and the sign-in page comes back to it. End that program, set chatgpt_login_port, or use codex login --device-auth or --with-api-key.`,
      );
    } finally {
      other.close();
      other.closeAllConnections();
    }
  });

  test("no page in the browser can end a sign-in, or speak to it under another name", async () => {
    await using provider = await openIdProvider();
    using place = workspace({ git: false });
    const login = await startChatGptLogin(openIn(place, provider.config));
    const own = `127.0.0.1:${login.port}`;
    expect(await get(login.port, "/cancel", { host: own, origin: "https://evil.example" })).toBe(403);
    expect(await get(login.port, "/cancel", { host: own, "sec-fetch-site": "cross-site" })).toBe(403);
    expect(await get(login.port, "/cancel", { host: `evil.example:${login.port}` })).toBe(403);
    expect(await get(login.port, "/elsewhere", { host: own })).toBe(404);
    await browse(login.authUrl);
    expect(await login.completed).toEqual({ success: true });
  });
});

describe("the issuer", () => {
  test.each([
    ["http://issuer.example", "chatgpt_issuer must be an https URL"],
    ["ftp://127.0.0.1", "chatgpt_issuer must be an https URL"],
    ["no url", "chatgpt_issuer must be an https URL"],
    [
      "http://127.0.0.1:1",
      "Cannot use the issuer http://127.0.0.1:1: Cannot reach http://127.0.0.1:1: connection refused",
    ],
  ])("%s is not used", async (issuer, problem) => {
    using place = workspace({ git: false });
    const auth = openIn(place, [`chatgpt_issuer = "${issuer}"`, "chatgpt_login_port = 0"]);
    await expect(startChatGptLogin(auth)).rejects.toThrow(problem);
  });

  test("one that claims to be another is not used", async () => {
    await using provider = await openIdProvider();
    using place = workspace({ git: false });
    const alias = provider.issuer.replace("127.0.0.1", "localhost");
    const auth = openIn(place, [`chatgpt_issuer = "${alias}"`, "chatgpt_login_port = 0"]);
    await expect(startChatGptLogin(auth)).rejects.toThrow("is of another issuer");
  });

  test("ChatGPT's own is known without a request, under a client id of ours", async () => {
    using place = workspace({ git: false });
    const login = await startChatGptLogin(openIn(place, ["chatgpt_login_port = 0"]));
    const url = new URL(login.authUrl);
    expect(`${url.origin}${url.pathname}`).toBe("https://auth.openai.com/oauth/authorize");
    expect(url.searchParams.get("client_id")).toBe("codex-headless");
    login.cancel();
    await login.closed;
  });
});
