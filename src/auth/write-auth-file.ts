import {
  closeSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { errorCode, explainSystemError, UserError } from "../lib/errors.ts";
import { type AuthContent, type AuthFile, authFilePath, parseAuthContent, readAuthContent } from "./auth-file.ts";
import { withAuthLock } from "./auth-lock.ts";
import { linkTarget } from "./link-target.ts";

/**
 * Changes auth.json as a whole: readers find the old content or the new one, whatever happens on the way. `change` gets
 * what is there, undefined for nothing that could be read, and its result is written.
 */
export async function writeAuthFile(
  codexHome: string,
  change: (content: AuthContent | undefined) => AuthContent,
): Promise<AuthFile> {
  return withAuthLock(codexHome, () => {
    const content = change(readAuthContent(codexHome).content);
    replaceAuthFile(codexHome, content);
    return parseAuthContent(content);
  });
}

/** Only for those who hold the lock. Throws a UserError. */
export function replaceAuthFile(codexHome: string, content: AuthContent): void {
  try {
    mkdirSync(codexHome, { recursive: true, mode: 0o700 });
    const file = linkTarget(authFilePath(codexHome));
    removeLeftovers(file);
    replace(file, `${JSON.stringify(content, undefined, 2)}\n`);
  } catch (cause) {
    throw new UserError(`Cannot write "${authFilePath(codexHome)}": ${explainSystemError(cause)}`, { cause });
  }
}

/** False when there was none. */
export async function deleteAuthFile(codexHome: string): Promise<boolean> {
  const link = authFilePath(codexHome);
  if (lstatSync(link, { throwIfNoEntry: false }) === undefined) return false; // and the home need not exist
  return withAuthLock(codexHome, () => {
    try {
      const file = linkTarget(link);
      removeLeftovers(file);
      const exists = statSync(file, { throwIfNoEntry: false }) !== undefined;
      rmSync(file, { force: true });
      return exists;
    } catch (cause) {
      throw new UserError(`Cannot delete "${link}": ${explainSystemError(cause)}`, { cause });
    }
  });
}

function temporaryName(file: string, unique: string): string {
  return path.join(path.dirname(file), `.${path.basename(file)}.${unique}.tmp`);
}

/** Of those who were killed between the two steps: nobody else writes while we hold the lock. */
function removeLeftovers(file: string): void {
  const [before = "", after = ""] = path.basename(temporaryName(file, "*")).split("*");
  for (const name of readdirSync(path.dirname(file))) {
    if (name.startsWith(before) && name.endsWith(after)) rmSync(path.join(path.dirname(file), name), { force: true });
  }
}

function replace(file: string, text: string): void {
  const temporary = temporaryName(file, `${process.pid}-${process.hrtime.bigint().toString(36)}`);
  const fd = openSync(temporary, "wx", 0o600); // never a file or link of somebody else's
  try {
    keepOwner(fd, file);
    writeFileSync(fd, text);
    fsyncSync(fd); // a name in front of no content is what a power cut would leave
    renameSync(temporary, file);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  } finally {
    closeSync(fd);
  }
}

/** root may log in for somebody, who must be able to read it then. */
function keepOwner(fd: number, file: string): void {
  const old = statSync(file, { throwIfNoEntry: false });
  const { uid, gid } = fstatSync(fd);
  if (old === undefined || old.uid === uid) return;
  try {
    fchownSync(fd, old.uid, old.gid === gid ? gid : old.gid);
  } catch (cause) {
    if (errorCode(cause) !== "EPERM") throw cause;
    throw new Error("it belongs to another user", { cause });
  }
}
