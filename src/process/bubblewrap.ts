/** The second sandbox of Linux: the program bubblewrap builds namespaces around the command, under the same filter. */
import { spawnSync } from "node:child_process";
import { closeSync, existsSync, statSync } from "node:fs";
import path from "node:path";
import type { Environment } from "../lib/environment.ts";
import { messageOf } from "../lib/errors.ts";
import { isInside } from "../lib/path-inside.ts";
import { canonicalPath } from "./canonical-path.ts";
import { makeMemoryFile } from "./descriptors.ts";
import type { Libc } from "./libc.ts";
import { behindCheck, encodeVariables, type MountCheck } from "./mount-check.ts";
import { SandboxSetupError, sandboxFailure } from "./sandbox-error.ts";
import { checkRoot, type WritableRoot } from "./writable-roots.ts";

export interface Bubblewrap {
  readonly program: string;
  /** The options that it needs on this machine to be allowed to make namespaces. */
  readonly namespaces: readonly string[];
  /** As it names itself. */
  readonly version: string;
}

/** What a policy leaves to a command. */
export interface BubblewrapRules {
  readonly writableRoots: readonly WritableRoot[];
  /** Below the roots, and not writable all the same, as long as it exists. */
  readonly readOnly: readonly string[];
  readonly network: boolean;
  /** For the kernel, as `seccompFilter` makes it. */
  readonly filter: Buffer;
  /** What looks at the mounts before the command runs. */
  readonly check: MountCheck | undefined;
}

