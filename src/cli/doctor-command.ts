import { accessSync, constants, existsSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { programFile } from "../assets.ts";
import type { ChatgptTokens } from "../auth/auth-file.ts";
import { findCodexHome } from "../config/codex-home.ts";
import type { Config, ConfigFlags } from "../config/config.ts";
import { configTomlPath } from "../config/config-toml.ts";
import { findUnknownKeys, loadConfig } from "../config/load-config.ts";
import { addressProblem } from "../config/model-providers.ts";
import { openAuth } from "../conversation/open-auth.ts";
import { explainSystemError, UserError } from "../lib/errors.ts";
import { checkServer } from "../mcp-client/check-server.ts";
import { checkSandboxes, prepareSandbox } from "../process/sandbox.ts";
import type { SandboxMode } from "../protocol/policy.ts";
import { showControls } from "../render/printable.ts";
import { version } from "../version.ts";
import { currentFolder } from "./current-folder.ts";
import { writeStdout } from "./write-stdout.ts";

/** The command line of `doctor`, checked by commander. */
export interface DoctorOptions {
  readonly overrides: readonly string[];
  readonly profile?: string;
  readonly sandbox?: SandboxMode;
  readonly cwd?: string;
  readonly json: boolean;
}

/** One thing that a run depends on; `failed` says that a run with these settings would not start. */
interface Check {
  readonly status: "ok" | "warning" | "failed";
  readonly summary: string;
  /** What else a program may want to know of it. */
  readonly data?: Readonly<Record<string, unknown>>;
}

type Checks = Readonly<Record<string, Check>>;

/** Looks at everything a run depends on, without asking the network; 1 when a run would not start. */
export function doctorCommand(options: DoctorOptions): number {
  const checks = checkAll(options);
  const isWell = Object.values(checks).every(({ status }) => status !== "failed");
  return writeStdout(options.json ? jsonText(checks, isWell) : humanText(checks)) || (isWell ? 0 : 1);
}

function checkAll(options: DoctorOptions): Checks {
  const program = ok(`codex ${version}, Node ${process.versions.node}, ${os.type()} ${os.release()} ${process.arch}`);
  const flags = configFlags(options);
  let config: Config;
  let unknownKeys: readonly string[];
  try {
    config = loadConfig({ flags, env: process.env, processCwd: currentFolder() });
    unknownKeys = findUnknownKeys(config.codexHome, flags);
  } catch (error) {
    return { program, config: withUnknownKeys(failed(error), flags) };
  }
  return {
    program,
    config: checkConfig(config, unknownKeys),
    model: checkModel(config),
    credential: checkCredential(config),
    sandbox: checkSandbox(config),
    ...(Object.keys(config.mcpServers).length === 0 ? {} : { mcp_servers: checkServers(config) }),
    sessions: checkSessions(config),
  };
}

/** What is missing may be there under a misspelt name. */
function withUnknownKeys(problem: Check, flags: ConfigFlags): Check {
  try {
    const keys = findUnknownKeys(findCodexHome(process.env, currentFolder()), flags);
    if (keys.length === 0) return problem;
    return { ...problem, summary: `${problem.summary}\n${unreadText(keys)}`, data: { unknown_keys: keys } };
  } catch {
    return problem; // which is that the file cannot be read
  }
}

function unreadText(keys: readonly string[]): string {
  return `Nothing reads these keys: ${keys.join(", ")}`;
}

function configFlags({ overrides, profile, sandbox, cwd }: DoctorOptions) {
  return {
    overrides,
    ...(profile === undefined ? {} : { profile }),
    ...(sandbox === undefined ? {} : { sandboxMode: sandbox }),
    ...(cwd === undefined ? {} : { cwd }),
  };
}

function checkConfig({ codexHome, warnings }: Config, unknownKeys: readonly string[]): Check {
  const file = configTomlPath(codexHome);
  const data = { file, exists: existsSync(file), warnings, unknown_keys: unknownKeys };
  const problems = [...warnings];
  if (unknownKeys.length > 0) problems.push(unreadText(unknownKeys));
  if (problems.length > 0) return { status: "warning", summary: problems.join("\n"), data };
  return ok(data.exists ? file : `${file} does not exist: everything has its default`, data);
}

function checkModel({ model, modelProvider: provider, modelProviderId: id }: Config): Check {
  const data = { model, model_provider: id, wire_api: provider.wireApi };
  const problem = addressProblem(id, provider);
  return problem === undefined
    ? ok(`${model} from ${provider.name}`, data)
    : { status: "failed", summary: problem, data };
}

/** Where the credential comes from and whose it is, never the credential. */
function checkCredential(config: Config): Check {
  const { modelProvider: provider, preferredAuthMethod } = config;
  const problems: string[] = [];
  try {
    const auth = openAuth(config, version);
    const credential = auth.current({ provider, preferredAuthMethod }, (problem) => void problems.push(problem));
    const source = { kind: credential?.kind ?? null, source: credential?.source ?? null };
    if (problems.length > 0) return { status: "warning", summary: problems.join("\n"), data: source };
    if (credential?.kind === "chatgpt") return checkAccount(auth.stored?.tokens, source);
    if (credential !== undefined) return ok(credential.source, source);
    if (!provider.requiresOpenaiAuth || provider.baseUrl !== undefined) return ok("none is needed", source);
    return {
      status: "failed",
      summary: `No API key for ${provider.name}: set OPENAI_API_KEY, or run codex login --with-api-key.`,
      data: source,
    };
  } catch (error) {
    return failed(error);
  }
}

function checkAccount(tokens: ChatgptTokens | undefined, source: Check["data"]): Check {
  const { plan, email, expiresAt } = tokens ?? {};
  const expiry = expiresAt === undefined ? undefined : new Date(expiresAt).toISOString();
  const isOver = expiresAt !== undefined && expiresAt <= Date.now();
  const data = { ...source, plan: plan ?? null, email: email ?? null, expires_at: expiry ?? null };
  const words = ["ChatGPT", email, plan && `plan ${plan}`, "from auth.json"].filter((word) => word !== undefined);
  const account = words.join(", ");
  if (expiry === undefined) return ok(account, data);
  if (!isOver) return ok(`${account}, until ${expiry}, then renewed`, data);
  if (tokens?.refreshToken !== undefined) return ok(`${account}, expired ${expiry}, renewed by the next run`, data);
  const summary = `${account}, expired ${expiry} and cannot be renewed. Log in again: codex login`;
  return { status: "failed", summary, data };
}

function checkSandbox({ sandboxPolicy, linuxSandbox, cwd, env, codexHome }: Config): Check {
  const options = { cwd, env, codexHome, linuxSandbox, helperPath: programFile("sandbox-helper.cjs") };
  const { mode } = sandboxPolicy;
  const data = { mode, linux_sandbox: linuxSandbox, backends: checkSandboxes(options) };
  try {
    const sandbox = prepareSandbox(sandboxPolicy, options);
    sandbox.close();
    const { backend, warnings, writableRoots } = sandbox;
    const others = Object.entries(data.backends).filter(([name]) => name !== backend);
    const alternatives = others.map(([name, found]) => `${name}: ${found.available ? found.summary : found.reason}`);
    const summary = [`${mode}: ${sandbox.summary}`, ...warnings, ...alternatives].join("\n");
    const found = { ...data, backend, writable_roots: writableRoots, warnings };
    return { status: warnings.length === 0 && backend !== "none" ? "ok" : "warning", summary, data: found };
  } catch (error) {
    return { ...failed(error), data: { ...data, backend: null } };
  }
}

/** Whether each server could be started; none is. Without one that is `required` no task is done. */
function checkServers({ mcpServers, cwd, env }: Config): Check {
  const servers = Object.entries(mcpServers).map(([name, config]) => ({
    name,
    command: config.command,
    required: config.required === true,
    program: null,
    problem: null,
    ...checkServer(name, { config, cwd, env, isCwdOfCall: false }),
  }));
  const isMissing = (required: boolean) =>
    servers.some((server) => server.problem !== null && server.required === required);
  return {
    status: isMissing(true) ? "failed" : isMissing(false) ? "warning" : "ok",
    summary: servers.map(({ name, program, problem }) => `${name}: ${problem ?? program}`).join("\n"),
    data: { servers },
  };
}

/** Sessions are files below the home folder, which is made when the first one is written. */
function checkSessions({ codexHome, ephemeral }: Config): Check {
  if (ephemeral) return ok("none are kept");
  let folder = path.join(codexHome, "sessions");
  while (!existsSync(folder) && folder !== path.dirname(folder)) folder = path.dirname(folder);
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
    return ok(path.join(codexHome, "sessions"));
  } catch (error) {
    return {
      status: "warning",
      summary: `Sessions are not kept: cannot write "${folder}": ${explainSystemError(error)}`,
    };
  }
}

function ok(summary: string, data?: Check["data"]): Check {
  return { status: "ok", summary, ...(data === undefined ? {} : { data }) };
}

function failed(error: unknown): Check {
  if (!(error instanceof UserError)) throw error;
  return { status: "failed", summary: error.message };
}

function jsonText(checks: Checks, isWell: boolean): string {
  const flat = Object.entries(checks).map(([name, { data, ...check }]) => [name, { ...check, ...data }] as const);
  return `${JSON.stringify({ version, ok: isWell, checks: Object.fromEntries(flat) })}\n`;
}

function humanText(checks: Checks): string {
  const width = Math.max(...Object.keys(checks).map((name) => name.length));
  const marks = { ok: "ok     ", warning: "warning", failed: "failed " };
  const lines = Object.entries(checks).map(([name, { status, summary }]) => {
    const indent = " ".repeat(marks[status].length + width + 4);
    return `${marks[status]}  ${name.padEnd(width)}  ${showControls(summary).replaceAll("\n", `\n${indent}`)}\n`;
  });
  return lines.join("");
}
