import { once } from "node:events";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, test } from "vitest";
import { startChatGptLogin } from "../../src/auth/browser-login.ts";
import { browse } from "../support/openid-provider.ts";
import { type Workspace, workspace } from "../support/workspace.ts";
import { jwt, need, openIn, store } from "./support.ts";

interface Answer {
  readonly status: number;
  readonly body: string | object;
  readonly headers?: Readonly<Record<string, string>>;
}

/** An issuer whose token endpoint always says this: what no well-made provider can be brought to say. */
async function oddIssuer(answer: Answer, discovery: object = {}) {
  const server = http.createServer((request, response) => {
    const isToken = request.url === "/token";
    const endpoints = { issuer: url, authorization_endpoint: `${url}/auth`, token_endpoint: `${url}/token` };
    const { status, body, headers } = isToken ? answer : { status: 200, body: { ...endpoints, ...discovery } };
    response.writeHead(status, { ...headers });
    response.end(typeof body === "string" ? body : JSON.stringify(body));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo; // it listens on one
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    [Symbol.asyncDispose]: async () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** Signed in with tokens that have just expired. */
function expired(place: Workspace, issuer: string) {
  const tokens = { id_token: jwt({}), access_token: jwt({ exp: 1 }), refresh_token: "marked-refresh", account_id: "a" };
  store(place, { tokens, oauth: { issuer, client_id: "c" } });
  return openIn(place);
}

describe("a refresh that the issuer answers with", () => {
  test.each<[name: string, answer: Answer, problem: string]>([
    [
      "a text that quotes the token: it is not shown",
      { status: 400, body: { error: "invalid_grant", error_description: "no such token: marked-refresh" } },
      "the refresh token was refused (invalid_grant: no such token: ***). Log in again: codex login",
    ],
    [
      "an error object, as OpenAI's",
      { status: 401, body: { error: { code: "refresh_token_reused", message: "Used twice." } } },
      "the refresh token was refused (refresh_token_reused: Used twice.). Log in again: codex login",
    ],
    [
      "a code that quotes the token",
      { status: 400, body: { error: "no such token: marked-refresh" } },
      "the refresh token was refused (no such token: ***). Log in again: codex login",
    ],
    [
      "an object whose code quotes the token",
      { status: 400, body: { error: { code: "bad marked-refresh", message: "marked-refresh" } } },
      "the refresh token was refused (bad ***: ***). Log in again: codex login",
    ],
    [
      "a code of no end: it is cut",
      { status: 400, body: { error: "x".repeat(900_000) } },
      `the refresh token was refused (${"x".repeat(1000)}…). Log in again: codex login`,
    ],
    [
      "a token that would end the header it is sent in",
      { status: 200, body: { access_token: "new\r\nX-Evil: 1" } },
      "granted an access token with a blank or a control character",
    ],
    [
      "a token with a null byte",
      { status: 200, body: { access_token: "a\0b" } },
      "granted an access token with a blank",
    ],
    ["a server error", { status: 500, body: { error: "server_error" } }, "answered with status 500"],
    ["a limit", { status: 429, body: { error: "slow_down" } }, "answered with status 429"],
    ["a web page", { status: 200, body: "<html>" }, "answered with status 200"],
    ["a redirect to elsewhere", { status: 307, body: "", headers: { location: "http://127.0.0.1:9/" } }, "status 307"],
    ["more than anybody wants", { status: 200, body: "x".repeat(1_100_000) }, "the answer is too long"],
  ])("%s", async (_, answer, problem) => {
    await using issuer = await oddIssuer(answer);
    using place = workspace({ git: false });
    await expect(expired(place, issuer.url).credential(need)).rejects.toThrow(problem);
  });

  test("new tokens, of which it leaves out what stays", async () => {
    await using issuer = await oddIssuer({ status: 200, body: { access_token: "new-access" } });
    using place = workspace({ git: false });
    const auth = expired(place, issuer.url);
    expect(await auth.credential(need)).toMatchObject({ token: "new-access", accountId: "a" });
    expect(auth.stored?.tokens).toMatchObject({ refreshToken: "marked-refresh", expiresAt: undefined });
  });
});

test("an account that no header can carry is passed over", async () => {
  using place = workspace({ git: false });
  const claims = { "https://api.openai.com/auth": { chatgpt_account_id: "from-claims" } };
  store(place, { tokens: { access_token: "t", account_id: "a\r\nX-Evil: 1", id_token: jwt(claims) } });
  expect(openIn(place).stored?.tokens).toMatchObject({ accountId: "from-claims" });
});

describe("a sign-in at an issuer", () => {
  test("that grants nothing fails", async () => {
    await using issuer = await oddIssuer({ status: 200, body: { id_token: "x" } });
    using place = workspace({ git: false });
    const login = await startChatGptLogin(
      openIn(place, [`chatgpt_issuer = "${issuer.url}"`, "chatgpt_login_port = 0"]),
    );
    const state = new URL(login.authUrl).searchParams.get("state");
    await browse(`http://localhost:${login.port}/auth/callback?code=c&state=${state}`);
    expect(await login.completed).toEqual({ success: false, error: `${issuer.url} granted no access token` });
  });

  test.each([
    ["names no token endpoint", { token_endpoint: null }, "names no authorization or token endpoint"],
    [
      "would have tokens sent in the clear",
      { token_endpoint: "http://a.example/token" },
      "token_endpoint is no https URL",
    ],
  ])("that %s is not begun", async (_, discovery, problem) => {
    await using issuer = await oddIssuer({ status: 200, body: {} }, discovery);
    using place = workspace({ git: false });
    const auth = openIn(place, [`chatgpt_issuer = "${issuer.url}"`, "chatgpt_login_port = 0"]);
    await expect(startChatGptLogin(auth)).rejects.toThrow(problem);
  });
});
