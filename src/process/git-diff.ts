import { spawn } from "node:child_process";
import {
  accessSync,
  constants,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  utimesSync,
} from "node:fs";
import os from "node:os";
import path from "node:path";
import type { Environment } from "../lib/environment.ts";
import { isInside } from "../lib/path-inside.ts";
import { canonicalPath } from "./canonical-path.ts";
import { waitForExit } from "./child-exit.ts";

interface RemoteDiff {
  /** The newest commit of this branch that a remote has. */
  readonly sha: string;
  /** From there to the files as they are, new ones included. */
  readonly diff: string;
}

const timeoutMs = 60_000;
const mostBytes = 256 * 1024 * 1024;
const mostCandidates = 10;

interface DiffOptions {
  readonly env: Environment;
  /** Ends git, and rejects. */
  readonly signal: AbortSignal;
}

/** Throws an Error when there is no repository, no remote or no git. Nothing in the repository is changed. */
export async function diffToRemote(cwd: string, options: DiffOptions): Promise<RemoteDiff> {
  const git = await Git.open(cwd, options);
  const root = (await git.run(["rev-parse", "--show-toplevel"])).trim();
  const sha = await remoteCommit(git);
  const scratch = mkdtempSync(path.join(os.tmpdir(), "codex-git-"));
  try {
    const inRoot = git.in(root, await scratchIndex(git, scratch));
    // New files count as additions, in an index of our own.
    await inRoot.run(["add", "--intent-to-add", "--ignore-errors", "."]).catch(() => "");
    const flags = ["--no-ext-diff", "--no-textconv", "--no-color", "--binary"];
    const prefixes = ["--src-prefix=a/", "--dst-prefix=b/"];
    // Else git starts another git in a submodule, which knows nothing of our flags and settings.
    const submodules = ["--submodule=short", "--ignore-submodules=dirty"];
    return { sha, diff: await inRoot.run(["diff", ...flags, ...prefixes, ...submodules, sha, "--"]) };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

async function remoteCommit(git: Git): Promise<string> {
  const remotes = await git.run(["for-each-ref", "--count=1", "--format=%(objectname)", "refs/remotes"]);
  if (remotes.trim() === "") throw new Error("no remote has a commit of this repository");
  const lines = (await git.run(["rev-list", "--boundary", "HEAD", "--not", "--remotes"])).trim().split("\n");
  if (lines[0] === "") return (await git.run(["rev-parse", "HEAD"])).trim();
  const known = lines.filter((line) => line.startsWith("-")).map((line) => line.slice(1));
  let best: { readonly sha: string; readonly distance: number } | undefined;
  for (const sha of known.slice(0, mostCandidates)) {
    const distance = Number(await git.run(["rev-list", "--count", `${sha}..HEAD`]));
    if (best === undefined || distance < best.distance) best = { sha, distance };
  }
  if (best === undefined) throw new Error("no remote has a commit that this branch comes from");
  return best.sha;
}

/** The variables that let git work on a copy of the index, and put what it writes beside the repository. */
async function scratchIndex(git: Git, scratch: string): Promise<Readonly<Record<string, string>>> {
  const lines = await git.run(["rev-parse", "--path-format=absolute", "--git-path", "index", "--git-path", "objects"]);
  const [index = "", objects = ""] = lines.split("\n");
  const copy = path.join(scratch, "index");
  const stat = statSync(index, { throwIfNoEntry: false });
  if (stat !== undefined) {
    copyFileSync(index, copy);
    utimesSync(copy, stat.atime, stat.mtime); // by it git knows which files changed in the second they were added in
  }
  const ownObjects = path.join(scratch, "objects");
  mkdirSync(ownObjects);
  return {
    GIT_INDEX_FILE: copy,
    GIT_OBJECT_DIRECTORY: ownObjects,
    GIT_ALTERNATE_OBJECT_DIRECTORIES: objects,
  };
}

type Settings = readonly (readonly [key: string, value: string])[];

interface GitParts {
  readonly program: string;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly settings: Settings;
  readonly signal: AbortSignal;
}

/** What a repository could have started, and where it could have it reach out to. */
const ownSettings: Settings = [
  ["core.fsmonitor", "false"],
  ["core.hooksPath", os.devNull],
  ["core.pager", "cat"],
  ["protocol.allow", "never"],
  ["safe.bareRepository", "explicit"],
];

/** Runs git in a repository that may be anybody's: nothing that it configures is started. */
class Git {
  readonly #parts: GitParts;

  private constructor(parts: GitParts) {
    this.#parts = parts;
  }

  static async open(cwd: string, { env: { PATH, HOME, XDG_CONFIG_HOME }, signal }: DiffOptions): Promise<Git> {
    const folders = trustedFolders(cwd, PATH ?? "");
    const env = {
      PATH: folders.join(path.delimiter),
      LC_ALL: "C",
      ...(HOME === undefined ? {} : { HOME }),
      ...(XDG_CONFIG_HOME === undefined ? {} : { XDG_CONFIG_HOME }),
      GIT_OPTIONAL_LOCKS: "0",
      GIT_TERMINAL_PROMPT: "0",
      GIT_NO_LAZY_FETCH: "1",
    };
    const git = new Git({ program: findProgram(folders), cwd, env, settings: ownSettings, signal });
    return git.#with({ settings: [...ownSettings, ...(await git.#filtersOff())] });
  }

  /** The same elsewhere, with more variables. */
  in(cwd: string, variables: Readonly<Record<string, string>>): Git {
    return this.#with({ cwd, env: { ...this.#parts.env, ...variables } });
  }

  #with(changes: Partial<GitParts>): Git {
    return new Git({ ...this.#parts, ...changes });
  }

  /** Of the filters that the repository itself brings; those of the user's own configuration stay. */
  async #filtersOff(): Promise<Settings> {
    const listed = await this.run(["config", "--null", "--show-scope", "--name-only", "--list"]);
    const fields = listed.split("\0");
    const names = new Set<string>();
    for (let at = 0; at + 1 < fields.length; at += 2) {
      const name = /^(filter\..*)\.(?:clean|smudge|process|required)$/s.exec(fields[at + 1] ?? "")?.[1];
      if (name !== undefined && (fields[at] === "local" || fields[at] === "worktree")) names.add(name);
    }
    return [...names].flatMap((name) => [
      ...["clean", "smudge", "process"].map((kind) => [`${name}.${kind}`, ""] as const),
      [`${name}.required`, "false"] as const,
    ]);
  }

  /** Its output; throws when it fails. */
  async run(args: readonly string[]): Promise<string> {
    const { program, cwd, env, settings, signal } = this.#parts;
    const variables = settings.flatMap(([key, value], at) => [
      [`GIT_CONFIG_KEY_${at}`, key],
      [`GIT_CONFIG_VALUE_${at}`, value],
    ]);
    const child = spawn(program, args, {
      cwd,
      env: { ...env, GIT_CONFIG_COUNT: String(settings.length), ...Object.fromEntries(variables) },
      stdio: ["ignore", "pipe", "ignore"],
      timeout: timeoutMs,
      killSignal: "SIGKILL",
      signal,
    });
    const chunks: Buffer[] = [];
    let length = 0;
    child.stdout.on("data", (chunk: Buffer) => {
      length += chunk.length;
      if (length <= mostBytes) chunks.push(chunk);
      else child.kill("SIGKILL");
    });
    const closed = new Promise<void>((resolve) => child.stdout.once("close", resolve));
    const exit = await waitForExit(child);
    if (!exit.started) throw exit.error;
    await closed;
    if (exit.code !== 0) throw new Error(`git ${args[0]} ended with ${exit.code ?? exit.signal}`);
    return Buffer.concat(chunks).toString("utf8");
  }
}

/** Those of PATH where no file of the repository can lie. */
function trustedFolders(cwd: string, searchPath: string): readonly string[] {
  const place = canonicalPath(cwd);
  const repository = [...parents(place)].find((folder) => existsSync(path.join(folder, ".git"))) ?? place;
  return searchPath
    .split(path.delimiter)
    .filter((folder) => path.isAbsolute(folder) && !isInside(canonicalPath(folder), repository));
}

function* parents(folder: string): Iterable<string> {
  yield folder;
  const parent = path.dirname(folder);
  if (parent !== folder) yield* parents(parent);
}

function findProgram(folders: readonly string[]): string {
  const name = process.platform === "win32" ? "git.exe" : "git";
  for (const folder of folders) {
    const file = path.join(folder, name);
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch {
      // not here
    }
  }
  throw new Error("there is no git in PATH");
}
