import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { completionScript } from "../src/cli/completion.ts";
import { manPage } from "../src/cli/man-page.ts";
import { buildProgram, noActions } from "../src/cli/program.ts";
import { mcpSchema } from "../src/mcp-server/mcp-schema.ts";
import { renewParts, renewProtoPage } from "../src/protocol/proto-page.ts";
import { protoSchema } from "../src/protocol/proto-schema.ts";
import { declaration, typeDeclarations } from "../src/protocol/type-declarations.ts";
import { execSchema } from "../src/render/exec-schema.ts";
import { threadSchemas } from "../src/render/thread-line-schema.ts";
import { renewSandboxPage } from "./process/probes/probe-table.ts";

const root = path.resolve(import.meta.dirname, "..");
const program = buildProgram(noActions);
const schema = protoSchema();
const mcp = mcpSchema();
const exec = execSchema();

const generated: readonly (readonly [file: string, text: string])[] = [
  ["completions/codex.bash", completionScript(program, "bash")],
  ["completions/_codex", completionScript(program, "zsh")],
  ["completions/codex.fish", completionScript(program, "fish")],
  ["completions/codex.elv", completionScript(program, "elvish")],
  ["completions/codex.ps1", completionScript(program, "powershell")],
  ["man/codex.1", manPage(program)],
  ["schema/proto.schema.json", `${JSON.stringify(schema, null, 2)}\n`],
  ["schema/proto.d.ts", typeDeclarations(schema, "proto.schema.json")],
  ["schema/exec.schema.json", `${JSON.stringify(exec, null, 2)}\n`],
  ["schema/exec.d.ts", typeDeclarations(exec, "exec.schema.json")],
  ["schema/mcp.schema.json", `${JSON.stringify(mcp, null, 2)}\n`],
  ["schema/mcp.d.ts", typeDeclarations(mcp, "mcp.schema.json")],
  ["docs/exec.md", renewParts(readOrEmpty(path.join(root, "docs/exec.md")), { "thread lines": threadLines() })],
  ["docs/proto.md", renewProtoPage(readOrEmpty(path.join(root, "docs/proto.md")), schema)],
  ["docs/sandbox.md", renewSandboxPage(readOrEmpty(path.join(root, "docs/sandbox.md")))],
];

test.each(generated)("%s is what the program generates", (file, text) => {
  const target = path.join(root, file);
  if (process.env["UPDATE_GENERATED"] === "1") {
    mkdirSync(path.dirname(target), { recursive: true });
    writeFileSync(target, text);
  }
  const advice = `${file} is stale; renew it: UPDATE_GENERATED=1 npx vitest run tests/generated.test.ts`;
  expect(readOrEmpty(target), advice).toBe(text);
});

function readOrEmpty(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return ""; // never made: as stale as can be
  }
}

function threadLines(): string {
  const types = Object.keys(threadSchemas).map((name) => declaration(name, exec.$defs[name] ?? {}));
  return `\`\`\`ts\n${types.join("\n")}\`\`\``;
}
