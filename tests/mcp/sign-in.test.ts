import { once } from "node:events";
import { existsSync, writeFileSync } from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { authFileOf, type StoredAuth, storedIn } from "../auth/support.ts";
import { callShell, type FakeModel, fakeModel, say } from "../support/fake-model.ts";
import { fullAccess, type McpSession, startMcp } from "../support/mcp-session.ts";
import { browse, type OpenIdProvider, openIdProvider } from "../support/openid-provider.ts";
import type { RunOptions } from "../support/run-codex.ts";

const provider = { requires_openai_auth: true };

/** A server whose provider takes the credentials of people who sign in at this issuer. */
function serverFor(issuer: OpenIdProvider, { config = [], ...options }: RunOptions = {}): McpSession {
  return startMcp({
    model: { url: "http://127.0.0.1:9/v1" },
    provider,
    config: [...fullAccess, ...issuer.config, ...config],
    ...options,
  });
}

const notified = (mcp: McpSession, method: string) => mcp.next((message) => message.method === method);
const stored = ({ codex }: McpSession): StoredAuth => storedIn(codex.place);

/** Signs in as a person does, from the first request to the last notification. */
async function signIn(mcp: McpSession): Promise<void> {
  const { loginId, authUrl } = (await mcp.request("loginChatGpt")).result;
  expect((await browse(authUrl)).text).toContain("Signed in");
  expect((await notified(mcp, "loginChatGptComplete")).params).toEqual({ loginId, success: true });
  expect((await notified(mcp, "authStatusChange")).params).toEqual({ authMethod: "chatgpt" });
}

const status = async (mcp: McpSession, params: object = {}) => (await mcp.request("getAuthStatus", params)).result;

async function newConversation(mcp: McpSession): Promise<() => Promise<void>> {
  const { conversationId } = (await mcp.request("newConversation", {})).result;
  await mcp.request("addConversationListener", { conversationId });
  return async () => {
    await mcp.request("sendUserMessage", { conversationId, items: [{ type: "text", data: { text: "go" } }] });
    await mcp.next(
      ({ method, params }) => method === "codex/event/task_complete" && params.conversationId === conversationId,
    );
  };
}

/** Who has signed the requests so far: `[token, account]`. */
const signatures = (model: FakeModel) =>
  model.requests.map(({ headers }) => [headers.authorization, headers["chatgpt-account-id"]]);

