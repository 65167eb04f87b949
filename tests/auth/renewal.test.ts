import { renameSync, rmSync, symlinkSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { openIdProvider } from "../support/openid-provider.ts";
import { workspace } from "../support/workspace.ts";
import { authFileOf, expire, jwt, need, openIn, signedIn, store, storedIn } from "./support.ts";

const refused = (token: string) => ({
  kind: "chatgpt" as const,
  token,
  source: "auth.json",
  accountId: undefined,
  plan: undefined,
});

describe("tokens are renewed", () => {
  test("before they expire, and everything else in the file stays", async () => {
    await using provider = await openIdProvider();
    using place = workspace({ git: false });
    await signedIn(place, provider);
    expire(place, 30);
    const before = storedIn(place);
    store(place, { ...before, tokens: { ...before.tokens, added: 1 }, auth_mode: "chatgpt", of_others: { a: [1] } });
    const credential = await openIn(place, provider.config).credential(need);

    const after = storedIn(place);
    expect(credential).toMatchObject({ kind: "chatgpt", token: after.tokens?.access_token, plan: "plus" });
    expect(after.tokens?.access_token).not.toBe(before.tokens?.access_token);
    expect(after.tokens?.refresh_token).not.toBe(before.tokens?.refresh_token);
    expect(after).toMatchObject({ tokens: { added: 1 }, auth_mode: "chatgpt", of_others: { a: [1] } });
    expect(Date.parse(after.oauth?.["expires_at"] ?? "")).toBeGreaterThan(Date.now() + 3_000_000);
    expect(provider.refreshes().map(({ form }) => form)).toEqual([
      expect.objectContaining({
        client_id: "codex-test",
        grant_type: "refresh_token",
        refresh_token: before.tokens?.refresh_token,
        scope: "openid profile email",
      }),
    ]);
  });

  test("not before that: the issuer is left alone, and the answer is there at once", async () => {
    await using provider = await openIdProvider();
    using place = workspace({ git: false });
    await signedIn(place, provider);
    const credential = openIn(place, provider.config).credential(need);
    expect(credential).toMatchObject({ kind: "chatgpt", token: storedIn(place).tokens?.access_token });
    expect(provider.refreshes()).toEqual([]);
  });

  test("when the access token itself says that it ends", async () => {
    await using provider = await openIdProvider();
    using place = workspace({ git: false });
    await signedIn(place, provider);
    const { tokens, ...rest } = storedIn(place);
    store(place, { ...rest, tokens: { ...tokens, access_token: jwt({ exp: Date.now() / 1000 + 10 }) } });
    await openIn(place, provider.config).credential(need);
    expect(provider.refreshes()).toHaveLength(1);
  });

  test.each([
    ["27 days: not yet", 27, 0],
    ["29 days: now", 29, 1],
  ])("when nothing says when they end, at an age of %s", async (_, days, count) => {
    await using provider = await openIdProvider();
    using place = workspace({ git: false });
    await signedIn(place, provider);
    const { oauth, ...rest } = storedIn(place);
    const { expires_at, ...login } = oauth ?? {};
    store(place, { ...rest, oauth: login, last_refresh: new Date(Date.now() - days * 86_400_000).toISOString() });
    await openIn(place, provider.config).credential(need);
    expect(provider.refreshes()).toHaveLength(count);
  });

  test("once, however many wait", async () => {
    await using provider = await openIdProvider();
    using place = workspace({ git: false });
    await signedIn(place, provider);
    expire(place);
    const auth = openIn(place, provider.config);
    const credentials = await Promise.all(Array.from({ length: 20 }, () => auth.credential(need)));
    expect(new Set(credentials.map((credential) => credential?.token))).toEqual(
      new Set([storedIn(place).tokens?.access_token]),
    );
    expect(provider.refreshes()).toHaveLength(1);
  });

  test("once for all whom the model server has refused, early or late", async () => {
    await using provider = await openIdProvider();
    using place = workspace({ git: false });
    const auth = await signedIn(place, provider);
    const old = refused(auth.current(need)?.token ?? "");
    const replacements = await Promise.all(Array.from({ length: 20 }, () => auth.replacement(need, old)));
    replacements.push(await auth.replacement(need, old));
    const { access_token } = storedIn(place).tokens ?? {};
    expect(new Set(replacements.map((credential) => credential?.token))).toEqual(new Set([access_token]));
    expect(access_token).not.toBe(old.token);
    expect(provider.refreshes()).toHaveLength(1);
  });

  test("once by two processes at the same moment: a second use of the refresh token would end the login", async () => {
    await using provider = await openIdProvider();
    using place = workspace({ git: false });
    await signedIn(place, provider);
    expire(place);
    const processes = Array.from({ length: 5 }, () => openIn(place, provider.config));
    const credentials = await Promise.all(processes.map((auth) => auth.credential(need)));
    expect(provider.refreshes()).toHaveLength(1);
    expect(new Set(credentials.map((credential) => credential?.token)).size).toBe(1);
    await processes[0]?.renew();
    expect(provider.refreshes()).toHaveLength(2); // the login lives
  });

  test("not here, where another process has done it meanwhile", async () => {
    await using provider = await openIdProvider();
    using place = workspace({ git: false });
    const [here, there] = [await signedIn(place, provider), openIn(place, provider.config)];
    const old = refused(here.current(need)?.token ?? "");
    await there.renew();
    expect((await here.replacement(need, old))?.token).toBe(storedIn(place).tokens?.access_token);
    expect(provider.refreshes()).toHaveLength(1);
  });
});

describe("the account of this process", () => {
  test("stays, whoever logs in elsewhere; its renewed tokens do not overwrite the other's", async () => {
    await using provider = await openIdProvider();
    using place = workspace({ git: false });
    const here = await signedIn(place, provider);
    provider.person = "bob";
    const there = await signedIn(place, provider);
    expect(here.current(need)).toMatchObject({ accountId: "account-of-ann" });
    expect(there.current(need)).toMatchObject({ accountId: "account-of-bob" });

    const old = here.current(need)?.token ?? "";
    expect(await here.replacement(need, refused(old))).toMatchObject({ accountId: "account-of-ann" });
    expect(here.current(need)?.token).not.toBe(old);
    expect(storedIn(place).tokens).toMatchObject({
      account_id: "account-of-bob",
      access_token: there.current(need)?.token,
    });
    const known = refused(here.current(need)?.token ?? "");
    const before = provider.refreshes().length;
    // With the refresh token that only this process knows, whose second use would be the end.
    await Promise.all(Array.from({ length: 20 }, () => here.replacement(need, known)));
    expect(provider.refreshes()).toHaveLength(before + 1);
    await here.renew();
    expect(here.current(need)).toMatchObject({ accountId: "account-of-ann" });
  });

  test("stays when another process logs out, and is not written back", async () => {
    await using provider = await openIdProvider();
    using place = workspace({ git: false });
    const here = await signedIn(place, provider);
    await openIn(place, provider.config).logout();
    await here.renew();
    expect(here.method(need)).toBe("chatgpt");
    expect(() => storedIn(place)).toThrow("ENOENT");
  });

  test.each([
    ["waits for the renewal to have its file written", (_: string) => {}],
    ["finds that another process has taken the file away", (file: string) => rmSync(file)],
  ])("a logout while the issuer is answering has the last word: it %s", async (_, prepare) => {
    await using provider = await openIdProvider();
    using place = workspace({ git: false });
    const auth = await signedIn(place, provider);
    provider.isAskedForTokens = false;
    let goOn = () => {};
    provider.hold = new Promise((resolve) => {
      goOn = resolve;
    });
    const renewal = auth.renew();
    await expect.poll(() => provider.isAskedForTokens).toBe(true);
    prepare(authFileOf(place));
    const logout = auth.logout();
    await new Promise(setImmediate);
    goOn();
    await Promise.all([renewal, logout]);
    expect(auth.method(need)).toBeUndefined();
    expect(() => storedIn(place)).toThrow("ENOENT");
  });
});

describe("tokens that cannot be renewed", () => {
  const again = "Log in again: codex login";

  test("an expired refresh token: the sentence says what to do", async () => {
    await using provider = await openIdProvider({ refreshTokenSeconds: 1 });
    using place = workspace({ git: false });
    await signedIn(place, provider);
    const token = storedIn(place).tokens?.refresh_token ?? "";
    await expect.poll(() => provider.isRefreshTokenExpired(token)).toBe(true);
    expire(place);
    const auth = openIn(place, provider.config);
    await expect(auth.credential(need)).rejects.toThrow(
      `Your ChatGPT login cannot be renewed: the refresh token was refused (invalid_grant: grant request is invalid). ${again}`,
    );
    await expect(auth.replacement(need, refused(auth.current(need)?.token ?? ""))).rejects.toThrow(again);
  });

  test("without a refresh token, or a client id for the reference's tokens", async () => {
    using place = workspace({ git: false });
    const tokens = { id_token: jwt({}), access_token: jwt({ exp: 1 }), refresh_token: "", account_id: "a" };
    store(place, { tokens });
    await expect(openIn(place).credential(need)).rejects.toThrow(`there is no refresh token. ${again}`);
    store(place, { tokens: { ...tokens, refresh_token: "r" } });
    await expect(openIn(place).credential(need)).rejects.toThrow("set chatgpt_client_id in config.toml");
  });

  test("the refresh token of an issuer is never sent to another one", async () => {
    await using provider = await openIdProvider();
    await using other = await openIdProvider();
    using place = workspace({ git: false });
    await signedIn(place, provider);
    expire(place);
    await openIn(place, other.config).credential(need);
    expect(other.refreshes()).toEqual([]);
    expect(provider.refreshes()).toHaveLength(1);
  });

  test("an issuer that is down: they serve as long as they last", async () => {
    await using provider = await openIdProvider();
    using place = workspace({ git: false });
    await signedIn(place, provider);
    expire(place, 30);
    const { access_token } = storedIn(place).tokens ?? {};
    const auth = openIn(place, provider.config);
    provider.isDown = true;
    expect((await auth.credential(need))?.token).toBe(access_token);
    expect(auth.credential(need)).toMatchObject({ token: access_token }); // and no request waits for it again

    expire(place);
    const later = openIn(place, provider.config);
    await expect(later.credential(need)).rejects.toThrow(/^Cannot use the issuer http:.*: Cannot reach /);
    provider.isDown = false;
    expect((await later.credential(need))?.token).not.toBe(access_token);
  });

  test("a file that cannot be replaced: the renewed ones serve this process", async () => {
    await using provider = await openIdProvider();
    using place = workspace({ git: false });
    await signedIn(place, provider);
    const longName = path.join(place.home, "x".repeat(250)); // no room for the name of a temporary file
    renameSync(authFileOf(place), longName);
    symlinkSync(longName, authFileOf(place));
    const auth = openIn(place, provider.config);
    const old = auth.current(need)?.token;
    await auth.renew();
    expect(auth.current(need)?.token).not.toBe(old);
    expect(storedIn(place).tokens?.access_token).toBe(old);
  });
});
