import type { UserError } from "../lib/errors.ts";
import { showControls } from "../render/printable.ts";

/** What stderr gets of a mistake of the user; a file's name in it does not steer the terminal. */
export function errorText(error: UserError): string {
  const message = showControls(error.message.trimEnd());
  return `${message.startsWith("Error ") ? "" : "Error: "}${message}\n`; // some texts of the reference say it themselves
}
