import { readFileSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { startMcp } from "../support/mcp-session.ts";

const key = JSON.stringify({ OPENAI_API_KEY: "sk-test-123" });

function idToken(claims: object): string {
  return ["{}", JSON.stringify(claims), ""].map((part) => Buffer.from(part).toString("base64url")).join(".");
}

describe("the account", () => {
  test("getAuthStatus with a stored key", async () => {
    await using mcp = startMcp({ homeFiles: { "auth.json": key } });
    const status = { authMethod: "apikey", requiresOpenaiAuth: true };
    expect((await mcp.request("getAuthStatus", {})).result).toEqual(status);
    expect((await mcp.request("getAuthStatus")).result).toEqual(status);
    expect((await mcp.request("getAuthStatus", { includeToken: true, refreshToken: true })).result).toEqual({
      ...status,
      authToken: "sk-test-123",
    });
  });

  test("-c reaches it", async () => {
    await using mcp = startMcp({ args: ["-c", "preferred_auth_method=apikey"] });
    expect((await mcp.request("getAuthStatus", {})).result).toEqual({
      preferredAuthMethod: "apikey",
      requiresOpenaiAuth: true,
    });
  });

  test("a provider that needs no sign-in", async () => {
    const model = { url: "http://127.0.0.1:9/v1" };
    await using mcp = startMcp({ model, homeFiles: { "auth.json": key } });
    expect((await mcp.request("getAuthStatus", {})).result).toEqual({ requiresOpenaiAuth: false });
  });

  test("login by key and logout, each told once it is answered", async () => {
    await using mcp = startMcp();
    expect((await mcp.request("loginApiKey", { apiKey: "sk-new" })).result).toEqual({});
    await mcp.next(({ method }) => method === "authStatusChange");
    const file = path.join(mcp.codex.place.home, "auth.json");
    expect(JSON.parse(readFileSync(file, "utf8"))).toMatchObject({ OPENAI_API_KEY: "sk-new" });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    for (const method of ["logoutChatGpt", "logout"]) {
      expect((await mcp.request(method)).result).toEqual({});
      await mcp.next(({ method: name }) => name === "authStatusChange");
    }
    expect(mcp.codex.place.homeFiles()).not.toHaveProperty(["auth.json"]);
    const told = mcp.messages.map(({ result, params }) => result ?? params);
    expect(told).toEqual([{}, { authMethod: "apikey" }, {}, {}, {}, {}]);
    expect((await mcp.request("loginApiKey", {})).error?.code).toBe(-32602);
  });

  test("the e-mail of the stored id token", async () => {
    const tokens = { id_token: idToken({ email: "a@example.invalid" }), access_token: "a", refresh_token: "r" };
    await using mcp = startMcp({ homeFiles: { "auth.json": JSON.stringify({ tokens }) } });
    expect((await mcp.request("userInfo")).result).toEqual({ allegedUserEmail: "a@example.invalid" });
    await using other = startMcp();
    expect((await other.request("userInfo")).result).toEqual({ allegedUserEmail: null });
  });

  test("a sign-in is started and cancelled, ping is not kept waiting", async () => {
    const config = ["chatgpt_login_port = 0"];
    await using mcp = startMcp({ config, env: { CODEX_INTERNAL_ORIGINATOR_OVERRIDE: "codex_vscode" } });
    const { result } = await mcp.request("loginChatGpt");
    const url = new URL(result.authUrl);
    expect(Object.fromEntries(url.searchParams)).toMatchObject({
      response_type: "code",
      code_challenge_method: "S256",
      originator: "codex_vscode",
      scope: "openid profile email offline_access",
    });
    expect((await mcp.request("ping")).result).toEqual({});
    expect((await mcp.request("cancelLoginChatGpt", { loginId: result.loginId })).result).toEqual({});
    expect(await mcp.next(({ method }) => method === "loginChatGptComplete")).toMatchObject({
      params: { loginId: result.loginId, success: false, error: "Login server error: Login was not completed" },
    });
    expect((await mcp.request("cancelLoginChatGpt", { loginId: result.loginId })).error).toEqual({
      code: -32600,
      message: `login id not found: ${result.loginId}`,
    });
  });

  test("a second sign-in ends the first one and says so", async () => {
    await using mcp = startMcp({ config: ["chatgpt_login_port = 0"] });
    const first = (await mcp.request("loginChatGpt")).result;
    const second = (await mcp.request("loginChatGpt")).result;
    expect(await mcp.next(({ method }) => method === "loginChatGptComplete")).toMatchObject({
      params: { loginId: first.loginId, success: false, error: expect.stringContaining("Login cancelled") },
    });
    await mcp.request("cancelLoginChatGpt", { loginId: second.loginId });
  });
});

describe("the configuration", () => {
  test("getUserSavedConfig tells the file, not -c", async () => {
    const config = [
      'model = "m-1"',
      'sandbox_mode = "workspace-write"',
      'approval_policy = "never"',
      'profile = "fast"',
    ];
    const configTables = [
      "[sandbox_workspace_write]",
      'writable_roots = ["/data"]',
      "[tools]",
      "web_search = true",
      "[profiles.fast]",
      'model_reasoning_effort = "low"',
    ];
    await using mcp = startMcp({ config, configTables, args: ["-c", "model=other"] });
    expect((await mcp.request("getUserSavedConfig")).result).toEqual({
      config: {
        approvalPolicy: "never",
        sandboxMode: "workspace-write",
        sandboxSettings: {
          writableRoots: ["/data"],
          networkAccess: false,
          excludeTmpdirEnvVar: false,
          excludeSlashTmp: false,
        },
        model: "m-1",
        tools: { webSearch: true },
        profile: "fast",
        profiles: {
          fast: {
            model: null,
            modelProvider: null,
            approvalPolicy: null,
            modelReasoningEffort: "low",
            modelReasoningSummary: null,
            modelVerbosity: null,
            chatgptBaseUrl: null,
          },
        },
      },
    });
  });

  test("a broken file", async () => {
    await using mcp = startMcp();
    await mcp.request("ping");
    const file = path.join(mcp.codex.place.home, "config.toml");
    writeFileSync(file, "model = [\n");
    const { error } = await mcp.request("getUserSavedConfig");
    expect(error).toEqual({
      code: -32603,
      message: expect.stringMatching(/^failed to load config\.toml: TOML parse error/),
    });
    expect((await mcp.request("setDefaultModel", { model: "m" })).error?.message).toMatch(
      /^failed to persist overrides: /,
    );
    expect(readFileSync(file, "utf8")).toBe("model = [\n");
  });

  test("setDefaultModel writes and takes away its two keys, and leaves the rest alone", async () => {
    const before = '# mine\nmodel = "old" # why\n\n[tools] # below\nweb_search = true\n';
    await using mcp = startMcp({ homeFiles: { "config.toml": before } });
    const text = () => readFileSync(path.join(mcp.codex.place.home, "config.toml"), "utf8");
    expect((await mcp.request("setDefaultModel", { model: "new", reasoningEffort: "high" })).result).toEqual({});
    expect(text()).toBe(
      '# mine\nmodel = "new" # why\nmodel_reasoning_effort = "high"\n\n[tools] # below\nweb_search = true\n',
    );
    expect((await mcp.request("setDefaultModel", { model: null })).result).toEqual({});
    expect(text()).toBe("# mine\n\n[tools] # below\nweb_search = true\n");
  });

  test("with a profile in the file they are the profile's", async () => {
    const before =
      'profile = "fast"\n\n[profiles.fast]\nmodel_reasoning_effort = "low"\n\n[tools]\nview_image = true\n';
    await using mcp = startMcp({ homeFiles: { "config.toml": before } });
    await mcp.request("setDefaultModel", { model: "m" });
    expect(readFileSync(path.join(mcp.codex.place.home, "config.toml"), "utf8")).toBe(
      'profile = "fast"\n\n[profiles.fast]\nmodel = "m"\n\n[tools]\nview_image = true\n',
    );
  });
});
