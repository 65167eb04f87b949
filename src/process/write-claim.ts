/**
 * Who is about to open a file for writing says so beside it, since two that look for writers at the same moment would both see
 * none. A claim is a file that its claimant has open for writing, from before it has a name: so everybody can see whether a
 * claimant is still there, and one that was killed holds up nobody.
 */
import { closeSync, constants, fstatSync, openSync, rmSync, unlinkSync } from "node:fs";
import { constants as osConstants } from "node:os";
import path from "node:path";
import { errorCode } from "../lib/errors.ts";
import { hasWriter } from "./file-writer.ts";
import { type Libc, SystemCallError } from "./libc.ts";

/** O_TMPFILE without O_DIRECTORY, which differs between the CPUs and is one of Node's constants. */
const withoutName = 0o20000000;
const currentFolder = -100;
const followSymlink = 0x400;

export interface WriteClaim {
  release(): void;
}

interface DeadClaim {
  readonly name: string;
  /** Held open: what has a name no longer can still be told from what has it now. */
  readonly fd: number;
}

/**
 * Undefined when another process has a claim on the file. Throws where the folder takes none.
 *
 * Claims are numbered. One that is dead keeps its number, and the next one up is taken, so that no two can ever disagree about
 * which claim they replaced. A claimant removes the dead ones below its own first, then its own; whoever gets a number then
 * makes sure that those below are the very ones that it has seen dead.
 */
export function claimWriting(file: string, libc: Libc): WriteClaim | undefined {
  for (;;) {
    const found = tryClaiming(file, libc);
    if (found !== "again") return found;
  }
}

function tryClaiming(file: string, libc: Libc): WriteClaim | "again" | undefined {
  const dead: DeadClaim[] = [];
  // A new one for each try: a file that has lost its name cannot get another.
  const fd = openSync(path.dirname(file), constants.O_WRONLY | constants.O_DIRECTORY | withoutName, 0o600);
  let claim: WriteClaim | undefined;
  try {
    if (!findDeadClaims(file, { libc, dead })) return undefined;
    const name = claimName(file, dead.length);
    if (!giveName(fd, name, libc)) return "again";
    if (dead.every(isStillThere)) claim = { release: release(fd, [...dead.map((one) => one.name), name]) };
    else unlinkSync(name);
    return claim ?? "again";
  } finally {
    for (const one of dead) closeSync(one.fd);
    if (claim === undefined) closeSync(fd);
  }
}

function release(fd: number, names: readonly string[]): () => void {
  return () => {
    for (const name of names) rmSync(name, { force: true });
    closeSync(fd);
  };
}

const claimName = (file: string, number: number) => `${file}.claim-${number}`;

/** Adds those from 0 on; false when one of them is alive. */
function findDeadClaims(file: string, { libc, dead }: { readonly libc: Libc; readonly dead: DeadClaim[] }): boolean {
  for (;;) {
    const name = claimName(file, dead.length);
    const fd = openClaim(name);
    if (fd === undefined) return true;
    dead.push({ name, fd });
    const isAlive = hasWriter(fd, libc);
    if (isAlive === undefined) throw new Error(`whose claim "${name}" is cannot be known`);
    if (isAlive) return false;
  }
}

function openClaim(name: string): number | undefined {
  try {
    return openSync(name, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** False when something has the name. */
function giveName(fd: number, name: string, libc: Libc): boolean {
  const prototype = "int linkat(int, const char *, int, const char *, int)";
  try {
    libc.call(prototype, currentFolder, `/proc/self/fd/${fd}`, currentFolder, name, followSymlink);
    return true;
  } catch (error) {
    if (error instanceof SystemCallError && error.errno === osConstants.errno.EEXIST) return false;
    throw error;
  }
}

function isStillThere({ fd }: DeadClaim): boolean {
  return fstatSync(fd).nlink > 0;
}
