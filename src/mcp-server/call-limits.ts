import { isDeepStrictEqual } from "node:util";
import type { Config, ConfigFlags } from "../config/config.ts";
import type { PolicyGuard } from "../conversation/sandbox-set.ts";
import { UserError } from "../lib/errors.ts";
import { canonicalPath } from "../process/canonical-path.ts";
import type { Sandbox } from "../process/sandbox.ts";
import { reachRefusal } from "./call-reach.ts";
import type { StartOp } from "./live-conversation.ts";
import {
  accountRefusal,
  configRefusal,
  defaultModelRefusal,
  isPinned,
  pinRefusal,
  unaskedRefusal,
  writableRootsRefusal,
} from "./pinned-policy.ts";

interface Sources {
  /** Of the server's own start: its pins, and what they hold to. */
  readonly server: Config;
  /** Reads config.toml anew and lays `-c` and these over it. */
  readonly load: (flags: ConfigFlags) => Config;
}

/** The one gate for what calls ask for. Each method throws a UserError that says in words what is refused. */
export class CallLimits implements PolicyGuard {
  readonly #server: Config;
  readonly #load: Sources["load"];

  constructor({ server, load }: Sources) {
    this.#server = server;
    this.#load = load;
  }

  /** What a call asks for, if it may. */
  configFor(flags: ConfigFlags): Config {
    const asked = this.#load(flags);
    const { settings, ...others } = flags;
    if (settings !== undefined) {
      const { mcp } = this.#server;
      if (mcp.locked.includes("config") && !isSame(asked, this.#load(others))) refuse(configRefusal(settings));
      const own = this.#load(flags.cwd === undefined ? {} : { cwd: flags.cwd }); // relative names start there
      refuse(reachRefusal(asked, { own, allowsPrograms: mcp.allowCallPrograms, isPinned: isPinned(this.#server) }));
    }
    refuse(pinRefusal(asked, this.#server));
    // A call that takes a provider away would show its variables to commands.
    const variables = [...this.#server.credentialVariables, ...asked.credentialVariables];
    return { ...asked, credentialVariables: [...new Set(variables)] };
  }

  /** A turn may have settings that are not those of its conversation. */
  checkTurn(op: StartOp): void {
    if (op.type !== "user_turn") return;
    const { cwd, sandbox_policy: sandboxPolicy, approval_policy: approvalPolicy, model } = op;
    this.checkPolicy({ cwd, sandboxPolicy, approvalPolicy, model });
  }

  /** Where nothing is said of a setting, it is the server's. */
  checkPolicy(asked: Partial<Config> & Pick<Config, "cwd" | "sandboxPolicy">): void {
    refuse(pinRefusal({ ...this.#server, ...asked, cwd: canonicalPath(asked.cwd) }, this.#server));
  }

  /** Of a command that nobody is asked about. */
  checkUnasked(command: readonly string[], asked: Pick<Config, "cwd" | "sandboxPolicy">): void {
    this.checkPolicy(asked);
    refuse(unaskedRefusal(command, { ...this.#server, ...asked }, this.#server));
  }

  /** Methods that change or tell who is signed in. */
  checkAccount(method: string): void {
    refuse(accountRefusal(method, this.#server));
  }

  isFolderOfCall(cwd: string): boolean {
    return !this.#server.mcp.allowCallPrograms && canonicalPath(cwd) !== canonicalPath(this.#server.cwd);
  }

  checkDefaultModel(): void {
    refuse(defaultModelRefusal(this.#server));
  }

  /** A recorded session keeps a policy that no call has asked for. */
  checkConfig(config: Config): void {
    const refusal = pinRefusal(config, this.#server);
    if (refusal === undefined) return;
    refuse(`${refusal} The session was recorded so; resumeConversation can resume it with tighter overrides.`);
  }

  /** By then a command may have replaced a folder that was checked before. A person may allow full access for one command. */
  checkSandbox({ policy, writableRoots }: Sandbox, cwd: string): void {
    if (policy.mode !== "workspace-write") return;
    refuse(writableRootsRefusal(writableRoots, { cwd, server: this.#server }));
  }
}

function refuse(refusal: string | undefined): void {
  if (refusal !== undefined) throw new UserError(refusal);
}

/** The same settings, whoever chose them. */
function isSame(config: Config, other: Config): boolean {
  const rest = { chosen: undefined, warnings: undefined };
  return isDeepStrictEqual({ ...config, ...rest }, { ...other, ...rest });
}
