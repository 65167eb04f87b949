/** Where requests go and how they are signed (spec core 4.1, 4.2). */
export interface ModelProvider {
  readonly name: string;
  /** Undefined: the built-in default of the OpenAI service, chosen by the kind of credential. */
  readonly baseUrl: string | undefined;
  readonly wireApi: "responses" | "chat";
  readonly envKey: string | undefined;
  readonly envKeyInstructions: string | undefined;
  readonly queryParams: Readonly<Record<string, string>>;
  readonly httpHeaders: Readonly<Record<string, string>>;
  /** Header name to the variable that holds its value. */
  readonly envHttpHeaders: Readonly<Record<string, string>>;
  readonly requestMaxRetries: number;
  readonly streamMaxRetries: number;
  readonly streamIdleTimeoutMs: number;
  /** Stored credentials go only to providers that say so (spec core D2). */
  readonly requiresOpenaiAuth: boolean;
}
