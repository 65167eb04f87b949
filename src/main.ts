import { readFileSync, writeSync } from "node:fs";
import path from "node:path";
import { programFile } from "./assets.ts";
import { currentFolder } from "./cli/current-folder.ts";
import { writeStdout } from "./cli/write-stdout.ts";
import { messageOf, UserError } from "./lib/errors.ts";
import { version } from "./version.ts";

/** Argv in, exit status out: the only place that ends the process. */
async function main(program: string, args: readonly string[]): Promise<number> {
  try {
    return await start(program, args);
  } catch (error) {
    if (error instanceof UserError) {
      const { errorText } = await import("./cli/error-text.ts");
      writeError(errorText(error));
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
  const { status, stdout, stderr } = runApplyPatchProgram(args, currentFolder());
  writeError(stderr);
  return writeStdout(stdout) || status;
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

async function start(program: string, args: readonly string[]): Promise<number> {
  if (args.length === 1 && (args[0] === "--version" || args[0] === "-V")) {
    return writeStdout(`codex-cli ${version}\n`); // before anything is loaded
  }
  const help = helpText(args);
  if (help !== undefined) return writeStdout(help);
  if (program === "apply_patch" || program === "applypatch") return applyPatchProgram(args);
  if (args[0] === "apply_patch") return applyPatchProgram(args.slice(1));
  const { runProgram } = await import("./cli/program.ts");
  return runProgram(args);
}

process.on("uncaughtException", (error) => {
  writeError(`Error: internal error: ${process.env["CODEX_LOG"] === undefined ? error.message : error.stack}\n`);
  process.exit(1);
});

void main(path.basename(process.argv[1] ?? ""), process.argv.slice(2)).then((status) => process.exit(status));
