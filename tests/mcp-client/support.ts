import path from "node:path";
import type { ToolDefinition } from "../../src/protocol/tool-definition.ts";
import type { FakeModel } from "../support/fake-model.ts";
import { inputOf } from "../support/requests.ts";
import type { CodexRun } from "../support/run-codex.ts";

interface FakeServerOptions {
  /** Words of tests/mcp-client/fake-server.mjs. */
  readonly behaviour?: string;
  /** Names, or whole descriptions. */
  readonly tools?: readonly (string | object)[];
  /** The same, but cut into pages. */
  readonly pages?: readonly (readonly string[])[];
  readonly env?: Readonly<Record<string, string>>;
  /** More keys of the server, as TOML values. */
  readonly keys?: Readonly<Record<string, unknown>>;
}

/** The table of config.toml that starts the fake server. It writes what it receives to NAME.log in the working directory. */
export function fakeServer(name: string, options: FakeServerOptions = {}): string {
  const pages = options.pages ?? (options.tools === undefined ? undefined : [options.tools]);
  const tools = pages?.map((page) => page.map((tool) => (typeof tool === "string" ? namedTool(tool) : tool)));
  return serverTable(name, {
    script: "fake-server.mjs",
    args: [`${name}.log`, options.behaviour ?? ""],
    env: { ...(tools === undefined ? {} : { FAKE_TOOLS: JSON.stringify(tools) }), ...options.env },
    keys: options.keys ?? {},
  });
}

export function sdkServer(name: string): string {
  return serverTable(name, { script: "sdk-server.mjs", args: [], env: {}, keys: {} });
}

interface ServerTable {
  readonly script: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly keys: Readonly<Record<string, unknown>>;
}

function serverTable(name: string, { script, args, env, keys }: ServerTable): string {
  const table = `mcp_servers.${JSON.stringify(name)}`;
  const lines = (values: Readonly<Record<string, unknown>>) =>
    Object.entries(values).map(([key, value]) => `${key} = ${JSON.stringify(value)}`);
  const command = { command: process.execPath, args: [path.join(import.meta.dirname, script), ...args] };
  return [`[${table}]`, ...lines({ ...command, ...keys }), `[${table}.env]`, ...lines(env)].join("\n");
}

function namedTool(name: string): object {
  return { name, description: `does ${name}`, inputSchema: { type: "object" } };
}

/** What the server of this name received, a message each. */
export function receivedBy(run: Pick<CodexRun, "files">, server: string): readonly Message[] {
  const text = run.files[`${server}.log`] ?? "";
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Message); // the fake server received it as such
}

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: object;
}

/** The tools that the first request offers. */
export function toolsIn(model: Pick<FakeModel, "requests">): readonly ToolDefinition[] {
  const [request] = model.requests;
  if (request === undefined) throw new Error("There was no request.");
  return (request.body as { readonly tools: readonly ToolDefinition[] }).tools; // the fake model checked it
}

/** Those of them that belong to servers. */
export function offeredTools(model: Pick<FakeModel, "requests">): readonly ToolDefinition[] {
  return toolsIn(model).filter((tool) => "name" in tool && tool.name.includes("__"));
}

export function offeredNames(model: Pick<FakeModel, "requests">): readonly string[] {
  return offeredTools(model).flatMap((tool) => ("name" in tool ? [tool.name] : []));
}

/** The events of tool calls. */
export function callEvents(run: Pick<CodexRun, "messages">): readonly object[] {
  return run.messages.filter(({ type }) => type.startsWith("mcp_tool_call"));
}

/** What the model was told about its calls, as the n-th request has it. */
export function outputsIn(model: Pick<FakeModel, "requests">, request: number): readonly unknown[] {
  return inputOf(model, request)
    .filter(({ type }) => type === "function_call_output")
    .map(({ output }) => output);
}
