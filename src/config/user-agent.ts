import { readFileSync } from "node:fs";
import os from "node:os";
import type { Environment } from "../lib/environment.ts";

/** A client as it names itself. */
export interface ClientInfo {
  readonly name: string;
  readonly version: string;
}

interface AgentFacts {
  readonly version: string;
  readonly env: Environment;
  readonly client?: ClientInfo | undefined;
}

/** `codex_cli_rs`, unless the environment has another name for us. */
export function originatorOf(env: Environment): string {
  return env["CODEX_INTERNAL_ORIGINATOR_OVERRIDE"] || "codex_cli_rs";
}

/** `<originator>/<version> (<OS name> <OS version>; <arch>) <terminal>`, and the client behind it. */
export function userAgent(originator: string, { version, env, client }: AgentFacts): string {
  const suffix = client === undefined ? "" : ` (${client.name}; ${client.version})`;
  const text = `${originator}/${version} (${systemName()}; ${architecture()}) ${terminal(env)}${suffix}`;
  return text.replace(/[^\x20-\x7e]/g, "_"); // all that a header may hold
}

function terminal(env: Environment): string {
  const { TERM_PROGRAM: program, TERM_PROGRAM_VERSION: version, TERM: term } = env;
  if (program) return version ? `${program}/${version}` : program;
  return term || "unknown";
}

function architecture(): string {
  if (process.arch === "x64") return "x86_64";
  return process.arch === "arm64" && process.platform === "linux" ? "aarch64" : process.arch;
}

/** Read from files: the programs that know it would cost a process at every start. */
function systemName(): string {
  if (process.platform === "darwin") {
    const [, version = os.release()] = /ProductVersion<\/key>\s*<string>([\d.]+)/.exec(read(macVersionFile)) ?? [];
    return `Mac OS ${threeNumbers(version)}`;
  }
  if (process.platform === "win32") return `Windows ${os.release()}`;
  const facts = read("/etc/os-release");
  const field = (name: string) => new RegExp(`^${name}="?([^"\n]*)"?$`, "m").exec(facts)?.[1];
  const name = field("NAME")?.replace(/ GNU\/Linux$/, "") || os.type();
  return `${name} ${threeNumbers(field("VERSION_ID") || os.release())}`;
}

const macVersionFile = "/System/Library/CoreServices/SystemVersion.plist";

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return ""; // nothing depends on it but a name in a header
  }
}

/** `12` is told as `12.0.0`, `22.04` as `22.4.0`. */
function threeNumbers(version: string): string {
  const [major, minor = "0", patch = "0"] = /^(\d+)(?:\.(\d+))?(?:\.(\d+))?$/.exec(version)?.slice(1) ?? [];
  return major === undefined ? version : [major, minor, patch].map(Number).join(".");
}
