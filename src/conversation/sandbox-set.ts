import { holdProgram, programFile } from "../assets.ts";
import type { Config } from "../config/config.ts";
import { CommandHost } from "../process/command-host.ts";
import { prepareSandbox, type Sandbox } from "../process/sandbox.ts";
import type { SandboxPolicy } from "../protocol/policy.ts";

const helperPath = programFile("sandbox-helper.cjs");

/** What the commands of this process need, whatever sandbox each has. */
export function createCommandHost(): CommandHost {
  return new CommandHost({ helperPath, holdProgram });
}

/** The sandboxes of one session: one for each policy and directory it has used, prepared once. */
export class SandboxSet {
  readonly #config: Pick<Config, "env" | "codexHome" | "linuxSandbox">;
  readonly #host: CommandHost;
  readonly #ownsHost: boolean;
  readonly #sandboxes = new Map<string, Sandbox>();

  /** With `host` it shares what commands need with other sets. */
  constructor(config: Pick<Config, "env" | "codexHome" | "linuxSandbox">, host?: CommandHost) {
    this.#config = config;
    this.#host = host ?? createCommandHost();
    this.#ownsHost = host === undefined;
  }

  /** Throws a UserError when the policy cannot be enforced here. */
  get(policy: SandboxPolicy, cwd: string): Sandbox {
    const key = JSON.stringify([policy, cwd]);
    const known = this.#sandboxes.get(key);
    if (known !== undefined) return known;
    const { env, codexHome, linuxSandbox } = this.#config;
    const sandbox = prepareSandbox(policy, { cwd, env, codexHome, linuxSandbox, helperPath, host: this.#host });
    this.#sandboxes.set(key, sandbox);
    return sandbox;
  }

  close(): void {
    for (const sandbox of this.#sandboxes.values()) sandbox.close();
    if (this.#ownsHost) this.#host.close();
  }
}
