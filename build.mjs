// Builds dist/: src/ bundled and split into CommonJS chunks, which start faster than ES modules on Node 20, the sandbox
// helper as a file of its own, prompts, the licences of what is bundled, and V8's code for the chunks.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import os from "node:os";
import path from "node:path";
import { build, transform } from "esbuild";

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
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: "none",
  logLevel: "warning",
  define: { CODEX_VERSION: JSON.stringify(version), "import.meta.dirname": "__dirname" },
  external: ["@koromix/koffi-linux-*"],
};

/** commander can start programs as commands; we never ask it to, and the module costs 2 ms. */
const withoutChildProcess = {
  name: "commander-without-child-process",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^node:child_process$/ }, ({ importer }) =>
      /[/\\]node_modules[/\\]commander[/\\]/.test(importer) ? { path: "none", namespace: "none" } : undefined,
    );
    onLoad({ filter: /.*/, namespace: "none" }, () => ({ contents: "module.exports = {};" }));
  },
};

rmSync(dist, { recursive: true, force: true });
mkdirSync(path.join(dist, "assets"), { recursive: true });

const { metafile } = await build({
  ...common,
  entryPoints: { main: "src/main.ts" },
  format: "esm",
  splitting: true,
  metafile: true,
  plugins: [withoutChildProcess],
});
// Splitting needs ES modules as output; this turns each chunk into CommonJS, with import() as a lazy require().
for (const name of readdirSync(dist).filter((file) => file.endsWith(".cjs"))) {
  const file = path.join(dist, name);
  const { code } = await transform(readFileSync(file, "utf8"), {
    format: "cjs",
    platform: "node",
    target: "node20",
    minifySyntax: true,
    minifyWhitespace: true,
    supported: { "dynamic-import": false },
  });
  writeFileSync(file, code);
}
await build({
  ...common,
  entryPoints: { loader: "src/loader.ts", "sandbox-helper": "src/process/sandbox-helper.ts" },
  format: "cjs",
});

for (const name of readdirSync(path.join(root, "src/assets"))) {
  copyFileSync(path.join(root, "src/assets", name), path.join(dist, "assets", name));
}
writeFileSync(path.join(dist, "THIRD-PARTY-LICENSES.txt"), licences(metafile));
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

/**
 * Lets the program do a small task and keeps what V8 compiled for it, functions included, beside the chunks. It only
 * makes starts faster, on this version of Node: where the task fails, less is kept, and the build is as good.
 */
async function keepCode() {
  const scratch = mkdtempSync(path.join(os.tmpdir(), "codex-build-"));
  const call = { type: "function_call", call_id: "1", name: "shell", arguments: '{"command":["true"]}' };
  const message = { type: "message", role: "assistant", content: [{ type: "output_text", text: "ok" }] };
  const answers = [call, message];
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
    const child = spawn(process.execPath, [runner, dist], { cwd: scratch, env, stdio: "ignore" });
    await once(child, "close");
  } finally {
    server.close();
    server.closeAllConnections();
    rmSync(scratch, { recursive: true, force: true });
  }
}
