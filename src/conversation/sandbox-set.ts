import { holdProgram, programFile } from "../assets.ts";
import type { Config } from "../config/config.ts";
import { CommandHost } from "../process/command-host.ts";
import { prepareSandbox, type Sandbox } from "../process/sandbox.ts";
import type { SandboxPolicy } from "../protocol/policy.ts";

/** The sandboxes of one session: one for each policy and directory it has used, prepared once. */
export class SandboxSet {
  readonly #config: Config;
  readonly #helperPath = programFile("sandbox-helper.cjs");
  readonly #host = new CommandHost({ helperPath: this.#helperPath, holdProgram });
  readonly #sandboxes = new Map<string, Sandbox>();

  constructor(config: Config) {
    this.#config = config;
  }

  /** Throws a UserError when the policy cannot be enforced here. */
  get(policy: SandboxPolicy, cwd: string): Sandbox {
    const key = JSON.stringify([policy, cwd]);
    const known = this.#sandboxes.get(key);
    if (known !== undefined) return known;
    const { env, codexHome, linuxSandbox } = this.#config;
    const helperPath = this.#helperPath;
    const sandbox = prepareSandbox(policy, { cwd, env, codexHome, linuxSandbox, helperPath, host: this.#host });
    this.#sandboxes.set(key, sandbox);
    return sandbox;
  }

  close(): void {
    for (const sandbox of this.#sandboxes.values()) sandbox.close();
    this.#host.close();
  }
}
