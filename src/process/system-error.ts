import { getSystemErrorMap } from "node:util";
import { explainSystemError, messageOf } from "../lib/errors.ts";

/** A number from errno in the words of the C library, as other programs print them. */
export function describeErrno(errno: number): string {
  const [code, words] = getSystemErrorMap().get(-errno) ?? [];
  if (code === undefined || words === undefined) return `Unknown error (os error ${errno})`;
  const known = explainSystemError(Object.assign(new Error(code), { code }));
  return known === code ? `${words.charAt(0).toUpperCase()}${words.slice(1)} (os error ${errno})` : known;
}

/** The cause of a failed call of Node, without Node's own prefix and path. */
export function describeFailure(error: unknown): string {
  const errno = errnoOf(error);
  return errno === undefined ? messageOf(error) : describeErrno(errno);
}

export function errnoOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !("errno" in error) || typeof error.errno !== "number") return undefined;
  return Math.abs(error.errno);
}
