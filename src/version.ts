declare const CODEX_VERSION: string | undefined;

/** False when the sources themselves run, as in unit tests. */
export const isBundled: boolean = typeof CODEX_VERSION === "string";

/** Of package.json; put in by the build. */
export const version: string = typeof CODEX_VERSION === "string" ? CODEX_VERSION : "0.0.0";
