import { readdirSync } from "node:fs";
import path from "node:path";
import { messageOf } from "../lib/errors.ts";
import { log } from "../lib/log.ts";
import type { CustomPrompt } from "../protocol/event.ts";
import { readTextFile } from "./read-file.ts";

/** The user's own prompts, by name; what is no readable UTF-8 text is left out. */
export function readCustomPrompts(codexHome: string): readonly CustomPrompt[] {
  const folder = path.join(codexHome, "prompts");
  return fileNames(folder).flatMap((fileName) => {
    const file = path.join(folder, fileName);
    try {
      const content = readTextFile(file);
      return content === undefined ? [] : [{ name: path.parse(fileName).name, path: file, content }];
    } catch (error) {
      log("warn", "session", `Left out the prompt "${file}": ${messageOf(error)}`);
      return [];
    }
  });
}

function fileNames(folder: string): readonly string[] {
  try {
    const names = readdirSync(folder).filter((name) => path.extname(name).toLowerCase() === ".md");
    return names.sort();
  } catch {
    return []; // most people have no such folder
  }
}
