import { cpSync, mkdirSync } from "node:fs";
import path from "node:path";
import { codexBinary } from "./run-codex.ts";
import type { Workspace } from "./workspace.ts";

const project = path.resolve(path.dirname(codexBinary), "..");
const folder = "node_modules/codex-headless";

/** The program that `install` leaves. */
export const installedBinary = `${folder}/bin/codex.js`;

/** As `npm install` in a project leaves it: all of it below a folder that commands may write. Returns its dist folder. */
export function install({ work }: Pick<Workspace, "work">): string {
  const target = path.join(work, folder);
  mkdirSync(target, { recursive: true });
  for (const name of ["bin", "dist", "package.json"])
    cpSync(path.join(project, name), path.join(target, name), { recursive: true });
  const scope = path.join(work, "node_modules/@koromix");
  cpSync(path.join(project, "node_modules/@koromix"), scope, { recursive: true });
  return path.join(target, "dist");
}
