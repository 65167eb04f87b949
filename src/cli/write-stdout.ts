import { Buffer } from "node:buffer";
import { writeSync } from "node:fs";
import { errorCode, explainSystemError, UserError } from "../lib/errors.ts";
import { sleepSync } from "../lib/sleep-sync.ts";

const pauseMs = 10;

/** Writes the whole text before it returns: 141 when nobody reads it, else 0. Throws a UserError when it cannot be written. */
export function writeStdout(text: string): number {
  for (let rest = Buffer.from(text); rest.length > 0; ) {
    try {
      rest = rest.subarray(writeSync(1, rest));
    } catch (error) {
      const code = errorCode(error);
      if (code === "EPIPE") return 141;
      if (code !== "EAGAIN")
        throw new UserError(`Cannot write to stdout: ${explainSystemError(error)}`, { cause: error });
      // A pipe that another process made non-blocking is full; the reader has something to do first.
      sleepSync(pauseMs);
    }
  }
  return 0;
}
