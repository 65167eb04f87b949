#!/usr/bin/env node
// What the sandbox costs a command, in turns in one run, because machines are noisy and differ.
//
//   node bench/sandbox.mjs [ROUNDS]        (Linux; needs a build. Rows without a backend on this machine are left out.)
//
// Exit status 1 when ten commands in a row inside of `codex exec` cost more than 8 ms each beyond ten plain spawns.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import http from "node:http";
import os from "node:os";
import path from "node:path";
import { build } from "esbuild";

const rounds = Number(process.argv[2] ?? 25);
const budgetMs = 8;
const commands = 10;
const project = path.resolve(import.meta.dirname, "..");
const codex = path.join(project, "bin/codex.js");
// Not below the system's temporary folder: our own files there would be copied first, since commands may write it.
const root = mkdtempSync("/var/tmp/codex-bench-");
const work = path.join(root, "work");
mkdirSync(path.join(work, ".git"), { recursive: true });
const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

// The parts of the program that run commands, built as the product is.
symlinkSync(path.join(project, "node_modules"), path.join(root, "node_modules"));
await build({
  stdin: {
    contents: `export { runCommand } from "./src/process/run-command.ts"; export { prepareSandbox } from "./src/process/sandbox.ts";`,
    resolveDir: project,
  },
  outfile: path.join(root, "run.cjs"),
  bundle: true,
  format: "cjs",
  platform: "node",
  target: "node20",
  logLevel: "warning",
});
const { runCommand, prepareSandbox } = await import(path.join(root, "run.cjs"));

function sandbox(mode, linuxSandbox, options = {}) {
  const policy = {
    mode,
    writable_roots: [],
    network_access: false,
    exclude_tmpdir_env_var: true,
    exclude_slash_tmp: true,
  };
  const helperPath = path.join(project, "dist/sandbox-helper.cjs");
  try {
    return prepareSandbox(policy, { cwd: work, env: process.env, helperPath, linuxSandbox, ...options });
  } catch (error) {
    console.error(`Left out: ${error.message.split("\n")[0]}`);
    return undefined;
  }
}

async function runTrue(box) {
  const started = performance.now();
  const signal = new AbortController().signal;
  const request = { argv: ["/bin/true"], cwd: work, env: {}, timeoutMs: undefined, signal, sandbox: box };
  const outcome = await runCommand(request);
  if (outcome.exitCode !== 0) throw new Error(JSON.stringify(outcome));
  return performance.now() - started;
}

async function spawnTrue() {
  const started = performance.now();
  const child = spawn("/bin/true", { cwd: work, env: {}, stdio: ["ignore", "pipe", "pipe"] });
  child.stdout.resume();
  child.stderr.resume();
  await once(child, "close");
  return performance.now() - started;
}

const aheadMs = 120; // longer than a helper takes to be ready
const landlock = sandbox("workspace-write", "landlock");
const landlockByNode = sandbox("workspace-write", "landlock", { perl: "/nowhere/perl" });
const bubblewrap = sandbox("workspace-write", "bwrap");
const single = [
  { name: "plain spawn of /bin/true", run: spawnTrue },
  { name: "without a sandbox", run: (box) => runTrue(box), box: sandbox("danger-full-access") },
  { name: "Landlock, by perl", run: (box) => runTrue(box), box: landlock },
  { name: "Landlock, by a Node started for it", run: (box) => runTrue(box), box: landlockByNode },
  {
    name: "Landlock, by a Node that waits",
    run: async (box) => {
      box.warmUp();
      await new Promise((resolve) => setTimeout(resolve, aheadMs));
      return runTrue(box);
    },
    box: landlockByNode,
  },
  { name: "bubblewrap", run: (box) => runTrue(box), box: bubblewrap },
];

let script = [];
let gaps = [];
let answeredAt = 0;
const server = http.createServer((request, response) => {
  const arrived = performance.now();
  request.resume().on("end", () => {
    if (answeredAt > 0) gaps.push(arrived - answeredAt);
    const sentAt = performance.now();
    response.writeHead(200, { "content-type": "text/event-stream" });
    for (const event of [
      { type: "response.output_item.done", item: script.shift() },
      { type: "response.completed", response: { id: "r" } },
    ]) {
      response.write(`data: ${JSON.stringify(event)}\n\n`);
    }
    response.end();
    answeredAt = sentAt;
  });
});
server.listen(0, "127.0.0.1");
await once(server, "listening");
writeFileSync(
  path.join(root, "config.toml"),
  `model = "mock"\nmodel_provider = "mock"\n[model_providers.mock]\nname = "mock"\nwire_api = "responses"\nbase_url = "http://127.0.0.1:${server.address().port}/v1"\n`,
);

