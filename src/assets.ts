import { readFileSync } from "node:fs";
import path from "node:path";
import { isBundled } from "./version.ts";

export type PromptName = "instructions" | "patch-instructions";

/** Where the build puts everything; the sources use it too. */
const dist = isBundled ? import.meta.dirname : path.resolve(import.meta.dirname, "../dist");

/** A file that the build makes beside the bundle: the sandbox helper, and prompts below `assets/`. */
export function programFile(name: string): string {
  return path.join(dist, name);
}

export function readPrompt(name: PromptName): string {
  return readFileSync(programFile(`assets/${name}.md`), "utf8").trimEnd();
}
