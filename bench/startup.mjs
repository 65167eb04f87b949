#!/usr/bin/env node
// Start-up as ratios against an empty Node process, taken in turns in one run, because machines are noisy and differ.
//
//   npm run bench [-- ROUNDS]
//
// Exit status 1 when a median is above its budget.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import os from "node:os";
import path from "node:path";

const rounds = Number(process.argv[2] ?? 25);
const codex = path.resolve(import.meta.dirname, "../bin/codex.js");
const root = mkdtempSync(path.join(os.tmpdir(), "codex-bench-"));
const home = path.join(root, "home");
const work = path.join(root, "work");
const empty = path.join(root, "empty.cjs");
mkdirSync(home);
mkdirSync(path.join(work, ".git"), { recursive: true });
writeFileSync(empty, "");

let requested = () => {};
const server = http.createServer((request, response) => {
  requested();
  request.resume().on("end", () => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    const item = { type: "message", role: "assistant", content: [{ type: "output_text", text: "Hi." }] };
    for (const event of [
      { type: "response.output_text.delta", delta: "Hi." },
      { type: "response.output_item.done", item },
      { type: "response.completed", response: { id: "r" } },
    ]) {
      response.write(`data: ${JSON.stringify(event)}\n\n`);
    }
    response.end();
  });
});
server.listen(0, "127.0.0.1");
await once(server, "listening");
writeFileSync(
  path.join(home, "config.toml"),
  `model = "mock"\nmodel_provider = "mock"\n[model_providers.mock]\nname = "mock"\nwire_api = "responses"\nbase_url = "http://127.0.0.1:${server.address().port}/v1"\n`,
);

/** Milliseconds until the process has ended, until its first request to the model, and until it first prints. */
async function time(args, input) {
  const started = performance.now();
  let requestMs = Number.NaN;
  let firstByteMs = Number.NaN;
  requested = () => {
    requestMs = performance.now() - started;
  };
  const child = spawn(process.execPath, args, {
    cwd: work,
    env: { PATH: process.env.PATH, HOME: root, CODEX_HOME: home, TERM: "dumb" },
    stdio: [input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
  });
  child.stdout.on("data", () => {
    firstByteMs ||= performance.now() - started;
  });
  child.stdin?.end(input);
  let errors = "";
  child.stderr.on("data", (text) => {
    errors += text;
  });
  const [status] = await once(child, "close");
  if (status !== 0) throw new Error(`${args.join(" ")} ended with ${status}: ${errors}`);
  return { endMs: performance.now() - started, requestMs, firstByteMs };
}

const clientInfo = { name: "bench", version: "1" };
const questions = [
  { id: 1, method: "initialize", params: { protocolVersion: "2025-06-18", capabilities: {}, clientInfo } },
  { id: 2, method: "tools/list" },
]
  .map((message) => `${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`)
  .join("");
const exec = (mode) => [codex, "exec", "-s", mode, "hi"];
const rows = [
  { name: "empty node", run: async () => (await time([empty])).endMs },
  { name: "codex --version", budget: 1.25, run: async () => (await time([codex, "--version"])).endMs },
  { name: "codex --help", budget: 1.25, run: async () => (await time([codex, "--help"])).endMs },
  { name: "codex exec --help", budget: 1.25, run: async () => (await time([codex, "exec", "--help"])).endMs },
  { name: "exec to its first request", budget: 2.2, run: async () => (await time(exec("workspace-write"))).requestMs },
  { name: "exec, one answer", budget: 2.2, run: async () => (await time(exec("workspace-write"))).endMs },
  { name: "proto to its first event", budget: 2.2, run: async () => (await time([codex, "proto"])).firstByteMs },
  { name: "mcp to tools/list", budget: 2, run: async () => (await time([codex, "mcp"], questions)).firstByteMs },
  { name: "the same without a sandbox", run: async () => (await time(exec("danger-full-access"))).endMs },
].map((row) => ({ ...row, samples: [] }));

for (let round = 0; round < rounds + 2; round += 1) {
  for (const row of rows) {
    const ms = await row.run();
    if (round >= 2) row.samples.push(ms); // the first rounds warm the file cache
  }
}
server.close();
server.closeAllConnections();
rmSync(root, { recursive: true, force: true });

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
const base = rows[0].samples;
console.log(`Node ${process.versions.node}, ${rounds} rounds; ratios are medians of each round's own ratio.\n`);
console.log("what                            median ms   ratio   budget");
for (const row of rows) {
  const ratio = median(row.samples.map((ms, round) => ms / base[round]));
  const over = row.budget !== undefined && ratio > row.budget;
  if (over) process.exitCode = 1;
  const budget = row.budget === undefined ? "" : `${row.budget.toFixed(2)}${over ? "  OVER" : ""}`;
  console.log(
    `${row.name.padEnd(30)}${median(row.samples).toFixed(1).padStart(11)}${ratio.toFixed(2).padStart(8)}   ${budget}`,
  );
}
