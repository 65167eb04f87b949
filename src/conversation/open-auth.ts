import { AuthManager } from "../auth/auth-manager.ts";
import type { Config } from "../config/config.ts";
import { originatorOf, userAgent } from "../config/user-agent.ts";

/** The credentials of a process. What it takes to talk to an issuer is loaded when one must be talked to. */
export function openAuth({ codexHome, env, chatgptLogin }: Config, version: string): AuthManager {
  const originator = originatorOf(env);
  return new AuthManager({
    codexHome,
    env,
    login: chatgptLogin,
    originator,
    connect: async () => {
      const { HttpTransport } = await import("../model/http-transport.ts");
      const headers = { "user-agent": userAgent(originator, { version, env }), originator };
      return { http: new HttpTransport(env), headers };
    },
  });
}
