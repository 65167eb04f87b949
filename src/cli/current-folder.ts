import { UserError } from "../lib/errors.ts";

/** Throws a UserError where somebody has removed it meanwhile. */
export function currentFolder(): string {
  try {
    return process.cwd();
  } catch (cause) {
    throw new UserError("The current directory does not exist any more: change to another one.", { cause });
  }
}
