/** A mistake the user can mend: printed as one sentence without a stack. */
export class UserError extends Error {
  override readonly name = "UserError";
  readonly exitCode: number;

  constructor(message: string, options: { readonly cause?: unknown; readonly exitCode?: number } = {}) {
    super(message, { cause: options.cause });
    this.exitCode = options.exitCode ?? 1;
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Maps an errno code to the words people know it by; other errors keep their own message. */
export function explainSystemError(error: unknown): string {
  const code = errorCode(error);
  const words = code === undefined ? undefined : systemErrors[code];
  return words ?? messageOf(error);
}

export function errorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

const systemErrors: Readonly<Record<string, string>> = {
  ENOENT: "No such file or directory (os error 2)",
  ENXIO: "No such device or address (os error 6)",
  EACCES: "Permission denied (os error 13)",
  EPERM: "Operation not permitted (os error 1)",
  EEXIST: "File exists (os error 17)",
  ENOTDIR: "Not a directory (os error 20)",
  EISDIR: "Is a directory (os error 21)",
  ENOSPC: "No space left on device (os error 28)",
  EROFS: "Read-only file system (os error 30)",
  ENAMETOOLONG: "File name too long (os error 36)",
  ELOOP: "Too many levels of symbolic links (os error 40)",
  ERR_INVALID_ARG_VALUE: "nul byte found in provided data", // all that Node has against names of files and words of commands
  ENOTEMPTY: "Directory not empty (os error 39)",
};
