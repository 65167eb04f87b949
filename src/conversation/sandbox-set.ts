import { holdProgram, programFile } from "../assets.ts";
import type { Config } from "../config/config.ts";
import { CommandHost } from "../process/command-host.ts";
import { copyFolders, prepareSandbox, type Sandbox } from "../process/sandbox.ts";
import type { SandboxPolicy } from "../protocol/policy.ts";

const helperPath = programFile("sandbox-helper.cjs");

/**
 * What the commands of this process need, whatever sandbox each has. With `anyFolder`, which folders they may write is not
 * known before, because others decide it.
 */
export function createCommandHost(anyFolder?: Pick<Config, "env" | "codexHome">): CommandHost {
  return new CommandHost({
    helperPath,
    holdProgram,
    ...(anyFolder === undefined ? {} : { copyFolders: copyFolders(anyFolder) }),
  });
}

/** Refuses what somebody may not have, by a UserError. */
export interface PolicyGuard {
  /** What a conversation would run with; of a resumed one with what it keeps of its own. */
  checkConfig(config: Config): void;
  checkSandbox(sandbox: Sandbox, cwd: string): void;
  /** Whether the folder of a conversation is not the one that the user has started the program in. */
  isFolderOfCall(cwd: string): boolean;
}

/** The sandboxes of one session: one for each policy and directory it has used, prepared once. */
export class SandboxSet {
  readonly #config: Pick<Config, "env" | "codexHome" | "linuxSandbox">;
  readonly #host: CommandHost;
  readonly #ownsHost: boolean;
  readonly #guard: PolicyGuard | undefined;
  readonly #sandboxes = new Map<string, Sandbox>();

  /** With `host` it shares what commands need with other sets. */
  constructor(
    config: Pick<Config, "env" | "codexHome" | "linuxSandbox">,
    { host, guard }: { readonly host: CommandHost | undefined; readonly guard: PolicyGuard | undefined },
  ) {
    this.#config = config;
    this.#host = host ?? createCommandHost();
    this.#ownsHost = host === undefined;
    this.#guard = guard;
  }

  /** Throws a UserError when the policy cannot be enforced here, or may not be had. */
  get(policy: SandboxPolicy, cwd: string): Sandbox {
    return this.#prepared(policy, cwd, (sandbox) => this.#guard?.checkSandbox(sandbox, cwd));
  }

  /** For a program of our own choice, which nobody asked for: the guard has no say. */
  getForOwn(policy: SandboxPolicy, cwd: string): Sandbox {
    return this.#prepared(policy, cwd);
  }

  #prepared(policy: SandboxPolicy, cwd: string, check?: (sandbox: Sandbox) => void): Sandbox {
    const key = JSON.stringify([policy, cwd, check === undefined]);
    const known = this.#sandboxes.get(key);
    if (known !== undefined) return known;
    const { env, codexHome, linuxSandbox } = this.#config;
    const sandbox = prepareSandbox(policy, { cwd, env, codexHome, linuxSandbox, helperPath, host: this.#host });
    check?.(sandbox);
    this.#sandboxes.set(key, sandbox);
    return sandbox;
  }

  close(): void {
    for (const sandbox of this.#sandboxes.values()) sandbox.close();
    if (this.#ownsHost) this.#host.close();
  }
}
