import type { Config } from "../config/config.ts";
import type { McpSettings } from "../config/mcp-settings.ts";
import type { ClientInfo } from "../config/user-agent.ts";
import type { Environment } from "../lib/environment.ts";
import type { Outgoing } from "./outgoing.ts";

/** What the client has said of itself. */
export interface ClientState {
  /** It announced that its user can be asked. */
  canElicit: boolean;
  info: ClientInfo | undefined;
}

/** What the parts of the server share. */
export interface ServerState {
  readonly outgoing: Outgoing;
  readonly client: ClientState;
  readonly settings: McpSettings;
  /** Of the server itself; conversations get their own, read anew. */
  readonly config: Config;
  /** The `-c` texts of the command line, the base of every conversation. */
  readonly overrides: readonly string[];
  readonly env: Environment;
  readonly processCwd: string;
  /** Of this program. */
  readonly version: string;
  /** The base user agent, and behind it the client's name once that is known. */
  userAgent(): string;
}
