import { holdProgram } from "../assets.ts";
import { messageOf } from "../lib/errors.ts";
import { log } from "../lib/log.ts";

/** Long enough that no start waits for it, and behind what the first conversation needs. */
const idleMs = 1000;

/** A server may run for days: so that it goes on as it is when the program is updated in place meanwhile. */
export function holdWhenIdle(): void {
  const hold = () => {
    try {
      holdProgram();
      log("debug", "cli", "all of the program is in memory");
    } catch (error) {
      log("warn", "cli", `an update will end this process, for the program cannot be read: ${messageOf(error)}`);
    }
  };
  setTimeout(hold, idleMs).unref();
}
