#!/usr/bin/env node
// What old sessions cost: the first page of a list of 10,000, the last of them found by id, and how long it takes to go
// on with a session of 1,000 turns, each beyond a start that has none, in turns in one run.
//
//   node bench/sessions.mjs [ROUNDS]
//
// Exit status 1 when the first page takes more than 150 ms beyond the start.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";

const rounds = Number(process.argv[2] ?? 15);
const codex = path.resolve(import.meta.dirname, "../bin/codex.js");
const root = mkdtempSync(path.join(os.tmpdir(), "codex-bench-"));
const work = path.join(root, "work");
const homes = Object.fromEntries(["none", "many", "long"].map((name) => [name, path.join(root, name)]));
for (const folder of [work, ...Object.values(homes)]) mkdirSync(folder);
const firstPageBudgetMs = 150;

const idOf = (number) => `00000000-0000-4000-8000-${String(number).padStart(12, "0")}`;
const line = (timestamp, type, payload) => `${JSON.stringify({ timestamp, type, payload })}\n`;
const message = (role, type, text) => ({ type: "message", role, content: [{ type, text }] });

/** One turn as a run writes it: prompt, settings, thought, a command with 2 kB of output, an answer. */
function turn(timestamp, number) {
  const usage = {
    input_tokens: 9,
    cached_input_tokens: 0,
    output_tokens: 9,
    reasoning_output_tokens: 0,
    total_tokens: 18,
  };
  const info = { total_token_usage: usage, last_token_usage: usage, model_context_window: null };
  const args = JSON.stringify({ command: ["bash", "-lc", `ls ${number}`] });
  const output = JSON.stringify({
    output: "a line of output\n".repeat(120),
    metadata: { exit_code: 0, duration_seconds: 0 },
  });
  const policy = { approval_policy: "never", sandbox_policy: { mode: "read-only" } };
  return [
    line(timestamp, "response_item", message("user", "input_text", `task ${number}`)),
    line(timestamp, "event_msg", { type: "user_message", message: `task ${number}`, kind: "plain" }),
    line(timestamp, "turn_context", { cwd: work, ...policy, model: "mock", effort: "medium", summary: "auto" }),
    line(timestamp, "event_msg", { type: "agent_reasoning", text: "**Think**" }),
    line(timestamp, "response_item", {
      type: "reasoning",
      summary: [],
      content: null,
      encrypted_content: "x".repeat(600),
    }),
    line(timestamp, "response_item", {
      type: "function_call",
      name: "shell",
      arguments: args,
      call_id: `call_${number}`,
    }),
    line(timestamp, "response_item", { type: "function_call_output", call_id: `call_${number}`, output }),
    line(timestamp, "event_msg", { type: "token_count", info }),
    line(timestamp, "event_msg", { type: "agent_message", message: "It is done.".repeat(20) }),
    line(timestamp, "response_item", message("assistant", "output_text", "It is done.".repeat(20))),
    line(timestamp, "event_msg", { type: "token_count", info }),
  ].join("");
}

function writeSession(home, { number, start, turns }) {
  const timestamp = start.toISOString();
  const [day, time] = timestamp.slice(0, 19).split("T");
  const folder = path.join(home, "sessions", ...day.split("-"));
  mkdirSync(folder, { recursive: true });
  const id = idOf(number);
  const file = path.join(folder, `rollout-${day}T${time.replaceAll(":", "-")}-${id}.jsonl`);
  const meta = { id, timestamp, cwd: work, originator: "codex_cli_rs", cli_version: "0.34.1", instructions: null };
  const rest = Array.from({ length: turns }, (_, index) => turn(timestamp, index));
  writeFileSync(file, line(timestamp, "session_meta", meta) + rest.join(""));
  return file;
}

const newest = Date.UTC(2025, 8, 12);
for (let number = 0; number < 10_000; number += 1) {
  writeSession(homes.many, { number, start: new Date(newest - number * 600_000), turns: 1 });
}
const long = writeSession(homes.long, { number: 0, start: new Date(newest), turns: 1_000 });

/** Milliseconds until the process has ended, or until it has printed its first line. */
async function time(home, args, { untilLine = false } = {}) {
  const started = performance.now();
  const child = spawn(process.execPath, args, {
    cwd: work,
    env: { PATH: process.env.PATH, HOME: root, CODEX_HOME: home, TERM: "dumb", TZ: "UTC", OPENAI_API_KEY: "x" },
    stdio: ["pipe", "pipe", "ignore"],
  });
  let firstLine = Number.NaN;
  child.stdout.on("data", (bytes) => {
    if (!Number.isNaN(firstLine) || !bytes.includes("\n")) return;
    firstLine = performance.now() - started;
    child.stdin.end();
  });
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error(`${args.join(" ")} ended with status ${code}`);
  return untilLine ? firstLine : performance.now() - started;
}

const read = `const text = require("node:fs").readFileSync(${JSON.stringify(long)}, "utf8"); console.log(text.length);`;
const parse = `for (const line of require("node:fs").readFileSync(${JSON.stringify(long)}, "utf8").split("\\n")) if (line) JSON.parse(line); console.log(1);`;
const runs = {
  "empty node": () => time(homes.none, ["-e", ""]),
  "list, no session": () => time(homes.none, [codex, "sessions", "list", "--json"]),
  "list, 10,000 sessions": () => time(homes.many, [codex, "sessions", "list", "--json"]),
  "show the oldest of 10,000": () => time(homes.many, [codex, "sessions", "show", "--json", idOf(9_999)]),
  "proto, new session": () => time(homes.none, [codex, "proto", "--ephemeral"], { untilLine: true }),
  "proto --resume, 1,000 turns": () => time(homes.long, [codex, "proto", "--resume", idOf(0)], { untilLine: true }),
  "proto --last of 10,000": () => time(homes.many, [codex, "proto", "--last"], { untilLine: true }),
  "node reads that file": () => time(homes.none, ["-e", read]),
  "node reads and parses it": () => time(homes.none, ["-e", parse]),
};
const times = Object.fromEntries(Object.keys(runs).map((name) => [name, []]));
for (let round = 0; round < rounds; round += 1) {
  for (const [name, run] of Object.entries(runs)) times[name].push(await run());
}
const median = (name) => times[name].sort((one, other) => one - other)[Math.floor(rounds / 2)];
for (const name of Object.keys(runs)) console.log(`${name.padEnd(30)} ${median(name).toFixed(1)} ms`);

const firstPage = median("list, 10,000 sessions") - median("list, no session");
const resume = median("proto --resume, 1,000 turns") - median("proto, new session");
const reading = median("node reads that file") - median("empty node");
const parsing = median("node reads and parses it") - median("empty node");
const megabytes = (readFileSync(long).length / 1e6).toFixed(1);
console.log(`\nfirst page of 10,000 beyond the start: ${firstPage.toFixed(1)} ms (budget ${firstPageBudgetMs})`);
console.log(`going on with 1,000 turns (${megabytes} MB) beyond a start: ${resume.toFixed(1)} ms`);
console.log(
  `  ${(resume / reading).toFixed(2)} × reading the file, ${(resume / parsing).toFixed(2)} × reading and parsing it`,
);
rmSync(root, { recursive: true, force: true });
process.exitCode = firstPage > firstPageBudgetMs ? 1 : 0;