/**
 * Milliseconds that each of ten commands takes: itself, as its event says, and from the model's call to the request
 * with its output, which includes our own work on both.
 */
async function runExec(args) {
  const call = { type: "function_call", name: "shell", arguments: JSON.stringify({ command: ["/bin/true"] }) };
  const calls = Array.from({ length: commands }, (_, index) => ({ ...call, call_id: String(index) }));
  script = [...calls, { type: "message", role: "assistant", content: [{ type: "output_text", text: "Hi." }] }];
  gaps = [];
  answeredAt = 0;
  const child = spawn(process.execPath, [codex, "exec", "--json", ...args, "hi"], {
    cwd: work,
    env: { PATH: process.env.PATH, HOME: root, CODEX_HOME: root, TERM: "dumb" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  let errors = "";
  child.stdout.on("data", (text) => {
    output += text;
  });
  child.stderr.on("data", (text) => {
    errors += text;
  });
  const [status] = await once(child, "close");
  if (status !== 0 || gaps.length !== commands) throw new Error(`${args.join(" ")} ended with ${status}: ${errors}`);
  const messages = output
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line).msg);
  const ends = messages.filter((msg) => msg?.type === "exec_command_end");
  const own = ends.map(({ duration }) => duration.secs * 1000 + duration.nanos / 1e6);
  return { ms: median(own), turnMs: median(gaps) };
}

async function spawnTen() {
  const each = [];
  for (let index = 0; index < commands; index += 1) each.push(await spawnTrue());
  return { ms: median(each), turnMs: median(each) };
}

const inExec = [
  { name: "ten plain spawns", run: spawnTen },
  { name: "exec, danger-full-access", run: () => runExec(["-s", "danger-full-access"]) },
  { name: "exec --full-auto, Landlock", run: () => runExec(["--full-auto"]), box: landlock, hasBudget: true },
  {
    name: "exec --full-auto, bubblewrap",
    run: () => runExec(["--full-auto", "-c", "linux_sandbox=bwrap"]),
    box: bubblewrap,
  },
];

const isThere = (row) => !("box" in row) || row.box !== undefined;
const [singles, execs] = [single, inExec].map((rows) => rows.filter(isThere).map((row) => ({ ...row, samples: [] })));
for (let round = 0; round < rounds + 2; round += 1) {
  for (const row of singles) {
    const ms = await row.run(row.box);
    if (round >= 2) row.samples.push(ms); // the first rounds warm the file cache
  }
  // A whole run each, so fewer of them.
  for (const row of round % 3 === 0 ? execs : []) {
    const ms = await row.run();
    if (round >= 2) row.samples.push(ms);
  }
}
for (const { box } of single) box?.close();
server.close();
server.closeAllConnections();
rmSync(root, { recursive: true, force: true });

console.log(`Node ${process.versions.node}, ${os.cpus().length} processors, ${rounds} rounds; medians.\n`);
console.log("one command                       median ms   ratio to a plain spawn");
const ratioTo = (row, base) => median(row.samples.map((ms, round) => ms / base.samples[round]));
for (const row of singles) {
  const ratio = ratioTo(row, singles[0]).toFixed(1);
  console.log(`${row.name.padEnd(34)}${median(row.samples).toFixed(1).padStart(9)}${ratio.padStart(8)}`);
}
console.log(`\n${commands} in a row, for each            median ms   beyond a plain spawn   with our work around it`);
for (const row of execs) {
  const beyond = (key) => median(row.samples.map((sample, round) => sample[key] - execs[0].samples[round].ms));
  const isOver = row.hasBudget === true && beyond("ms") > budgetMs;
  if (isOver) process.exitCode = 1;
  const columns = [
    median(row.samples.map(({ ms }) => ms))
      .toFixed(1)
      .padStart(9),
    beyond("ms").toFixed(1).padStart(23),
    beyond("turnMs").toFixed(1).padStart(26),
  ];
  const budget = row.hasBudget === true ? `   budget ${budgetMs}${isOver ? "  OVER" : ""}` : "";
  console.log(`${row.name.padEnd(34)}${columns.join("")}${budget}`);
}
