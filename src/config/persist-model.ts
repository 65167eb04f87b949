import { realpathSync, renameSync, statSync, unlinkSync, writeFileSync } from "node:fs";
import { errorCode, explainSystemError, UserError } from "../lib/errors.ts";
import { readRegularFile } from "../lib/read-regular-file.ts";
import type { ReasoningEffort } from "../protocol/policy.ts";
import { configTomlPath } from "./config-toml.ts";
import { editToml } from "./edit-toml.ts";
import { parseTomlFile } from "./parse-toml.ts";

interface ModelChoice {
  /** Undefined takes the key away. */
  readonly model: string | undefined;
  readonly reasoningEffort: ReasoningEffort | undefined;
}

/** Writes the choice into config.toml, into the profile's table where the file names one; all else stays as it is. */
export function persistModel(codexHome: string, { model, reasoningEffort }: ModelChoice): void {
  const file = realFile(configTomlPath(codexHome));
  const text = readText(file) ?? "";
  const { profile } = parseTomlFile(text, file);
  const place = typeof profile === "string" ? ["profiles", profile] : [];
  const changes = [
    { path: [...place, "model"], value: model },
    { path: [...place, "model_reasoning_effort"], value: reasoningEffort },
  ];
  const changed = changes.reduce(editToml, text);
  if (changed !== text) replaceFile(file, changed);
}

/** A link stays one: what it leads to is written. */
function realFile(file: string): string {
  try {
    return realpathSync.native(file);
  } catch (error) {
    if (errorCode(error) === "ENOENT") return file;
    throw new UserError(`Cannot read "${file}": ${explainSystemError(error)}`, { cause: error });
  }
}

function readText(file: string): string | undefined {
  try {
    return readRegularFile(file).toString();
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw new UserError(`Cannot read "${file}": ${explainSystemError(error)}`, { cause: error });
  }
}

/** At no moment is there half a file. */
function replaceFile(file: string, text: string): void {
  const draft = `${file}.${process.pid}.tmp`;
  try {
    const mode = statSync(file, { throwIfNoEntry: false })?.mode ?? 0o600;
    writeFileSync(draft, text, { mode: mode & 0o777, flag: "wx" });
    renameSync(draft, file);
  } catch (error) {
    removeDraft(draft);
    throw new UserError(`Cannot write "${file}": ${explainSystemError(error)}`, { cause: error });
  }
}

function removeDraft(draft: string): void {
  try {
    unlinkSync(draft);
  } catch {
    // it was never made
  }
}
