import { once } from "node:events";
import { mkdirSync, readFileSync, renameSync, rmSync, symlinkSync } from "node:fs";
import http, { type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { text as readText } from "node:stream/consumers";
import { describe, expect, test } from "vitest";
import { machineName } from "../../src/auth/auth-lock.ts";
import { AuthManager } from "../../src/auth/auth-manager.ts";
import { startChatGptLogin } from "../../src/auth/browser-login.ts";
import type { Credential } from "../../src/auth/credentials.ts";
import { startDeviceLogin } from "../../src/auth/device-login.ts";
import { HttpTransport } from "../../src/model/http-transport.ts";
import { fakeModel, say } from "../support/fake-model.ts";
import { openIdProvider } from "../support/openid-provider.ts";
import { runCodex, startCodex } from "../support/run-codex.ts";
import { type Workspace, workspace } from "../support/workspace.ts";
import { authFileOf, expire, jwt, need, openIn, signedIn, store, storedIn } from "./support.ts";

type Answer = (request: IncomingMessage, response: ServerResponse, form: URLSearchParams) => void;

/** An issuer that answers requests for tokens as no well-made one does; it counts them. */
async function badIssuer(answer: Answer, discovery: object | Answer = {}) {
  const forms: URLSearchParams[] = [];
  const server = http.createServer(async (request, response) => {
    const form = new URLSearchParams(await readText(request));
    if (request.method === "POST") {
      forms.push(form);
      return answer(request, response, form);
    }
    if (typeof discovery === "function") return discovery(request, response, form);
    const endpoints = { issuer: url, authorization_endpoint: `${url}/auth`, token_endpoint: `${url}/token` };
    response.end(JSON.stringify({ ...endpoints, ...discovery }));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo; // it listens on one
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    forms,
    [Symbol.asyncDispose]: async () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

const says =
  (body: object | string): Answer =>
  (_request, response) =>
    void response.end(typeof body === "string" ? body : JSON.stringify(body));

/** A process that waits for nothing very long. */
function impatientIn(place: Workspace, limits: { readonly answerMs?: number; readonly longestRenewalMs?: number }) {
  const { answerMs = 5_000, longestRenewalMs = 10_000 } = limits;
  return new AuthManager({
    codexHome: place.home,
    env: {},
    login: { issuer: "http://127.0.0.1:1", clientId: "c", port: 0 },
    originator: "test",
    connect: async () => ({ http: new HttpTransport({}), headers: {}, answerMs }),
    longestRenewalMs,
  });
}

/** What a process finds whose tokens come from this issuer, and expire in so many seconds. */
function storeTokens(place: Workspace, issuer: string, seconds = -60): void {
  const expires_at = new Date(Date.now() + seconds * 1000).toISOString();
  const tokens = { id_token: jwt({ sub: "ann" }), access_token: "old", refresh_token: "refresh", account_id: "a" };
  store(place, { tokens, oauth: { issuer, client_id: "c", expires_at } });
}

function refused(credential: Credential | undefined): Credential {
  if (credential === undefined) throw new Error("nobody is signed in");
  return credential;
}

describe("tokens that are no better after a renewal", () => {
  test("because they live for seconds: they are used as long as they live", async () => {
    await using provider = await openIdProvider({ accessTokenSeconds: 40 });
    using place = workspace({ git: false });
    const auth = await signedIn(place, provider);
    const renewed = await auth.credential(need);
    for (let count = 0; count < 5; count += 1) expect(await auth.credential(need)).toEqual(renewed);
    expect(provider.refreshes()).toHaveLength(1);
  });

  test("because the clock is wrong: they are used until a server refuses them", async () => {
    let count = 0;
    await using issuer = await badIssuer((_request, response) => {
      count += 1;
      response.end(JSON.stringify({ access_token: jwt({ exp: 1000, count }), refresh_token: `refresh-${count}` }));
    });
    using place = workspace({ git: false });
    storeTokens(place, issuer.url);
    const auth = impatientIn(place, {});
    const first = await auth.credential(need);
    for (let again = 0; again < 5; again += 1) expect(await auth.credential(need)).toEqual(first);
    expect(issuer.forms).toHaveLength(1);
    const second = await auth.replacement(need, refused(first));
    expect(second?.token).not.toBe(first?.token);
    expect(await auth.credential(need)).toEqual(second);
    expect(issuer.forms.map((form) => form.get("refresh_token"))).toEqual(["refresh", "refresh-1"]);
  });
});

describe("what another process has left in auth.json", () => {
  test("is renewed in its turn where it has expired too", async () => {
    await using provider = await openIdProvider();
    using place = workspace({ git: false });
    await signedIn(place, provider);
    expire(place);
    const here = openIn(place, provider.config);
    await openIn(place, provider.config).renew();
    const others = storedIn(place).tokens;
    expire(place);
    expect((await here.credential(need))?.token).toBe(storedIn(place).tokens?.access_token);
    expect(provider.refreshes().at(-1)?.form["refresh_token"]).toBe(others?.refresh_token);
    expect(provider.refreshes()).toHaveLength(2);
  });

  test("is no news where this process could not write: the login lives on, as long as the process", async () => {
    await using provider = await openIdProvider();
    using place = workspace({ git: false });
    await signedIn(place, provider);
    const longName = path.join(place.home, "x".repeat(250)); // no room for the name of a temporary file
    renameSync(authFileOf(place), longName);
    symlinkSync(longName, authFileOf(place));
    const auth = openIn(place, provider.config);
    const seen = new Set([auth.current(need)?.token]);
    for (let count = 1; count <= 3; count += 1) {
      await auth.renew();
      seen.add(auth.current(need)?.token);
    }
    expect(seen.size).toBe(4);
    expect(provider.refreshes()).toHaveLength(3);
    rmSync(authFileOf(place)); // and as soon as there is a place for it, it is written
    renameSync(longName, authFileOf(place));
    await auth.renew();
    expect(storedIn(place).tokens?.access_token).toBe(auth.current(need)?.token);
  });

  test("is of the same person under a new e-mail address", async () => {
    await using provider = await openIdProvider();
    using place = workspace({ git: false });
    const here = await signedIn(place, provider);
    const { tokens, ...rest } = storedIn(place);
    const claims = { sub: "ann", email: "new@example.com" };
    store(place, { ...rest, tokens: { ...tokens, id_token: jwt(claims), access_token: "of-another" } });
    await here.renew();
    expect(here.current(need)?.token).toBe("of-another");
    expect(here.stored?.tokens?.email).toBe("new@example.com");
    expect(provider.refreshes()).toEqual([]);
  });

  test("is not overwritten when it has come after the lock was lost", async () => {
    await using provider = await openIdProvider();
    using place = workspace({ git: false });
    const here = await signedIn(place, provider);
    provider.isAskedForTokens = false;
    let goOn = () => {};
    provider.hold = new Promise((resolve) => {
      goOn = resolve;
    });
    const renewal = here.renew();
    await expect.poll(() => provider.isAskedForTokens).toBe(true);
    rmSync(`${authFileOf(place)}.lock`); // as from one that has slept for too long
    const { tokens, ...rest } = storedIn(place);
    const others = { ...rest, tokens: { ...tokens, access_token: "of-another", refresh_token: "of-another" } };
    store(place, others);
    goOn();
    await renewal;
    expect(storedIn(place)).toEqual(others);
    expect(here.current(need)?.token).not.toBe("of-another");
  });
});

test("two homes whose auth.json is a link to one file take turns", async () => {
  await using provider = await openIdProvider();
  using place = workspace({ git: false });
  await signedIn(place, provider);
  expire(place);
  const shared = path.join(place.root, "shared.json");
  renameSync(authFileOf(place), shared);
  const homes = ["one", "two", "three"].map((name) => ({ ...place, home: path.join(place.root, name) }));
  const processes = homes.map((there) => {
    mkdirSync(there.home);
    symlinkSync(shared, authFileOf(there));
    return openIn({ ...there, env: { ...place.env, CODEX_HOME: there.home } }, provider.config);
  });
  const tokens = await Promise.all(processes.map((auth) => auth.credential(need)));
  const { access_token } = JSON.parse(readFileSync(shared, "utf8")).tokens;
  expect(new Set(tokens.map((credential) => credential?.token))).toEqual(new Set([access_token]));
  expect(provider.refreshes()).toHaveLength(1);
});

describe("a renewal has an end", () => {
  const silences: readonly [name: string, answer: Answer][] = [
    ["does not answer", () => {}],
    ["begins to answer", (_, response) => void response.write('{"access_token":')],
    [
      "answers a byte at a time",
      (_, response) => {
        response.write("{");
        const dripping = setInterval(() => response.write(" "), 10);
        response.on("close", () => clearInterval(dripping));
      },
    ],
  ];

  test.each(silences)("when the issuer %s", async (_, answer) => {
    await using issuer = await badIssuer(answer);
    using place = workspace({ git: false });
    storeTokens(place, issuer.url);
    const auth = impatientIn(place, { answerMs: 500 });
    await expect(auth.credential(need)).rejects.toThrow(`${issuer.url} did not answer within 0.5 seconds`);
    storeTokens(place, issuer.url, 30);
    expect(await impatientIn(place, { answerMs: 500 }).credential(need)).toMatchObject({ token: "old" });
  });

  test.each(silences)("when the issuer %s to the question for its addresses", async (_, answer) => {
    await using issuer = await badIssuer(says({}), answer);
    using place = workspace({ git: false });
    storeTokens(place, issuer.url);
    await expect(impatientIn(place, { answerMs: 500 }).credential(need)).rejects.toThrow(
      `Cannot use the issuer ${issuer.url}: ${issuer.url} did not answer within 0.5 seconds`,
    );
  });

  const silence: Answer = () => {};
  test.each([
    ["for its tokens", silence, undefined],
    ["for its addresses", says({}), silence],
  ])("when all of it takes too long, as the question %s", async (_, answer, addresses) => {
    await using issuer = await badIssuer(answer, addresses);
    using place = workspace({ git: false });
    storeTokens(place, issuer.url);
    const auth = impatientIn(place, { longestRenewalMs: 300 });
    await expect(auth.credential(need)).rejects.toThrow("The login could not be renewed within 0.3 seconds");
  });

  test("when another process does not let go of the file", async () => {
    await using issuer = await badIssuer(says({ access_token: "new" }));
    using place = workspace({ git: false });
    const lock = `${authFileOf(place)}.lock`;
    symlinkSync(`${machineName()} ${process.pid} other`, lock);
    storeTokens(place, issuer.url, 30);
    const early = impatientIn(place, { longestRenewalMs: 100 });
    expect(await early.credential(need)).toMatchObject({ token: "old" });
    storeTokens(place, issuer.url);
    const late = impatientIn(place, { longestRenewalMs: 1_000 });
    await expect(late.credential(need)).rejects.toThrow(`Another process does not let go of "${lock}"`);
    rmSync(lock);
    expect(await late.credential(need)).toMatchObject({ token: "new" });
  });
});

describe("an issuer that grants", () => {
  test("nothing has not renewed anything", async () => {
    await using issuer = await badIssuer(says({ foo: 1 }));
    using place = workspace({ git: false });
    storeTokens(place, issuer.url);
    const before = storedIn(place);
    await expect(impatientIn(place, {}).credential(need)).rejects.toThrow(`${issuer.url} granted no token`);
    expect(storedIn(place)).toEqual(before);
  });

  test.each([
    ["seconds", { access_token: "new", expires_in: 1e300 }],
    ["a time", { access_token: jwt({ exp: 1e300 }) }],
    ["seconds that have passed", { access_token: "new", expires_in: -1e300 }],
  ])("%s that no calendar has", async (_, answer) => {
    await using issuer = await badIssuer(says(answer));
    using place = workspace({ git: false });
    storeTokens(place, issuer.url);
    expect(await impatientIn(place, {}).credential(need)).toMatchObject({ token: answer.access_token });
    expect(storedIn(place).tokens?.access_token).toBe(answer.access_token);
    const homeFiles = { "auth.json": JSON.stringify(storedIn(place)) };
    expect((await runCodex(["doctor"], { homeFiles })).stdout).toContain("ChatGPT, from auth.json");
  });

  test("years for a device code, and is to be asked all the time: it is asked with pauses", async () => {
    const code = { device_code: "d", user_code: "u", verification_uri: "http://127.0.0.1/", expires_in: 1e10 };
    let asked = 0;
    let isApproved = false;
    const answer: Answer = (_request, response, form) => {
      if (!form.has("device_code")) return says({ ...code, interval: -1 })(_request, response, form);
      asked += 1;
      if (asked === 1) setTimeout(() => (isApproved = true), 1_500); // without pauses it is asked hundreds of times
      response.statusCode = isApproved ? 200 : 400;
      response.end(JSON.stringify(isApproved ? { access_token: "new" } : { error: "authorization_pending" }));
    };
    const endpoint = { device_authorization_endpoint: "" };
    await using issuer = await badIssuer(answer, endpoint);
    endpoint.device_authorization_endpoint = `${issuer.url}/device`;
    using place = workspace({ git: false });
    const config = [`chatgpt_issuer = "${issuer.url}"`, 'chatgpt_client_id = "c"'];
    const login = await startDeviceLogin(openIn(place, config));
    expect(await login.completed).toEqual({ success: true });
    expect(asked).toBeLessThanOrEqual(3);
  });

  test("under an address with a password: it is not used, and the password not shown", async () => {
    using place = workspace({ git: false });
    const auth = openIn(place, ['chatgpt_issuer = "https://me:undisclosed@issuer.example"']);
    const failure = await startChatGptLogin(auth).catch((error: unknown) => String(error));
    expect(failure).toContain("chatgpt_issuer must be an https URL without a password");
    expect(failure).not.toContain("undisclosed");
  });
});

test("a run that is interrupted while its tokens are renewed keeps what the issuer grants", async () => {
  await using issuer = await openIdProvider();
  await using model = await fakeModel([say("never")]);
  using place = workspace({ git: false });
  await signedIn(place, issuer);
  expire(place);
  issuer.isAskedForTokens = false;
  let goOn = () => {};
  issuer.hold = new Promise((resolve) => {
    goOn = resolve;
  });
  const codex = startCodex(["exec", "--json", "go"], {
    model,
    provider: { requires_openai_auth: true },
    config: issuer.config,
    homeFiles: { "auth.json": readFileSync(authFileOf(place), "utf8") },
  });
  await expect.poll(() => issuer.isAskedForTokens).toBe(true);
  codex.child.kill("SIGINT");
  await codex.sees("turn_aborted");
  goOn();
  const run = await codex.finished();
  expect(run.exitCode).toBe(130);
  expect(issuer.refreshes()).toHaveLength(1);
  const kept = JSON.parse(run.homeFiles["auth.json"] ?? "").tokens.refresh_token;
  expect(kept).not.toBe(storedIn(place).tokens?.refresh_token);
  expect(await issuer.isRefreshTokenExpired(kept)).toBe(false);
  expect(Object.keys(run.homeFiles)).not.toContain("auth.json.lock");
});
