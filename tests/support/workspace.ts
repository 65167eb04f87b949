import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import os from "node:os";
import path from "node:path";

export interface WorkspaceOptions {
  /** Path below the working directory to content. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  /** The same below CODEX_HOME; `config.toml` too. */
  readonly homeFiles?: Readonly<Record<string, string>>;
  /** Default: true. */
  readonly git?: boolean;
}

/** A fresh working directory with a CODEX_HOME and a user's home of its own, gone at the end of the test. */
export interface Workspace extends Disposable {
  readonly root: string;
  readonly work: string;
  readonly home: string;
  readonly env: Readonly<Record<string, string>>;
  /** Text of every file below the working directory but `.git`. */
  files(): Record<string, string>;
  /** The same below CODEX_HOME. */
  homeFiles(): Record<string, string>;
  /** The lines of the only rollout, parsed. */
  rollout(): readonly RolloutLine[];
}

export interface RolloutLine {
  readonly timestamp: string;
  readonly type: string;
  readonly payload: Readonly<Record<string, unknown>>;
}

export function workspace(options: WorkspaceOptions = {}): Workspace {
  // Not below /tmp, which a sandboxed command may write to.
  const base = existsSync("/var/tmp") ? "/var/tmp" : os.tmpdir();
  const root = realpathSync(mkdtempSync(path.join(base, "codex-test-")));
  const [work, home, user] = ["work", "home", "user"].map((name) => path.join(root, name)) as [string, string, string]; // three names
  for (const folder of [work, home, user]) mkdirSync(folder);
  writeAll(work, options.files ?? {});
  writeAll(home, options.homeFiles ?? {});
  const env = {
    PATH: process.env["PATH"] ?? "",
    HOME: user,
    CODEX_HOME: home,
    TERM: "dumb",
    LANG: "C.UTF-8",
    TZ: "UTC",
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_CONFIG_SYSTEM: "/dev/null",
  };
  if (options.git !== false) execFileSync("git", ["init", "-q", "-b", "main", work], { env });
  return {
    root,
    work,
    home,
    env,
    files: () => readAll(work),
    homeFiles: () => readAll(home),
    rollout: () => {
      const rollouts = Object.entries(readAll(path.join(home, "sessions")));
      if (rollouts.length !== 1 || rollouts[0] === undefined) throw new Error(`There are ${rollouts.length} rollouts.`);
      const lines = rollouts[0][1].split("\n").filter((line) => line !== "");
      return lines.map((line) => JSON.parse(line) as RolloutLine);
    },
    [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }),
  };
}

function writeAll(folder: string, files: Readonly<Record<string, string | Uint8Array>>): void {
  for (const [name, content] of Object.entries(files)) {
    const file = path.join(folder, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, content);
  }
}

function readAll(folder: string): Record<string, string> {
  const files: Record<string, string> = {};
  const visit = (below: string) => {
    for (const entry of readdirSync(path.join(folder, below), { withFileTypes: true })) {
      const name = path.join(below, entry.name);
      if (entry.name === ".git") continue;
      if (entry.isDirectory()) visit(name);
      else if (entry.isFile()) files[name] = readFileSync(path.join(folder, name), "utf8");
    }
  };
  if (existsSync(folder)) visit("");
  return files;
}
