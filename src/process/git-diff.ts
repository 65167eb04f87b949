import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  futimesSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  writeFileSync,
} from "node:fs";
import os from "node:os";
import path from "node:path";
import type { Environment } from "../lib/environment.ts";
import { errorCode } from "../lib/errors.ts";
import { isInside } from "../lib/path-inside.ts";
import { readUnlinkedFile } from "../lib/read-regular-file.ts";
import { canonicalPath } from "./canonical-path.ts";
import { runCommand } from "./run-command.ts";
import type { Sandbox } from "./sandbox.ts";

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
  /** Holds git and all that it starts; may write nothing but `scratchParent`. */
  readonly sandbox: Sandbox;
  /** A folder that commands may not write. */
  readonly scratchParent: string;
}

/**
 * Throws an Error when there is no repository, no remote or no git. Nothing in the repository is changed, and nothing that
 * it configures is started; if it comes to run a program all the same, as by a filter of the user's own configuration, the
 * sandbox holds that.
 */
export async function diffToRemote(cwd: string, options: DiffOptions): Promise<RemoteDiff> {
  const scratch = mkdtempSync(path.join(options.scratchParent, `${scratchPrefix}${process.pid}-`));
  try {
    const git = await Git.open(cwd, scratch, options);
    const sha = await remoteCommit(git);
    const copy = git.with(await scratchIndex(git, scratch));
    // New files count as additions, in an index of our own.
    await copy.run(["add", "--intent-to-add", "--ignore-errors", "."]).catch(() => "");
    const flags = ["--no-ext-diff", "--no-textconv", "--no-color", "--binary"];
    const prefixes = ["--src-prefix=a/", "--dst-prefix=b/"];
    // Else git starts another git in a submodule, which knows nothing of our flags and settings.
    const submodules = ["--submodule=short", "--ignore-submodules=dirty"];
    const args = ["diff", ...flags, ...prefixes, ...submodules, sha, "--"];
    // A filter that cannot work in the sandbox is better left out than the whole diff.
    const diff = await copy.run(args).catch(async (error) => {
      options.signal.throwIfAborted();
      return copy.hasFilters ? copy.withoutFilters().run(args) : Promise.reject(error);
    });
    return { sha, diff };
  } finally {
    await deleteScratch(scratch, options);
  }
}

const scratchPrefix = "git-";
const longLeftMs = 3_600_000;

/** The folder for scratch folders below CODEX_HOME, made when it is not there. */
export function scratchParentIn(codexHome: string): string {
  const parent = path.join(codexHome, "tmp");
  mkdirSync(parent, { recursive: true, mode: 0o700 });
  if (lstatSync(parent).isSymbolicLink()) throw new Error(`"${parent}" is a symbolic link`);
  return parent;
}

