/** An action tried inside of the sandbox, and where it may succeed. */
export interface Probe {
  readonly what: string;
  /** Ends with 0 when the action happened and with 1 when it was refused. */
  readonly script: Script;
  readonly expected: Expectation;
  /** Who can do it at all; default: everybody. */
  readonly by?: "root" | "user";
  /**
   * "maybe": the machine may refuse it without any sandbox too, and then there is nothing to see. "no": it is a
   * property of the sandbox itself. Default: outside of a sandbox it works, which shows that the probe can tell.
   */
  readonly unsandboxed?: "maybe" | "no";
  /** What is promised and not kept, or kept by others only: where the expectation is not the wish. */
  readonly hole?: string;
}

export type Script = readonly [language: "bash" | "perl" | "node", text: string];

/** In read-only, in workspace-write, and there with the network. */
export type Expectation = readonly [boolean, boolean, boolean];

export const never: Expectation = [false, false, false];
export const always: Expectation = [true, true, true];
export const inWorkspace: Expectation = [false, true, true];
export const withNetwork: Expectation = [false, false, true];