/** What root keeps of its powers; the same as under Landlock. */
const keptCapabilities = ["CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "NET_BIND_SERVICE"];

/** The options of a policy, in order: what comes later lies over what came before. */
export function bubblewrapOptions({ writableRoots, readOnly, network }: BubblewrapRules): readonly string[] {
  return [
    "--die-with-parent",
    "--unshare-pid",
    "--unshare-ipc",
    ...(network ? [] : ["--unshare-net"]),
    ...["--cap-drop", "ALL", ...keptCapabilities.flatMap((name) => ["--cap-add", `CAP_${name}`])],
    ...["--ro-bind", "/", "/"],
    ...["--dev", "/dev"],
    // Read-only, or root could change the kernel's settings through it.
    ...["--proc", "/proc", "--remount-ro", "/proc"],
    ...writableRoots.flatMap((root) => ["--bind", root.path, root.path]),
    ...foldersAbove(readOnly, writableRoots).flatMap((folder) => ["--bind", folder, folder]),
    ...readOnly.flatMap((part) => ["--ro-bind", part, part]),
  ];
}

/**
 * The folders between read-only parts and their roots, outer ones first. Mounted onto themselves they cannot be renamed,
 * and no other gets their place; with a folder moved away, its read-only parts would go along.
 */
export function foldersAbove(parts: readonly string[], roots: readonly WritableRoot[]): readonly string[] {
  const folders = new Set<string>();
  for (const part of parts) {
    const root = roots.find(({ path: root }) => isInside(part, root))?.path;
    if (root === undefined) continue;
    for (let folder = path.dirname(part); folder !== root && isInside(folder, root); folder = path.dirname(folder)) {
      folders.add(folder);
    }
  }
  return [...folders].sort((a, b) => a.length - b.length);
}

/** Bubblewrap and what it is told. */
export interface Confinement {
  readonly bubblewrap: Bubblewrap;
  readonly rules: BubblewrapRules;
}

/** What a command is run with; all of it reaches bubblewrap by descriptors, and none by its own environment. */
export interface BubblewrapCommand {
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

/** The first has the options, the second the filter, the third, where there is a check, the environment. */
export type BubblewrapDescriptors = readonly [number, number] | readonly [number, number, number];

export function bubblewrapArgv(
  [options, filter, variables]: BubblewrapDescriptors,
  { check, argv }: { readonly check: MountCheck | undefined; readonly argv: readonly string[] },
): readonly string[] {
  const isChecked = check !== undefined && variables !== undefined;
  const command = isChecked ? behindCheck(check, { argv, variables }) : argv;
  return ["--args", String(options), "--seccomp", String(filter), "--", ...command];
}

/**
 * The files behind the descriptors of `bubblewrapArgv`. Throws a SandboxSetupError when a writable folder is no
 * longer what it was when the session began.
 */
export function openOptions(
  libc: Libc,
  { bubblewrap, rules }: Confinement,
  { cwd, env }: Omit<BubblewrapCommand, "argv">,
): BubblewrapDescriptors {
  try {
    for (const root of rules.writableRoots) checkRoot(root, statSync(root.path, { bigint: true }));
  } catch (cause) {
    throw new SandboxSetupError(sandboxFailure(`${messageOf(cause)}.`), { cause });
  }
  const isChecked = rules.check !== undefined;
  const variables = isChecked ? [] : Object.entries(env).flatMap(([name, value]) => ["--setenv", name, value]);
  const readOnly = rules.readOnly.filter((part) => existsSync(part));
  const words = [...bubblewrap.namespaces, ...bubblewrapOptions({ ...rules, readOnly }), ...variables, "--chdir", cwd];
  const list = Buffer.from(words.map((word) => `${word}\0`).join(""));
  const opened: number[] = [];
  const open = (content: Buffer) => {
    const fd = makeMemoryFile(libc, content);
    opened.push(fd);
    return fd;
  };
  try {
    const descriptors = [open(list), open(rules.filter)] as const;
    // Nothing is left open for a command that has no use for it.
    return isChecked ? [...descriptors, open(encodeVariables(env))] : descriptors;
  } catch (error) {
    for (const fd of opened) closeSync(fd);
    throw error;
  }
}

export type BubblewrapTrial = { readonly bubblewrap: Bubblewrap } | { readonly problem: string };

/** How bubblewrap can be had here: tried out with a filter, since a container or a distribution may forbid it. */
export function findBubblewrap(
  libc: Libc,
  options: {
    readonly env: Environment;
    /** Folders that commands may write: nothing from there runs outside of the sandbox. */
    readonly exposed: readonly string[];
    readonly filter: Buffer;
    /** What was found out before in this process, by program. */
    readonly known: Map<string, BubblewrapTrial>;
  },
): BubblewrapTrial {
  const program = locate(options);
  if (program === undefined) return { problem: "bubblewrap is not installed" };
  const trial = options.known.get(program) ?? tryProgram(libc, program, options.filter);
  options.known.set(program, trial);
  return trial;
}

function tryProgram(libc: Libc, program: string, filter: Buffer): BubblewrapTrial {
  // Root needs no user namespace, and without one files of other users stay writable for it.
  const isRoot = process.getuid?.() === 0;
  let problem = "";
  for (const namespaces of isRoot ? [[], ["--unshare-user"]] : [["--unshare-user"]]) {
    const candidate = { program, namespaces, version: "" };
    const found = tryOut(libc, candidate, filter);
    if ("version" in found) return { bubblewrap: { ...candidate, version: found.version } };
    problem = found.problem;
  }
  return { problem: `bubblewrap does not work here (${problem})` };
}

const usualFolders = ["/usr/bin", "/usr/local/bin", "/bin"];

/** Not one from a relative entry of PATH, the workspace or another folder where a command could have put it. */
function locate({
  env,
  exposed,
}: {
  readonly env: Environment;
  readonly exposed: readonly string[];
}): string | undefined {
  const folders = [...(env["PATH"] ?? "").split(":").filter(path.isAbsolute), ...usualFolders];
  return folders
    .map((folder) => canonicalPath(path.join(folder, "bwrap")))
    .find((file) => existsSync(file) && !exposed.some((folder) => isInside(file, folder)) && isOfSystem(file));
}

/** Where no workspace lies, whoever we are. */
const systemFolders = ["/usr", "/bin", "/opt", "/nix/store", "/gnu/store", "/snap"];

/** A command of another session, whose folders we do not know, cannot have put it there. */
function isOfSystem(file: string): boolean {
  if (systemFolders.some((folder) => isInside(file, folder))) return true;
  const isOfRoot = (place: string) => statSync(place).uid === 0;
  return process.getuid?.() !== 0 && isOfRoot(file) && isOfRoot(path.dirname(file));
}

/** It asks bubblewrap for its version, under bubblewrap: a program that is there and ends at once. */
function tryOut(
  libc: Libc,
  bubblewrap: Bubblewrap,
  filter: Buffer,
): { readonly version: string } | { readonly problem: string } {
  const rules = { writableRoots: [], readOnly: [], network: false, filter, check: undefined };
  const descriptors = openOptions(libc, { bubblewrap, rules }, { cwd: "/", env: {} });
  try {
    const argv = bubblewrapArgv([3, 4, 5], { check: undefined, argv: [bubblewrap.program, "--version"] });
    const { status, stdout, stderr, error } = spawnSync(bubblewrap.program, argv, {
      cwd: "/",
      env: {},
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe", ...descriptors],
      timeout: tryOutMs,
    });
    if (status === 0) return { version: stdout.trim() };
    return { problem: error === undefined ? stderr.trim().replaceAll("\n", " ") : messageOf(error) };
  } finally {
    for (const fd of descriptors) closeSync(fd);
  }
}

const tryOutMs = 5000;
