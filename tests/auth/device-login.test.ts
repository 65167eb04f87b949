import { describe, expect, test } from "vitest";
import { startDeviceLogin } from "../../src/auth/device-login.ts";
import { browse, openIdProvider } from "../support/openid-provider.ts";
import { workspace } from "../support/workspace.ts";
import { need, openIn, storedIn } from "./support.ts";

describe("a sign-in by device code", () => {
  test("waits until the code has been typed in elsewhere", async () => {
    await using provider = await openIdProvider({ deviceFlow: true });
    using place = workspace({ git: false });
    const auth = openIn(place, provider.config);
    const login = await startDeviceLogin(auth, { pauseMs: 10 });
    expect(login.userCode).toMatch(/^[A-Z]{4}-[A-Z]{4}$/);
    expect(login.verificationUrl).toContain(`${provider.issuer}/device`);
    await expect.poll(() => provider.tokenRequests.length).toBeGreaterThan(2); // not yet, not yet
    expect((await browse(login.verificationUrl)).status).toBe(200);
    expect(await login.completed).toEqual({ success: true });
    expect(auth.current(need)).toMatchObject({ kind: "chatgpt", accountId: "account-of-ann" });
    expect(storedIn(place).oauth).toMatchObject({ issuer: provider.issuer });
  });

  test("a refusal ends it", async () => {
    await using provider = await openIdProvider({ deviceFlow: true });
    using place = workspace({ git: false });
    provider.consents = false;
    const login = await startDeviceLogin(openIn(place, provider.config), { pauseMs: 10 });
    await browse(login.verificationUrl);
    expect(await login.completed).toEqual({
      success: false,
      error: expect.stringMatching(/^Sign-in was refused: access_denied/),
    });
  });

  test("cancelling ends it, and nobody asks any more", async () => {
    await using provider = await openIdProvider({ deviceFlow: true });
    using place = workspace({ git: false });
    const login = await startDeviceLogin(openIn(place, provider.config), { pauseMs: 10 });
    login.cancel();
    expect(await login.completed).toEqual({ success: false, error: "Login was not completed" });
    const { length } = provider.tokenRequests;
    await browse(login.verificationUrl);
    expect(provider.tokenRequests).toHaveLength(length);
  });

  test("an issuer without it says so", async () => {
    await using provider = await openIdProvider();
    using place = workspace({ git: false });
    await expect(startDeviceLogin(openIn(place, provider.config))).rejects.toThrow(
      `${provider.issuer} offers no sign-in by device code.`,
    );
  });
});
