/** An action tried inside of the sandbox, and where it may succeed. */
export interface Probe {
  readonly what: string;
  /** Ends with 0 when the action happened and with 1 when it was refused. */
  readonly script: Script;
  readonly expected: Expectation;
  /** Under bubblewrap, where that differs. */
  readonly bubblewrap?: Expectation;
  /** Who can do it at all; default: everybody. */
  readonly by?: User;
  /**
   * "maybe": the machine may refuse it without any sandbox too, and then there is nothing to see. "no": it is a
   * property of the sandbox itself. Default: outside of a sandbox it works, which shows that the probe can tell.
   */
  readonly unsandboxed?: "maybe" | "no";
  /** What is promised and not kept, or kept by one backend only: where an expectation is not the wish. */
  readonly hole?: string;
  /** What a user may stumble over. */
  readonly note?: string;
  /** Is a command of its own, in a workspace of its own, instead of one of many that share both. */
  readonly alone?: Alone;
  /** What its user does before and after, outside of any sandbox: bash, in the workspace. */
  readonly before?: string;
  readonly after?: string;
}

export interface Alone {
  /** Behind the script. */
  readonly args?: readonly string[];
  /** Where the folders lie; below /tmp the workspace is writable as a part of it. */
  readonly base?: "/tmp";
  /** A first command in the sandbox, which prepares the way; bash. */
  readonly first?: string;
  /** Where the exit status does not say whether it happened. */
  readonly judge?: (run: Run) => boolean;
}

export interface Run {
  /** Null when a signal ended it. */
  readonly status: number | null;
  readonly signal: string | null;
  readonly output: string;
}

export type Script = readonly [language: "bash" | "perl" | "node", text: string];
export type User = "root" | "user";

/** In read-only, in workspace-write, and there with the network. */
export type Expectation = readonly [boolean, boolean, boolean];

export const never: Expectation = [false, false, false];
export const always: Expectation = [true, true, true];
export const inWorkspace: Expectation = [false, true, true];
export const withNetwork: Expectation = [false, false, true];
