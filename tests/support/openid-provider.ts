import { once } from "node:events";
import http, { type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";

// The package tells the console of everything that only a provider in a test may do, from its first line on.
const { console } = globalThis;
for (const level of ["info", "warn"] as const) {
  const write = console[level].bind(console);
  console[level] = (text: string, ...rest: readonly unknown[]) => {
    if (!text.startsWith("oidc-provider ")) write(text, ...rest);
  };
}
const { Provider } = await import("oidc-provider");

interface ProviderOptions {
  /** Seconds that an access token lives; default: an hour. */
  readonly accessTokenSeconds?: number;
  readonly refreshTokenSeconds?: number;
  readonly deviceFlow?: boolean;
}

interface TokenRequest {
  readonly headers: IncomingHttpHeaders;
  readonly form: Readonly<Record<string, string>>;
}

/** A real OpenID provider on loopback, with a person in front of it who signs in as told. */
export interface OpenIdProvider extends AsyncDisposable {
  readonly issuer: string;
  /** Lines of config.toml that make codex use it, with any free port for the browser's return. */
  readonly config: readonly string[];
  /** Who signs in next; has the account id `account-of-NAME`. */
  person: string;
  /** Whether that person consents. */
  consents: boolean;
  plan: string;
  /** Every request to its token endpoint that it has answered so far. */
  readonly tokenRequests: readonly TokenRequest[];
  /** Those that wanted a refresh. */
  refreshes(): readonly TokenRequest[];
  /** A request for tokens has arrived, answered or not. */
  isAskedForTokens: boolean;
  /** Requests for tokens wait for this; default: nothing. */
  hold: Promise<void> | undefined;
  /** Breaks every connection instead of answering. */
  isDown: boolean;
  isRefreshTokenExpired(token: string): Promise<boolean>;
}

export const clientId = "codex-test";

export async function openIdProvider(options: ProviderOptions = {}): Promise<OpenIdProvider> {
  const server = http.createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The provider has no port.");
  const issuer = `http://127.0.0.1:${address.port}`;
  const tokenRequests: TokenRequest[] = [];

  const state: OpenIdProvider = {
    issuer,
    config: [`chatgpt_issuer = "${issuer}"`, `chatgpt_client_id = "${clientId}"`, "chatgpt_login_port = 0"],
    person: "ann",
    consents: true,
    plan: "plus",
    tokenRequests,
    refreshes: () => tokenRequests.filter(({ form }) => form["grant_type"] === "refresh_token"),
    isAskedForTokens: false,
    hold: undefined,
    isDown: false,
    isRefreshTokenExpired: async (token) => {
      const found = await provider.RefreshToken.find(token, { ignoreExpiration: true });
      return found === undefined || found.isExpired;
    },
    [Symbol.asyncDispose]: async () => {
      server.close();
      server.closeAllConnections();
    },
  };
  const provider = new Provider(issuer, configuration(state, options));
  const answer = provider.callback();
  server.on("request", (request, response) => {
    serve(request, response).catch((error: unknown) => {
      response.writeHead(500).end(String(error));
    });
  });

  for (const event of ["grant.success", "grant.error"]) {
    provider.on(event, ({ oidc, req }) => tokenRequests.push({ headers: req.headers, form: { ...oidc.params } }));
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (state.isDown) return void request.socket.destroy();
    if (request.url?.startsWith("/interaction/")) return interact(request, response);
    if (request.url === "/token") {
      state.isAskedForTokens = true;
      await state.hold;
    }
    answer(request, response);
  }

  /** The person's part: signs in, then consents or does not. */
  async function interact(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { prompt, params, session } = await provider.interactionDetails(request, response);
    if (prompt.name === "login") {
      return provider.interactionFinished(request, response, { login: { accountId: state.person } });
    }
    if (!state.consents) {
      const refusal = { error: "access_denied", error_description: "the person said no" };
      return provider.interactionFinished(request, response, refusal);
    }
    const grant = new provider.Grant({ accountId: session?.accountId, clientId: params["client_id"] });
    grant.addOIDCScope(params["scope"] ?? "");
    return provider.interactionFinished(request, response, { consent: { grantId: await grant.save() } });
  }
  return state;
}

function configuration(state: OpenIdProvider, options: ProviderOptions): object {
  const deviceGrant = "urn:ietf:params:oauth:grant-type:device_code";
  const grants = ["authorization_code", "refresh_token", ...(options.deviceFlow === true ? [deviceGrant] : [])];
  return {
    clients: [
      {
        client_id: clientId,
        application_type: "native",
        token_endpoint_auth_method: "none",
        grant_types: grants,
        redirect_uris: ["http://localhost/auth/callback"], // of any port, as for every native client
      },
    ],
    features: { deviceFlow: { enabled: options.deviceFlow === true }, devInteractions: { enabled: false } },
    scopes: ["openid", "profile", "email", "offline_access"],
    claims: { openid: ["sub", "https://api.openai.com/auth"], email: ["email"], profile: [] },
    conformIdTokenClaims: false,
    findAccount: (_: unknown, id: string) => ({
      accountId: id,
      claims: () => ({
        sub: id,
        email: `${id}@example.com`,
        "https://api.openai.com/auth": { chatgpt_plan_type: state.plan, chatgpt_account_id: `account-of-${id}` },
      }),
    }),
    issueRefreshToken: () => true,
    rotateRefreshToken: true, // a second use of one ends the whole login
    interactions: { url: (_: unknown, { uid }: { readonly uid: string }) => `/interaction/${uid}` },
    cookies: { keys: ["for tests"] },
    ttl: {
      AccessToken: options.accessTokenSeconds ?? 3600,
      RefreshToken: options.refreshTokenSeconds ?? 86_400,
      AuthorizationCode: 60,
      DeviceCode: 600,
      Grant: 86_400,
      IdToken: 3600,
      Interaction: 600,
      Session: 86_400,
    },
  };
}

export interface Page {
  readonly url: string;
  readonly status: number;
  readonly text: string;
}

/** Opens an address as a browser does: follows redirects, keeps cookies, and sends the forms of the device flow. */
export async function browse(address: string): Promise<Page> {
  const cookies = new Map<string, Map<string, string>>();
  let url = new URL(address);
  let form: URLSearchParams | undefined;
  for (let steps = 0; steps < 30; steps += 1) {
    const jar = cookies.get(url.host) ?? new Map<string, string>();
    cookies.set(url.host, jar);
    const response = await fetch(url, {
      redirect: "manual",
      headers: { cookie: [...jar].map(([name, value]) => `${name}=${value}`).join("; ") },
      ...(form === undefined ? {} : { method: "POST", body: form }),
    });
    form = undefined;
    for (const cookie of response.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
      if (/expires=Thu, 01 Jan 1970/i.test(cookie)) jar.delete(name);
      else jar.set(name, value);
    }
    const location = response.headers.get("location");
    const text = await response.text();
    if (location !== null) {
      url = new URL(location, url);
      continue;
    }
    const [, action] = /<form[^>]*action="([^"]+)"/.exec(text) ?? [];
    const wantsTyping = text.includes('type="text"');
    if (action === undefined || wantsTyping) return { url: url.href, status: response.status, text };
    url = new URL(action, url);
    const fields = [...text.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g)];
    form = new URLSearchParams(fields.map(([, name = "", value = ""]): [string, string] => [name, value]));
  }
  throw new Error(`${address} leads nowhere`);
}
