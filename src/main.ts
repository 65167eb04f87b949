import { readFileSync, writeSync } from "node:fs";
import path from "node:path";
import { programFile } from "./assets.ts";
import { messageOf, UserError } from "./lib/errors.ts";
import { version } from "./version.ts";

/** Argv in, exit status out: the only place that ends the process. */
async function main(args: readonly string[]): Promise<number> {
  const { runProgram } = await import("./cli/program.ts");
  try {
    return await runProgram(args);
  } catch (error) {
    if (error instanceof UserError) {
      const message = error.message.trimEnd();
      writeError(`${message.startsWith("Error ") ? "" : "Error: "}${message}\n`); // some texts of the reference say it themselves
      return error.exitCode;
    }
    const detail = process.env["CODEX_LOG"] === undefined || !(error instanceof Error) ? messageOf(error) : error.stack;
    writeError(`Error: internal error: ${detail}\n`);
    return 1;
  }
}

function writeError(text: string): void {
  try {
    writeSync(2, text);
  } catch {
    // nobody reads stderr any more; the exit status still tells
  }
}

/** Some programs find `apply_patch` under its own name: a link to this one, or the first argument. */
async function applyPatchProgram(args: readonly string[]): Promise<number> {
  const { runApplyPatchProgram } = await import("./tools/apply-patch-program.ts");
  const { status, stdout, stderr } = runApplyPatchProgram(args, process.cwd());
  writeSync(1, stdout);
  writeError(stderr);
  return status;
}

/** The build has asked the program for its help already; anything unusual is left to the program itself. */
function helpText(args: readonly string[]): string | undefined {
  const name = { "--help": "codex", "-h": "codex", "exec --help": "exec", "exec -h": "exec" }[args.join(" ")];
  if (name === undefined) return undefined;
  try {
    return readFileSync(programFile(`assets/help-${name}.txt`), "utf8");
  } catch {
    return undefined;
  }
}

function start(program: string, args: readonly string[]): Promise<number> | number {
  if (args.length === 1 && (args[0] === "--version" || args[0] === "-V")) {
    writeSync(1, `codex-cli ${version}\n`); // before anything is loaded
    return 0;
  }
  const help = helpText(args);
  if (help !== undefined) {
    writeSync(1, help);
    return 0;
  }
  if (program === "apply_patch" || program === "applypatch") return applyPatchProgram(args);
  if (args[0] === "apply_patch") return applyPatchProgram(args.slice(1));
  return main(args);
}

void Promise.resolve(start(path.basename(process.argv[1] ?? ""), process.argv.slice(2))).then((status) =>
  process.exit(status),
);
