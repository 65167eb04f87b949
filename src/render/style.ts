import type { Environment } from "../lib/environment.ts";

export type ColorChoice = "always" | "never" | "auto";

/** The flag wins over FORCE_COLOR, that over NO_COLOR (the order Node itself keeps), and those over the terminal. */
export function hasColour(
  choice: ColorChoice,
  where: { readonly env: Environment; readonly isTerminal: boolean },
): boolean {
  if (choice !== "auto") return choice === "always";
  const forced = where.env["FORCE_COLOR"];
  if (forced !== undefined) return forced !== "0" && forced !== "false";
  if (where.env["NO_COLOR"]) return false;
  return where.isTerminal && where.env["TERM"] !== "dumb";
}