/** With what processes left there that were killed. In the sandbox: whatever stands there by now, nothing else is deleted. */
async function deleteScratch(scratch: string, { sandbox, scratchParent }: DiffOptions): Promise<void> {
  const left = readdirSync(scratchParent).filter((name) => {
    if (!name.startsWith(scratchPrefix) || isRunning(Number.parseInt(name.slice(scratchPrefix.length), 10)))
      return false;
    const stat = lstatSync(path.join(scratchParent, name), { throwIfNoEntry: false });
    return stat !== undefined && Date.now() - stat.mtimeMs > longLeftMs; // a process of another container is not seen
  });
  await runCommand({
    argv: ["/bin/rm", "-rf", "--", scratch, ...left.map((name) => path.join(scratchParent, name))],
    cwd: scratchParent,
    env: {},
    timeoutMs,
    signal: new AbortController().signal, // also after the request or the server has ended
    sandbox,
  });
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errorCode(error) === "EPERM";
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
  const objects = (await git.run(["rev-parse", "--path-format=absolute", "--git-path", "objects"])).trim();
  const index = path.join(git.directory, "index");
  const copy = path.join(scratch, "index");
  if (lstatSync(index, { throwIfNoEntry: false }) !== undefined) {
    const { stat, bytes } = readUnlinkedFile(index, mostBytes);
    if (bytes === undefined) throw new Error("the index is too large");
    const fd = openSync(copy, "wx", 0o600);
    writeFileSync(fd, bytes);
    futimesSync(fd, stat.atime, stat.mtime); // by it git knows which files changed in the second they were added in
    closeSync(fd);
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
  /** Filters of the user's own configuration that are still on. */
  readonly filters: readonly string[];
  readonly signal: AbortSignal;
  readonly sandbox: Sandbox;
}

/** What a repository could have started, and where it could have it reach out to. */
const ownSettings: Settings = [
  ["core.fsmonitor", "false"],
  ["core.hooksPath", os.devNull],
  ["core.pager", "cat"],
  ["protocol.allow", "never"],
  ["safe.bareRepository", "explicit"],
];

/**
 * Runs git in a repository that may be anybody's, in the sandbox. The settings that switch off what a repository could
 * start are a second wall behind it.
 */
class Git {
  readonly #parts: GitParts;

  private constructor(parts: GitParts) {
    this.#parts = parts;
  }

  static async open(cwd: string, scratch: string, options: DiffOptions): Promise<Git> {
    const { PATH, HOME, XDG_CONFIG_HOME } = options.env;
    const folders = trustedFolders(cwd, PATH ?? "");
    const env = {
      PATH: folders.join(path.delimiter),
      LC_ALL: "C",
      TMPDIR: scratch,
      ...(HOME === undefined ? {} : { HOME }),
      ...(XDG_CONFIG_HOME === undefined ? {} : { XDG_CONFIG_HOME }),
      GIT_OPTIONAL_LOCKS: "0",
      GIT_TERMINAL_PROMPT: "0",
      GIT_NO_LAZY_FETCH: "1",
    };
    const { signal, sandbox } = options;
    const settings: Settings = [...ownSettings, ["lfs.storage", path.join(scratch, "lfs")]];
    const found = new Git({ program: findProgram(folders), cwd, env, settings, filters: [], signal, sandbox });
    return (await found.#pinned()).#filtered();
  }

  /** The repository's own, of this work tree. */
  get directory(): string {
    return this.#parts.env["GIT_DIR"] ?? "";
  }

  get hasFilters(): boolean {
    return this.#parts.filters.length > 0;
  }

  /** The same with more variables. */
  with(variables: Readonly<Record<string, string>>): Git {
    return this.#with({ env: { ...this.#parts.env, ...variables } });
  }

  withoutFilters(): Git {
    const { settings, filters } = this.#parts;
    return this.#with({ settings: [...settings, ...filters.flatMap(filterOff)], filters: [] });
  }

  #with(changes: Partial<GitParts>): Git {
    return new Git({ ...this.#parts, ...changes });
  }

  /**
   * From here on in this one repository, whatever else git would find on its way. `core.worktree` can name any folder: one
   * that does not hold the directory asked for is refused.
   */
  async #pinned(): Promise<Git> {
    const found = await this.run(["rev-parse", "--path-format=absolute", "--git-dir", "--show-toplevel"]);
    const [gitDir = "", root = ""] = found.split("\n");
    if (!isInside(canonicalPath(this.#parts.cwd), root)) throw new Error("the repository's work tree lies elsewhere");
    return this.#with({ cwd: root }).with({ GIT_DIR: gitDir, GIT_WORK_TREE: root });
  }

  /** Filters that the repository itself brings, or brings programs for, are off; those of the user's own stay. */
  async #filtered(): Promise<Git> {
    const listed = await this.run(["config", "--null", "--show-scope", "--name-only", "--list"]);
    const fields = listed.split("\0");
    const own = new Set<string>();
    const brought = new Set<string>();
    for (let at = 0; at + 1 < fields.length; at += 2) {
      const [scope = "", key = ""] = fields.slice(at, at + 2);
      const isOfRepository = scope === "local" || scope === "worktree";
      const name = /^(filter\..*)\.(?:clean|smudge|process|required)$/s.exec(key)?.[1];
      if (name !== undefined) (isOfRepository ? brought : own).add(name);
      // git-lfs starts these programs for the filter of the user's own.
      if (isOfRepository && key.startsWith("lfs.extension.")) brought.add("filter.lfs");
    }
    const { settings } = this.#parts;
    return this.#with({
      settings: [...settings, ...[...brought].flatMap(filterOff)],
      filters: [...own].filter((name) => !brought.has(name)),
    });
  }

  /** Its output; throws when it fails. */
  async run(args: readonly string[]): Promise<string> {
    const { program, cwd, env, settings, signal, sandbox } = this.#parts;
    const variables = settings.flatMap(([key, value], at) => [
      [`GIT_CONFIG_KEY_${at}`, key],
      [`GIT_CONFIG_VALUE_${at}`, value],
    ]);
    const chunks: Buffer[] = [];
    let length = 0;
    const tooLong = new AbortController();
    const outcome = await runCommand({
      argv: [program, ...args],
      cwd,
      env: { ...env, GIT_CONFIG_COUNT: String(settings.length), ...Object.fromEntries(variables) },
      timeoutMs,
      signal: AbortSignal.any([signal, tooLong.signal]),
      sandbox,
      maxPieces: Number.POSITIVE_INFINITY,
      onOutput: (stream, chunk) => {
        if (stream === "stderr") return undefined;
        length += chunk.length;
        if (length > mostBytes) tooLong.abort();
        else chunks.push(Buffer.from(chunk));
        return undefined;
      },
    });
    signal.throwIfAborted();
    if (outcome.kind === "not_started") throw new Error(`cannot start git: ${outcome.message}`);
    if (tooLong.signal.aborted) throw new Error(`git ${args[0]} printed more than ${mostBytes} bytes`);
    if (outcome.exitCode !== 0) throw new Error(`git ${args[0]} ended with ${outcome.exitCode}`);
    return Buffer.concat(chunks).toString("utf8");
  }
}

function filterOff(name: string): Settings {
  return [
    ...["clean", "smudge", "process"].map((kind) => [`${name}.${kind}`, ""] as const),
    [`${name}.required`, "false"] as const,
  ];
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
