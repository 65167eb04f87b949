/** A set of environment variables, handed on as an argument: `process.env` is read once in main.ts and never written. */
export type Environment = Readonly<Record<string, string | undefined>>;
