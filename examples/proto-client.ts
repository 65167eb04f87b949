// A client of `codex proto`: asks one question, prints the answer as it comes, and lets only `ls` run unasked.
//
//   node examples/proto-client.ts "Why does the build fail?"                     (Node 22.18 or newer)
//   npx esbuild examples/proto-client.ts --format=esm | node --input-type=module - "Why does the build fail?"
// CODEX names another program than the one on your path.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Event, Op } from "../schema/proto.d.ts"; // in a project of yours: "codex-headless/schema/proto.d.ts"

const question = process.argv[2];
if (question === undefined || process.argv.length > 3) {
  process.stderr.write('Usage: proto-client.ts "QUESTION"\n');
  process.exit(2);
}
const [program = "codex", ...words] = (process.env["CODEX"] ?? "codex").split(" ");
const env = { CODEX_LOG: "error", ...process.env };
const codex = spawn(program, [...words, "proto"], { stdio: ["pipe", "pipe", "inherit"], env });
codex.on("error", ({ message }) => {
  process.stderr.write(`Cannot start "${program}": ${message}. Put codex on your path, or name it in CODEX.\n`);
  process.exit(1);
});
codex.stdin.on("error", () => {}); // a codex that is gone has said why
const submit = (id: string, op: Op) => codex.stdin.write(`${JSON.stringify({ id, op })}\n`);

submit("question", { type: "user_input", items: [{ type: "text", text: question }] });
process.exitCode = 1;
let hasFailed = false;
for await (const line of createInterface({ input: codex.stdout })) {
  const { id, msg } = JSON.parse(line) as Event;
  switch (msg.type) {
    case "agent_message_delta":
      process.stdout.write(msg.delta);
      break;
    case "agent_message":
      process.stdout.write("\n");
      break;
    case "exec_command_begin":
      process.stderr.write(`$ ${JSON.stringify(msg.command)}\n`);
      break;
    case "exec_approval_request": {
      const decision = msg.command[0] === "ls" ? "approved" : "denied";
      submit("answer", { type: "exec_approval", id: msg.call_id, decision });
      break;
    }
    case "apply_patch_approval_request":
      submit("answer", { type: "patch_approval", id: msg.call_id, decision: "denied" });
      break;
    case "error":
      process.stderr.write(`${msg.message}\n`);
      hasFailed = true;
      break;
    case "task_complete":
    case "turn_aborted":
      if (id !== "question") break;
      if (msg.type === "task_complete" && !hasFailed) process.exitCode = 0;
      submit("bye", { type: "shutdown" });
      break;
  }
}
