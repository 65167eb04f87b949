// A small MCP server, written by hand so that it can misbehave. Arguments: the file that gets every line it receives,
// then how it behaves. FAKE_TOOLS holds its tools, as pages.
import { spawn } from "node:child_process";
import { appendFileSync, existsSync, watch, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";

const [log, behaviour = ""] = process.argv.slice(2);
const is = (name) => behaviour.split(" ").includes(name);
const pages = JSON.parse(process.env.FAKE_TOOLS ?? '[[{"name":"echo","inputSchema":{"type":"object"}}]]');
const write = (message) => process.stdout.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
const answers = [];
let onAnswer = () => {};

if (is("exits")) process.exit(3);
process.on("exit", (code) => writeFileSync(`${log}.end`, `${code}`));
if (is("stubborn")) {
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"]) process.on(signal, () => writeFileSync("signal", signal));
  const child = spawn("sleep", ["60"], { stdio: "ignore" });
  writeFileSync("pids", `${process.pid} ${child.pid}`);
  setInterval(() => {}, 1000);
}
if (is("talks")) process.stderr.write("stderr of the server\n");

createInterface({ input: process.stdin }).on("line", async (line) => {
  appendFileSync(log, `${line}\n`);
  const { id, method, params } = JSON.parse(line);
  if (is("noisy")) {
    process.stdout.write('Server listening!\n\n{"half": \n[1, "two", null]\n"text"\n');
    write({ method: "notifications/message", params: { level: "info", data: "hello" } });
    write({ id: 4711, result: {} });
  }
  if (method === "initialize") await initialize(id);
  else if (method === "tools/list") list(id, params);
  else if (method === "tools/call") await call(id, params);
  else if (method === undefined) {
    answers.push(JSON.parse(line));
    onAnswer();
  }
});

// Nothing that JavaScript can make a string of.
const oddError = { code: { toString: 1 }, message: { toString: 1 } };

async function initialize(id) {
  if (is("silent")) return;
  if (is("refuses")) return write({ id, error: { code: -32000, message: "not today" } });
  if (is("refuses-oddly")) return write({ id, error: oddError });
  const partner = /waits-for=(\S+)/.exec(behaviour)?.[1];
  if (partner !== undefined) await appears(partner);
  write({ id, result: { protocolVersion: "2025-06-18", capabilities: { tools: {} }, serverInfo: { name: "fake" } } });
}

/** Until another server has received something. */
function appears(file) {
  return new Promise((resolve) => {
    const look = () => {
      if (!existsSync(file)) return;
      watcher.close();
      resolve();
    };
    const watcher = watch(".", look);
    look();
  });
}

function list(id, params) {
  const page = Number(params?.cursor ?? 0);
  const next = is("endless") ? 0 : page + 1;
  write({ id, result: { tools: pages[page], ...(next < pages.length ? { nextCursor: String(next) } : {}) } });
}

async function call(id, { name, arguments: args }) {
  const text = (content) => write({ id, result: { content: [{ type: "text", text: content }] } });
  switch (name) {
    case "structured":
      return write({ id, result: { content: [{ type: "text", text: "42" }], structuredContent: { answer: 42 } } });
    case "failing":
      return write({ id, result: { content: [{ type: "text", text: "no such city" }], isError: true } });
    case "rpcerr":
      return write({ id, error: { code: -32000, message: "kaput" } });
    case "odd-error":
      return write({ id, error: oddError });
    case "deep": {
      const deep = `${'{"a":'.repeat(20_000)}1${"}".repeat(20_000)}`;
      const result = `{"content":[{"type":"text","text":"x","_meta":${deep}}],"structuredContent":{}}`;
      return process.stdout.write(`{"jsonrpc":"2.0","id":${id},"result":${result}}\n`);
    }
    case "exit":
      return process.exit(7);
    case "last-words":
      return process.stdout.write(
        `${JSON.stringify({ jsonrpc: "2.0", id, result: { content: [{ type: "text", text: "bye" }] } })}\n`,
        () => process.exit(0),
      );
    case "no-newline": {
      const json = JSON.stringify({ jsonrpc: "2.0", id, result: { content: [{ type: "text", text: "caf?" }] } });
      return process.stdout.write(Buffer.from(json.replace("?", "\xe9"), "latin1"), () => process.exit(0));
    }
    case "never":
      return;
    case "big":
      return text("x".repeat(10_000_000));
    case "lines":
      return text(Array.from({ length: 400 }, (_, index) => `${index}`).join("\n"));
    case "env":
      return text(JSON.stringify(process.env));
    case "where":
      return text(process.cwd());
    case "endless-line":
      setInterval(() => process.stdout.write("x".repeat(1_000_000)), 1);
      return;
    case "ask": {
      write({ id: "a", method: "ping" });
      write({ id: 2, method: "roots/list" });
      write({ id: 3, method: "elicitation/create", params: { message: "?", requestedSchema: {} } });
      await new Promise((resolve) => {
        onAnswer = () => answers.length === 3 && resolve();
      });
      return text(JSON.stringify(answers));
    }
    default:
      return text(`you said ${args?.msg}`);
  }
}
