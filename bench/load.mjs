#!/usr/bin/env node
// What much output and many deltas cost `codex exec`: time and CPU beyond a run with one short answer, and peak memory.
//
//   node bench/load.mjs [ROUNDS]        (Linux: reads /proc)
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import os from "node:os";
import path from "node:path";

const rounds = Number(process.argv[2] ?? 5);
const codex = path.resolve(import.meta.dirname, "../bin/codex.js");
const root = mkdtempSync(path.join(os.tmpdir(), "codex-bench-"));
const work = path.join(root, "work");
mkdirSync(path.join(work, ".git"), { recursive: true });

const message = (text) => ({ type: "message", role: "assistant", content: [{ type: "output_text", text }] });
const command = {
  command: ["bash", "-c", "yes 0123456789abcdefghijklmnopqrstuv | head -c 50000000"],
  timeout_ms: 60_000,
};
const call = { type: "function_call", call_id: "1", name: "shell", arguments: JSON.stringify(command) };
const deltas = Array(50_000).fill("abc ");
const scripts = {
  "one answer": [{ item: message("Hi.") }],
  "50 MB of output": [{ item: call }, { item: message("Hi.") }],
  "50,000 deltas": [{ item: message(deltas.join("")), deltas }],
};

let script = [];
let requestBytes = 0;
const server = http.createServer((request, response) => {
  let size = 0;
  request.on("data", (chunk) => {
    size += chunk.length;
  });
  request.on("end", async () => {
    requestBytes ||= size;
    const { item, deltas = [] } = script.shift();
    response.writeHead(200, { "content-type": "text/event-stream" });
    const send = (event) => response.write(`data: ${JSON.stringify(event)}\n\n`);
    for (const delta of deltas) {
      if (!send({ type: "response.output_text.delta", delta })) await once(response, "drain");
    }
    send({ type: "response.output_item.done", item });
    send({ type: "response.completed", response: { id: "r" } });
    response.end();
  });
});
server.listen(0, "127.0.0.1");
await once(server, "listening");
writeFileSync(
  path.join(root, "config.toml"),
  `model = "mock"\nmodel_provider = "mock"\n[model_providers.mock]\nname = "mock"\nwire_api = "responses"\nbase_url = "http://127.0.0.1:${server.address().port}/v1"\n`,
);

async function measure(name, args) {
  script = [...scripts[name]];
  const started = performance.now();
  const child = spawn(process.execPath, [codex, "exec", "-s", "workspace-write", ...args, "hi"], {
    cwd: work,
    env: { PATH: process.env.PATH, HOME: root, CODEX_HOME: root, TERM: "dumb" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  child.stdout.resume();
  child.stderr.resume();
  let rssMb = 0;
  let cpuMs = 0;
  const look = () => {
    try {
      const status = readFileSync(`/proc/${child.pid}/status`, "utf8");
      rssMb = Math.max(rssMb, Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024);
      const fields = readFileSync(`/proc/${child.pid}/stat`, "utf8").split(") ")[1].split(" ");
      cpuMs = Math.max(cpuMs, (Number(fields[11]) + Number(fields[12])) * 10);
    } catch {
      // it has ended
    }
  };
  const timer = setInterval(look, 5);
  const [status] = await once(child, "close");
  clearInterval(timer);
  if (status !== 0) throw new Error(`${name} ended with ${status}`);
  return { wallMs: performance.now() - started, cpuMs, rssMb };
}

const rows = Object.keys(scripts).flatMap((name) => [
  { name, mode: "human", args: [], samples: [] },
  { name, mode: "--json", args: ["--json"], samples: [] },
]);
for (let round = 0; round < rounds; round += 1) {
  for (const row of rows) row.samples.push(await measure(row.name, row.args));
}
server.close();
server.closeAllConnections();
rmSync(root, { recursive: true, force: true });

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
const of = (row, key) => median(row.samples.map((sample) => sample[key]));
console.log(`First request: ${requestBytes} bytes. Medians of ${rounds} rounds.\n`);
console.log("what              output    wall above one answer   CPU above   peak RSS");
for (const row of rows) {
  const base = rows.find((other) => other.name === "one answer" && other.mode === row.mode);
  const columns = [
    `${(of(row, "wallMs") - of(base, "wallMs")).toFixed(0)} ms`.padStart(22),
    `${of(row, "cpuMs") - of(base, "cpuMs")} ms`.padStart(12),
    `${of(row, "rssMb").toFixed(0)} MB`.padStart(11),
  ];
  console.log(`${row.name.padEnd(18)}${row.mode.padEnd(8)}${columns.join("")}`);
}
