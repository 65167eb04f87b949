#!/usr/bin/env node
// `npm run demo`: the real `codex exec` on a copy of demo/sample, whose test fails. The model's side is the recording
// beside this file; commands, sandbox, patch and test are real. Needs no key and no network.
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";

const here = import.meta.dirname;
const codex = path.join(here, "../bin/codex.js");
const prompt = "The tests fail. Find out why, mend it, and show that they pass.";

const root = mkdtempSync(path.join(os.tmpdir(), "codex-demo-"));
const work = path.join(root, "shopping-cart");
const home = path.join(root, "home");
cpSync(path.join(here, "sample"), work, { recursive: true });
mkdirSync(home);
const env = { ...process.env, HOME: root, CODEX_HOME: home }; // nobody's own profile or settings

function run(args, options = {}) {
  return spawnSync(process.execPath, args, { cwd: work, env, stdio: "inherit", ...options });
}

/** Whether commands can be sandboxed here: a run that calls nothing fails at its start where they cannot. */
function hasSandbox() {
  const empty = path.join(root, "empty.jsonl");
  const lines = [{ type: "recording", version: 1 }, { type: "request" }, { type: "completed", usage: null }];
  writeFileSync(empty, lines.map((line) => JSON.stringify(line)).join("\n"));
  const args = [codex, "exec", "--full-auto", "--skip-git-repo-check", "--replay", empty, "hello"];
  return run(args, { stdio: "ignore" }).status === 0;
}

let status = 1;
try {
  if (spawnSync("git", ["init", "-q", work]).status !== 0) throw new Error("git is needed: install it and try again.");
  const mode = hasSandbox() ? "--full-auto" : "--dangerously-bypass-approvals-and-sandbox";
  if (mode !== "--full-auto")
    console.error("No sandbox here: going on without one, since the demo's commands are known.");
  const shown = `codex exec ${mode} --replay demo/recording.jsonl "${prompt}"`;
  console.error(`$ ${shown}\n`);
  const args = ["exec", mode, "-m", "recording", "--replay", path.join(here, "recording.jsonl"), prompt];
  const agent = run([codex, ...args], { stdio: ["ignore", "inherit", "inherit"] });
  const check = run(["--test"], { stdio: "ignore" });
  status = agent.status === 0 && check.status === 0 ? 0 : 1;
  console.error(
    status === 0
      ? `\nThe sample's own test passes now. The model's side was a recording; everything else was real.`
      : `\nThe demo failed: codex ended with ${agent.status}, the sample's test with ${check.status}.`,
  );
} catch (error) {
  console.error(`Error: ${error.message}`);
} finally {
  rmSync(root, { recursive: true, force: true });
}
process.exitCode = status;
