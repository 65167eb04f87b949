import { readFileSync } from "node:fs";
import path from "node:path";
import { isBundled } from "./version.ts";

declare global {
  interface ImportMeta {
    /** The loader's, put in by the build. */
    hold(): void;
  }
}

const promptNames = ["instructions", "patch-instructions", "compact-instructions"] as const;
type PromptName = (typeof promptNames)[number];

/** Where the build puts everything; the sources use it too. */
const dist = isBundled ? import.meta.dirname : path.resolve(import.meta.dirname, "../dist");

/** A file that the build makes beside the bundle: the sandbox helper, and prompts below `assets/`. */
export function programFile(name: string): string {
  return path.join(dist, name);
}

const prompts = new Map<PromptName, string>();

/** What of this program is loaded or read later comes from memory from here on; in the sources it never changes. */
export function holdProgram(): void {
  if (isBundled) import.meta.hold();
  for (const name of promptNames) readPrompt(name);
}

export function readPrompt(name: PromptName): string {
  const text = prompts.get(name) ?? readFileSync(programFile(`assets/${name}.md`), "utf8").trimEnd();
  prompts.set(name, text);
  return text;
}
