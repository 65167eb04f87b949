// Started by build.mjs: keeps the help texts, then runs the bundle in this process and writes what V8 compiled for it.
const { writeFileSync } = require("node:fs");
const path = require("node:path");

const [dist, programChunk, ...args] = process.argv.slice(2);
const { load, scripts } = require(path.join(dist, "loader.cjs"));

process.on("exit", () => {
  for (const [file, script] of scripts) writeFileSync(`${file}.code`, script.createCachedData());
});

// The task ends the process, so the help comes first.
const program = load(programChunk);
const help = program.buildProgram(program.noActions);
for (const command of [help, ...help.commands]) {
  const file = path.join(dist, "assets", `help-${command.name()}.txt`);
  if (command.name() === "codex" || command.name() === "exec") writeFileSync(file, command.helpInformation());
}
process.argv = [process.execPath, "codex", ...args];
load("main.cjs");
