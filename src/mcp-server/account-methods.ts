import { startChatGptLogin } from "../auth/browser-login.ts";
import { messageOf } from "../lib/errors.ts";
import { log } from "../lib/log.ts";
import { isRecord } from "../lib/parse-json.ts";
import { allowed, decodeId, decodeParams } from "./decode.ts";
import type { MethodContext, MethodHandler } from "./direct-methods.ts";
import { AuthStatusParamsSchema, CancelLoginParamsSchema, LoginApiKeyParamsSchema } from "./method-schemas.ts";
import { internalError, invalidRequest, RpcFailure } from "./rpc-failure.ts";

/** Sign-in and what there is to know of it. The client is told of each change once it has its answer. */
export const accountMethods = {
  loginApiKey: async (call, { conversations }) => {
    allowed(() => conversations.limits.checkAccount("loginApiKey"));
    const params = isRecord(call.params) ? call.params : {}; // what is wrong with anything else would be quoted
    const { apiKey } = decodeParams(params, LoginApiKeyParamsSchema);
    await doing("failed to save api key", () => conversations.auth.loginWithApiKey(apiKey));
    call.reply({});
  },

  loginChatGpt: async (call, { state, conversations }) => {
    allowed(() => conversations.limits.checkAccount("loginChatGpt"));
    const login = await doing("failed to start login server", () => startChatGptLogin(conversations.auth));
    const { loginId, authUrl } = login;
    conversations.logins.set(loginId, login);
    call.reply({ loginId, authUrl });
    const outcome = await login.completed;
    conversations.logins.delete(loginId);
    state.outgoing.notify("loginChatGptComplete", { loginId, ...outcome });
  },

  cancelLoginChatGpt: (call, { conversations }) => {
    const loginId = decodeId(decodeParams(call.params, CancelLoginParamsSchema).loginId, "loginId");
    const login = conversations.logins.get(loginId);
    if (login === undefined) throw new RpcFailure(invalidRequest, `login id not found: ${loginId}`);
    call.reply({});
    login.cancel();
  },

  logoutChatGpt: logout,
  logout,

  getAuthStatus: async (call, { state, conversations }) => {
    const { includeToken, refreshToken } = decodeParams(call.params ?? {}, AuthStatusParamsSchema);
    if (includeToken === true) allowed(() => conversations.limits.checkAccount("getAuthStatus with includeToken"));
    const { modelProvider: provider, preferredAuthMethod } = state.config;
    const preferred = preferredAuthMethod === undefined ? {} : { preferredAuthMethod };
    if (!provider.requiresOpenaiAuth) return call.reply({ ...preferred, requiresOpenaiAuth: false });
    const { auth } = conversations;
    if (refreshToken === true) {
      await auth
        .renew()
        .catch((error: unknown) => log("warn", "mcp", `the token was not renewed: ${messageOf(error)}`));
    }
    const need = { provider, preferredAuthMethod };
    const credential = auth.current(need, (problem) => log("warn", "mcp", problem));
    const authMethod = auth.method(need);
    call.reply({
      ...(authMethod === undefined ? {} : { authMethod }),
      ...preferred,
      ...(includeToken === true && credential !== undefined ? { authToken: credential.token } : {}),
      requiresOpenaiAuth: true,
    });
  },

  userInfo: (call, { conversations }) => {
    call.reply({ allegedUserEmail: conversations.auth.stored?.tokens?.email ?? null });
  },
} as const satisfies Readonly<Record<string, MethodHandler>>;

async function logout(call: Parameters<MethodHandler>[0], { conversations }: MethodContext): Promise<void> {
  allowed(() => conversations.limits.checkAccount("logout"));
  await doing("logout failed", () => conversations.auth.logout());
  call.reply({});
}

async function doing<T>(what: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (cause) {
    throw new RpcFailure(internalError, `${what}: ${messageOf(cause)}`, { cause });
  }
}
