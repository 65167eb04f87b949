import { userInfo } from "node:os";
import { readTextFile } from "./read-file.ts";

export type ShellName = "bash" | "zsh";

/** The user's login shell, if it is one that the model is told about. */
export function loginShellName(): ShellName | undefined {
  return knownShell(loginShell());
}

/** The shell field of a user's line in the text of a passwd file. */
export function shellInPasswd(passwd: string, uid: number): string | undefined {
  for (const line of passwd.split("\n")) {
    const fields = line.split(":");
    if (fields[2] === String(uid) && fields.length >= 7) return fields[6]?.trim();
  }
  return undefined;
}

function loginShell(): string | undefined {
  const uid = process.getuid?.();
  if (uid === undefined) return undefined;
  try {
    // The file first: the system's own look-up may ask a directory server.
    return shellInPasswd(readTextFile("/etc/passwd") ?? "", uid) ?? userInfo().shell ?? undefined;
  } catch {
    return undefined; // a user without an entry has no login shell
  }
}

function knownShell(shell: string | undefined): ShellName | undefined {
  const name = shell?.slice(shell.lastIndexOf("/") + 1);
  return name === "bash" || name === "zsh" ? name : undefined;
}
