// Started by build.mjs: runs the bundle in this process and writes what V8 compiled for it.
const { writeFileSync } = require("node:fs");
const path = require("node:path");

const [dist, ...args] = process.argv.slice(2);
const { load, scripts } = require(path.join(dist, "loader.cjs"));

process.on("exit", () => {
  for (const [file, script] of scripts) writeFileSync(`${file}.code`, script.createCachedData());
});

process.argv = [process.execPath, "codex", ...args];
load("main.cjs/0");
