import type { InitializeResult } from "@modelcontextprotocol/sdk/types.js";
import { isRecord } from "../lib/parse-json.ts";
import { invalidParams, RpcFailure } from "./rpc-failure.ts";
import type { ServerState } from "./server-state.ts";

/** The last one is what a client gets that asks for any other. */
const protocolVersions = ["2024-11-05", "2025-03-26", "2025-06-18"] as const;
const newestVersion = "2025-06-18";

/** Takes in who the client is and says who we are. Written out, since a start should not load a schema for it. */
export function acceptClient(params: unknown, state: ServerState): InitializeResult {
  const fields = record(params, "params");
  const asked = text(fields["protocolVersion"], "protocolVersion");
  const capabilities = record(fields["capabilities"], "capabilities");
  const info = record(fields["clientInfo"], "clientInfo");
  const name = text(info["name"], "clientInfo.name");
  const version = text(info["version"], "clientInfo.version");
  const isKnown = state.settings.echoProtocolVersion || protocolVersions.some((known) => known === asked);

  state.client.info = { name, version };
  state.client.canElicit = canElicit(capabilities["elicitation"]);
  return {
    capabilities: { tools: { listChanged: true } },
    protocolVersion: isKnown ? asked : newestVersion,
    serverInfo: {
      name: "codex-mcp-server",
      title: "Codex",
      version: state.version,
      // Clients of other protocols than this one look for it here.
      ...{ user_agent: state.userAgent() },
    },
  };
}

/** An empty object means forms, as do the clients of this protocol version; later ones may offer only links. */
function canElicit(capability: unknown): boolean {
  return isRecord(capability) && ("form" in capability || !("url" in capability));
}

function record(value: unknown, name: string): Readonly<Record<string, unknown>> {
  if (isRecord(value)) return value;
  throw wrong(value, name, "an object");
}

function text(value: unknown, name: string): string {
  if (typeof value === "string") return value;
  throw wrong(value, name, "a string");
}

function wrong(value: unknown, name: string, expected: string): RpcFailure {
  const problem = value === undefined ? `missing field \`${name}\`` : `expected ${expected} in \`${name}\``;
  return new RpcFailure(invalidParams, `Invalid params: ${problem}`);
}
