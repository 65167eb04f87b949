import type { ApprovalPolicy, SandboxPolicy } from "../protocol/policy.ts";

/** A command as a person has approved it: in another folder, or under another policy, its words may mean something else. */
export interface ApprovedCommand {
  readonly command: readonly string[];
  readonly cwd: string;
  readonly approvalPolicy: ApprovalPolicy;
  readonly sandboxPolicy: SandboxPolicy;
}

/** The commands a person approved for the whole session; equal means equal word by word. */
export class ApprovedCommands {
  readonly #keys = new Set<string>();

  add(approved: ApprovedCommand): void {
    this.#keys.add(keyOf(approved));
  }

  has(asked: ApprovedCommand): boolean {
    return this.#keys.has(keyOf(asked));
  }
}

function keyOf({ command, cwd, approvalPolicy, sandboxPolicy }: ApprovedCommand): string {
  return JSON.stringify([command, cwd, approvalPolicy, sandboxPolicy]);
}