describe("a sign-in by a client of the server", () => {
  test("is told, seen by every method, and signs the requests of open and of new conversations", async () => {
    await using issuer = await openIdProvider();
    await using model = await fakeModel([say("ok")], { repeatLast: true });
    await using mcp = serverFor(issuer, { model });
    const askOpen = await newConversation(mcp);
    await askOpen();
    expect(await status(mcp, { includeToken: true })).toEqual({ requiresOpenaiAuth: true });

    await signIn(mcp);
    const { access_token } = stored(mcp).tokens ?? {};
    expect(await status(mcp)).toEqual({ authMethod: "chatgpt", requiresOpenaiAuth: true });
    expect(await status(mcp, { includeToken: true })).toMatchObject({ authToken: access_token });
    expect((await mcp.request("userInfo")).result).toEqual({ allegedUserEmail: "ann@example.com" });
    await askOpen();
    await (await newConversation(mcp))();
    const ann = [`Bearer ${access_token}`, "account-of-ann"];
    expect(signatures(model)).toEqual([[undefined, undefined], ann, ann]);

    expect((await mcp.request("logoutChatGpt")).result).toEqual({});
    expect((await notified(mcp, "authStatusChange")).params).toEqual({});
    expect(existsSync(authFileOf(mcp.codex.place))).toBe(false);
    expect(await status(mcp, { includeToken: true })).toEqual({ requiresOpenaiAuth: true });
    await askOpen();
    expect(signatures(model).at(-1)).toEqual([undefined, undefined]);
  });

  test("a second one takes the place of the first account, also within a turn that runs", async () => {
    await using issuer = await openIdProvider();
    const wait = callShell(["sh", "-c", "touch begun; until test -e go-on; do sleep 0.02; done"]);
    await using model = await fakeModel([wait, say("ok")]);
    await using mcp = serverFor(issuer, { model });
    await signIn(mcp);
    const turn = (await newConversation(mcp))();
    const { work } = mcp.codex.place;
    await expect.poll(() => existsSync(path.join(work, "begun"))).toBe(true);
    issuer.person = "bob";
    await signIn(mcp);
    writeFileSync(path.join(work, "go-on"), "");
    await turn;
    expect(signatures(model).map(([, account]) => account)).toEqual(["account-of-ann", "account-of-bob"]);
    expect(stored(mcp).tokens?.account_id).toBe("account-of-bob");
  });

  test("a refused consent is told with its reason, and leaves what was there", async () => {
    await using issuer = await openIdProvider();
    issuer.consents = false;
    await using mcp = serverFor(issuer, { homeFiles: { "auth.json": '{"OPENAI_API_KEY":"sk-old"}' } });
    const { loginId, authUrl } = (await mcp.request("loginChatGpt")).result;
    await browse(authUrl);
    expect((await notified(mcp, "loginChatGptComplete")).params).toEqual({
      loginId,
      success: false,
      error: "Sign-in was refused: access_denied: the person said no",
    });
    expect(await status(mcp, { includeToken: true })).toMatchObject({ authMethod: "apikey", authToken: "sk-old" });
    expect(stored(mcp)).toEqual({ OPENAI_API_KEY: "sk-old" });
    expect(mcp.messages.map(({ method }) => method)).not.toContain("authStatusChange");
  });

  test("an answer with a wrong state is not taken, and the right one still is", async () => {
    await using issuer = await openIdProvider();
    await using mcp = serverFor(issuer);
    const { authUrl } = (await mcp.request("loginChatGpt")).result;
    const callback = new URL(authUrl).searchParams.get("redirect_uri");
    expect(await browse(`${callback}?code=stolen&state=guessed`)).toMatchObject({ status: 400 });
    expect(issuer.tokenRequests).toEqual([]);
    await browse(authUrl);
    expect((await notified(mcp, "loginChatGptComplete")).params).toMatchObject({ success: true });
  });

  test("a new one ends the one before, whose page is of no use then", async () => {
    await using issuer = await openIdProvider();
    await using mcp = serverFor(issuer);
    const first = (await mcp.request("loginChatGpt")).result;
    const second = (await mcp.request("loginChatGpt")).result;
    expect((await notified(mcp, "loginChatGptComplete")).params).toEqual({
      loginId: first.loginId,
      success: false,
      error: "Login server error: Login cancelled: another login was started",
    });
    await expect(browse(first.authUrl)).rejects.toThrow("fetch failed");
    await browse(second.authUrl);
    expect((await notified(mcp, "loginChatGptComplete")).params).toEqual({ loginId: second.loginId, success: true });
    expect((await mcp.request("cancelLoginChatGpt", { loginId: second.loginId })).error?.code).toBe(-32600);
  });

  test.each([
    ["loginApiKey", { apiKey: "sk-new" }, "a login with an API key took its place", { authMethod: "apikey" }],
    ["logoutChatGpt", undefined, "a logout ended it", {}],
  ])("%s ends it", async (method, params, cause, change) => {
    await using issuer = await openIdProvider();
    await using mcp = serverFor(issuer);
    const { loginId, authUrl } = (await mcp.request("loginChatGpt")).result;
    expect((await mcp.request(method, params)).result).toEqual({});
    expect((await notified(mcp, "loginChatGptComplete")).params).toEqual({
      loginId,
      success: false,
      error: `Login server error: Login cancelled: ${cause}`,
    });
    expect((await notified(mcp, "authStatusChange")).params).toEqual(change);
    await expect(browse(authUrl)).rejects.toThrow("fetch failed");
  });

  test("a port that another program has: the answer says what to do; one of another codex gives way", async () => {
    await using issuer = await openIdProvider();
    const other = http.createServer((_, response) => response.end("mine")).listen(0, "127.0.0.1");
    await once(other, "listening");
    const { port } = other.address() as AddressInfo; // it listens on one
    const config = [...fullAccess, ...issuer.config.slice(0, 2), `chatgpt_login_port = ${port}`];
    const options = { model: { url: "http://127.0.0.1:9/v1" }, provider, config };
    await using first = startMcp(options);
    expect((await first.request("loginChatGpt")).error).toEqual({
      code: -32603,
      message: expect.stringMatching(
        new RegExp(`^failed to start login server: Port ${port} is in use by another program, .*chatgpt_login_port`),
      ),
    });
    other.close();
    other.closeAllConnections();

    const { loginId } = (await first.request("loginChatGpt")).result;
    await using second = startMcp(options);
    const { authUrl } = (await second.request("loginChatGpt")).result;
    expect((await notified(first, "loginChatGptComplete")).params).toEqual({
      loginId,
      success: false,
      error: "Login server error: Login cancelled: another login was started on this machine",
    });
    await browse(authUrl);
    expect((await notified(second, "loginChatGptComplete")).params).toMatchObject({ success: true });
  });

  test("an issuer that cannot be reached is the answer", async () => {
    await using issuer = await openIdProvider();
    issuer.isDown = true;
    await using mcp = serverFor(issuer);
    expect((await mcp.request("loginChatGpt")).error).toEqual({
      code: -32603,
      message: expect.stringMatching(/^failed to start login server: Cannot use the issuer http:.*: Cannot reach /),
    });
    issuer.isDown = false;
    await signIn(mcp);
  });
});

