// As much of the package as the tests use; it comes without types.
declare module "oidc-provider" {
  import type { IncomingMessage, ServerResponse } from "node:http";

  interface StoredToken {
    readonly isExpired: boolean;
    readonly accountId: string;
  }

  interface Interaction {
    readonly prompt: { readonly name: string };
    readonly params: Readonly<Record<string, string>>;
    readonly session?: { readonly accountId: string };
  }

  interface Context {
    readonly req: IncomingMessage;
    readonly oidc: { readonly params: Readonly<Record<string, string>> };
  }

  export class Provider {
    constructor(issuer: string, configuration: object);
    readonly RefreshToken: { find(value: string, options?: object): Promise<StoredToken | undefined> };
    readonly Grant: new (
      properties: object,
    ) => { addOIDCScope(scope: string): void; save(): Promise<string> };
    callback(): (request: IncomingMessage, response: ServerResponse) => void;
    interactionDetails(request: IncomingMessage, response: ServerResponse): Promise<Interaction>;
    interactionFinished(request: IncomingMessage, response: ServerResponse, result: object): Promise<void>;
    on(event: string, listener: (context: Context) => void): void;
  }
}
