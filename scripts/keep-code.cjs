// Started by build.mjs: runs the bundle in this process and writes what V8 compiled for each chunk beside it.
const { writeFileSync } = require("node:fs");
const path = require("node:path");

const [dist, programChunk] = process.argv.slice(2);
const { load, scripts } = require(path.join(dist, "loader.cjs"));

process.on("exit", () => {
  for (const [file, script] of scripts) writeFileSync(`${file}.code`, script.createCachedData());
});

// Help first, so that its code is kept too; the task then ends the process.
const program = load(programChunk);
const help = program.buildProgram(program.noActions);
for (const command of [help, ...help.commands]) command.helpInformation();
process.argv = [process.execPath, "codex", "exec", "--skip-git-repo-check", "--full-auto", "build"];
load("main.cjs");