describe("getAuthStatus with refreshToken", () => {
  test("renews the token, on disk and for everybody in this process", async () => {
    await using issuer = await openIdProvider();
    await using model = await fakeModel([say("ok")], { repeatLast: true });
    await using mcp = serverFor(issuer, { model });
    const ask = await newConversation(mcp);
    await signIn(mcp);
    await ask();
    const before = stored(mcp).tokens;
    const { authToken } = await status(mcp, { includeToken: true, refreshToken: true });
    const after = stored(mcp).tokens;
    expect(after?.access_token).toBe(authToken);
    expect([before?.access_token, before?.refresh_token]).not.toContain(authToken);
    expect(after?.refresh_token).not.toBe(before?.refresh_token);
    expect(await status(mcp, { includeToken: true })).toMatchObject({ authMethod: "chatgpt", authToken });
    await ask();
    expect(signatures(model).map(([token]) => token)).toEqual([
      `Bearer ${before?.access_token}`,
      `Bearer ${authToken}`,
    ]);
    // Each of these is asked at the same time as the others.
    await Promise.all(Array.from({ length: 5 }, () => status(mcp, { refreshToken: true })));
    expect(issuer.refreshes()).toHaveLength(2);
  });

  test("says what there is when the refresh token has expired; the cause is in the log", async () => {
    await using issuer = await openIdProvider({ refreshTokenSeconds: 1 });
    await using mcp = serverFor(issuer);
    await signIn(mcp);
    const { access_token, refresh_token } = stored(mcp).tokens ?? {};
    await expect.poll(() => issuer.isRefreshTokenExpired(refresh_token ?? "")).toBe(true);
    expect(await status(mcp, { includeToken: true, refreshToken: true })).toEqual({
      authMethod: "chatgpt",
      authToken: access_token,
      requiresOpenaiAuth: true,
    });
    await mcp.codex.sees(
      "the token was not renewed: Your ChatGPT login cannot be renewed: the refresh token was refused",
    );
    expect(stored(mcp).tokens?.refresh_token).toBe(refresh_token);
  });

  test("says what there is when the issuer is down, and renews when it is back", async () => {
    await using issuer = await openIdProvider();
    await using mcp = serverFor(issuer);
    await signIn(mcp);
    const { access_token } = stored(mcp).tokens ?? {};
    issuer.isDown = true;
    const asked = { includeToken: true, refreshToken: true };
    expect(await status(mcp, asked)).toMatchObject({ authToken: access_token });
    issuer.isDown = false;
    expect((await status(mcp, asked)).authToken).toBe(stored(mcp).tokens?.access_token);
    expect(stored(mcp).tokens?.access_token).not.toBe(access_token);
  });
});

test("two servers with two accounts on one home: each stays with its own, old conversations and new ones", async () => {
  await using issuer = await openIdProvider();
  await using model = await fakeModel([say("ok")], { repeatLast: true });
  await using here = serverFor(issuer, { model });
  await signIn(here);
  const ann = stored(here).tokens?.access_token;
  const askOpen = await newConversation(here);

  await using there = serverFor(issuer, { model, env: { CODEX_HOME: here.codex.place.home } });
  issuer.person = "bob";
  await signIn(there);
  const bob = stored(here).tokens?.access_token;
  await askOpen();
  await (await newConversation(here))();
  await (await newConversation(there))();
  expect(signatures(model)).toEqual([
    [`Bearer ${ann}`, "account-of-ann"],
    [`Bearer ${ann}`, "account-of-ann"],
    [`Bearer ${bob}`, "account-of-bob"],
  ]);
  expect(await status(here, { includeToken: true })).toMatchObject({ authToken: ann });
  const { authToken } = await status(here, { includeToken: true, refreshToken: true });
  expect([ann, bob]).not.toContain(authToken);
  expect(stored(here).tokens?.access_token).toBe(bob); // ann's place is taken
  expect((await here.request("userInfo")).result).toEqual({ allegedUserEmail: "ann@example.com" });

  expect((await here.request("logoutChatGpt")).result).toEqual({});
  expect(await status(here)).toEqual({ requiresOpenaiAuth: true });
  expect(await status(there, { includeToken: true })).toMatchObject({ authMethod: "chatgpt", authToken: bob });
});

test("with a key in a variable authStatusChange says what getAuthStatus says", async () => {
  await using issuer = await openIdProvider();
  await using mcp = serverFor(issuer, { env: { OPENAI_API_KEY: "sk-of-variable" } });
  expect((await mcp.request("logoutChatGpt")).result).toEqual({});
  expect((await notified(mcp, "authStatusChange")).params).toEqual({ authMethod: "apikey" });
  expect(await status(mcp)).toEqual({ authMethod: "apikey", requiresOpenaiAuth: true });
});

test("requests that are sent without waiting for the answers take effect in their order", async () => {
  await using issuer = await openIdProvider();
  await using mcp = serverFor(issuer);
  const answers = ["sk-1", "sk-2"].map((apiKey) => mcp.request("loginApiKey", { apiKey }));
  answers.push(mcp.request("logoutChatGpt"), mcp.request("loginApiKey", { apiKey: "sk-3" }), mcp.request("logout"));
  for (const { result } of await Promise.all(answers)) expect(result).toEqual({});
  expect(await status(mcp)).toEqual({ requiresOpenaiAuth: true });
  expect(existsSync(authFileOf(mcp.codex.place))).toBe(false);
});
