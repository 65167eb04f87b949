// Builds dist/: src/ bundled and split into CommonJS chunks, which start faster than ES modules on Node 20, the sandbox
// helper as a file of its own, prompts, the licences of what is bundled, and V8's code for the chunks.
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import os from "node:os";
import path from "node:path";
import { build } from "esbuild";
import { packChunks } from "./scripts/pack-chunks.mjs";

const root = import.meta.dirname;
const dist = path.join(root, "dist");
const { version } = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8"));

const common = {
  absWorkingDir: root,
  outdir: dist,
  outExtension: { ".js": ".cjs" },
  bundle: true,
  platform: "node",
  target: "node20",
  minify: true,
  legalComments: "none",
  logLevel: "warning",
  define: { CODEX_VERSION: JSON.stringify(version), "import.meta.dirname": "__dirname", "import.meta.hold": "__hold" },
  external: ["@koromix/koffi-linux-*"],
};

/**
 * What a start does not need although a package asks for it: commander could run programs as commands; chalk could look
 * at the terminal (our own rules decide about colours); the openai package has a class for every part of the service,
 * where we send requests by path, and would load the global Headers, which takes longer than a whole run.
 */
const withoutUnusedParts = {
  name: "without-unused-parts",
  setup({ onResolve, onLoad }) {
    const none = (contents) => ({ path: "none", namespace: "none", pluginData: contents });
    onResolve({ filter: /^node:child_process$/ }, ({ importer }) =>
      /[/\\]commander[/\\]/.test(importer) ? none("module.exports = {};") : undefined,
    );
    onResolve({ filter: /^#supports-color$/ }, () => none("export default { stdout: false, stderr: false };"));
    const client = readFileSync(path.join(root, "node_modules/openai/client.mjs"), "utf8");
    onLoad({ filter: /[/\\]openai[/\\]resources[/\\].*\.mjs$/ }, ({ path: file }) => {
      const name = file.slice(file.lastIndexOf("resources")).replaceAll(path.sep, "/");
      const imported = client.split("\n").find((line) => line.includes(`"./${name}"`));
      const names =
        name === "resources/index.mjs" ? [...client.matchAll(/\bAPI\.(\w+)/g)].map((match) => match[1]) : [];
      for (const [, word] of imported?.matchAll(/(?:^import \{|,) *(\w+)/g) ?? []) names.push(word);
      return { contents: [...new Set(names)].map((word) => `export class ${word} {}`).join("\n") };
    });
    onLoad({ filter: /.*/, namespace: "none" }, ({ pluginData }) => ({ contents: pluginData }));
    onLoad({ filter: /[/\\]openai[/\\](client|internal[/\\](headers|utils[/\\]log))\.mjs$/ }, ({ path: file }) => {
      const text = readFileSync(file, "utf8").replaceAll(/globalThis\.(ReadableStream|Blob)/g, "undefined");
      const headers = JSON.stringify(path.join(root, "src/model/plain-headers.ts"));
      return {
        contents: `import { PlainHeaders as Headers } from ${headers};\n${text}`,
        resolveDir: path.dirname(file),
      };
    });
  },
};

rmSync(dist, { recursive: true, force: true });
mkdirSync(path.join(dist, "assets"), { recursive: true });

const bundle = await build({
  ...common,
  entryPoints: { main: "src/main.ts" },
  format: "esm",
  splitting: true,
  metafile: true,
  write: false,
  sourcemap: "inline",
  sourcesContent: false,
  plugins: [withoutUnusedParts],
});
const packs = await packChunks(bundle, common);
const mark = `/*${createHash("sha256")
  .update([...packs.values()].map(({ text }) => text).join())
  .digest("hex")
  .slice(0, 16)}*/`;
for (const [pack, { text, map }] of packs) {
  writeFileSync(path.join(dist, pack), mark + text);
  writeFileSync(path.join(dist, `${pack}.map`), JSON.stringify(map)); // not published; the tests read it
}
await build({
  ...common,
  define: { ...common.define, CODEX_PACKS: JSON.stringify([...packs.keys()]), CODEX_BUILD: JSON.stringify(mark) },
  entryPoints: { loader: "src/loader.ts", "sandbox-helper": "src/process/sandbox-helper.ts" },
  format: "cjs",
});

for (const name of readdirSync(path.join(root, "src/assets"))) {
  copyFileSync(path.join(root, "src/assets", name), path.join(dist, "assets", name));
}
mkdirSync(path.join(dist, "path"));
for (const name of ["apply_patch", "applypatch"]) {
  const script = '#!/bin/sh\nexec node "$(dirname "$0")/../../bin/codex.js" apply_patch "$@"\n';
  writeFileSync(path.join(dist, "path", name), script, { mode: 0o755 });
}
writeFileSync(path.join(dist, "THIRD-PARTY-LICENSES.txt"), licences(bundle.metafile));
keepHelp();
await keepCode();

/** The licence of every package whose code is in the bundle. */
function licences({ inputs }) {
  const packages = new Set();
  for (const input of Object.keys(inputs)) {
    const match = /^node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(input);
    if (match) packages.add(match[1]);
  }
  return [...packages].sort().map(licence).join("\n\n");
}

function licence(name) {
  const folder = path.join(root, "node_modules", name);
  const { version, license } = JSON.parse(readFileSync(path.join(folder, "package.json"), "utf8"));
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
  const text = file === undefined ? "" : readFileSync(path.join(folder, file), "utf8").trim();
  return `${"=".repeat(72)}\n${name} ${version} (${license})\n\n${text}`;
}

/** The texts that are most asked for, so that a start prints them before it loads anything. */
function keepHelp() {
  for (const [name, args] of [
    ["codex", ["--help"]],
    ["exec", ["exec", "--help"]],
  ]) {
    const { status, stdout } = spawnSync(process.execPath, [path.join(root, "bin/codex.js"), ...args]);
    if (status === 0) writeFileSync(path.join(dist, "assets", `help-${name}.txt`), stdout);
  }
}

/**
 * Lets the program do three small tasks and keeps what V8 compiled for it, functions included, beside the chunks. It only
 * makes starts faster, on this version of Node: where the task fails, less is kept, and the build is as good.
 */
async function keepCode() {
  const scratch = mkdtempSync(path.join(os.tmpdir(), "codex-build-"));
  const call = { type: "function_call", call_id: "1", name: "shell", arguments: '{"command":["true"]}' };
  const message = { type: "message", role: "assistant", content: [{ type: "output_text", text: "ok" }] };
  const answers = [call, message, message];
  const server = http.createServer((request, response) => {
    request.resume().on("end", () => {
      const item = answers.shift();
      const events = [
        { type: "response.output_text.delta", delta: "ok" },
        { type: "response.output_item.done", item },
        {
          type: "response.completed",
          response: { id: "1", usage: { input_tokens: 1, output_tokens: 1, total_tokens: 2 } },
        },
      ];
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.end(events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join(""));
    });
  });
  try {
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const provider = `name = "b"\nwire_api = "responses"\nbase_url = "http://127.0.0.1:${server.address().port}"`;
    writeFileSync(
      path.join(scratch, "config.toml"),
      `model_provider = "b"\n[model_providers.b]\n${provider}\nrequest_max_retries = 0\nstream_max_retries = 0\n`,
    );
    const env = { PATH: process.env.PATH, HOME: scratch, CODEX_HOME: scratch };
    const runner = path.join(root, "scripts/keep-code.cjs");
    const clientInfo = { name: "build", version: "1" };
    const questions = [
      { id: 1, method: "initialize", params: { protocolVersion: "2025-06-18", capabilities: {}, clientInfo } },
      { method: "notifications/initialized" },
      { id: 2, method: "tools/list", params: {} },
      { id: 3, method: "ping" },
    ];
    const tasks = {
      "exec --skip-git-repo-check --full-auto build": "",
      proto: `${JSON.stringify({ id: "1", op: { type: "user_input", items: [{ type: "text", text: "build" }] } })}\n`,
      mcp: questions.map((message) => `${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`).join(""),
    };
    for (const [args, input] of Object.entries(tasks)) {
      const child = spawn(process.execPath, [runner, dist, ...args.split(" ")], {
        cwd: scratch,
        env,
        stdio: ["pipe", "ignore", "ignore"],
      });
      child.stdin.on("error", () => {}); // exec has its prompt
      child.stdin.end(input);
      await once(child, "close");
    }
  } finally {
    server.close();
    server.closeAllConnections();
    rmSync(scratch, { recursive: true, force: true });
  }
}
