import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { runThrough } from "../../src/lib/steps.ts";
import { findByLauncher } from "../../src/mcp-client/launch-problem.ts";
import { tempFolder } from "../config/temp-folder.ts";

interface Case {
  readonly files: Readonly<Record<string, string>>;
  /** Of the user's home. */
  readonly own?: Readonly<Record<string, string>>;
  readonly from?: string;
  readonly safePath?: string;
}

/** What is said of a command line in a repository with these files. */
function problemOf(line: string, given: Case) {
  const { files, own = {}, from = "", safePath } = given;
  const root = tempFolder();
  const [work, home] = [path.join(root, "work"), path.join(root, "home")];
  mkdirSync(path.join(work, ".git"), { recursive: true });
  mkdirSync(path.join(work, from), { recursive: true });
  for (const [folder, contents] of [[work, files] as const, [home, own] as const]) {
    for (const [name, text] of Object.entries(contents)) {
      const file = path.join(folder, name);
      mkdirSync(path.dirname(file), { recursive: true });
      if (text.startsWith("-> ")) symlinkSync(text.slice("-> ".length), file);
      else writeFileSync(file, text);
      if (text.startsWith("#!")) chmodSync(file, 0o755);
    }
  }
  const [command = "", ...args] = line.split(" ");
  const env = { HOME: home, PYTHONSAFEPATH: safePath };
  return runThrough(findByLauncher({ command, args }, { cwd: path.join(work, from), env }))?.replaceAll(work, "WORK");
}

const program = "#!/bin/sh\n";
const inBin = (name: string) => ({ [`node_modules/.bin/${name}`]: program });
const installed = (fields: object, folder = "srv") => ({
  [`node_modules/${folder}/package.json`]: JSON.stringify({ name: "srv", version: "1.2.3", bin: "x", ...fields }),
});
const json = (fields: object) => ({ "package.json": JSON.stringify(fields) });

describe("what the repository has in place of the server", () => {
  test.each<[string, string, Case]>([
    ["npx srv", "node_modules/.bin/srv", { files: inBin("srv") }],
    ["npx srv", "node_modules/.bin/srv", { files: inBin("srv"), from: "a/b" }],
    ["npx srv@latest", "node_modules/.bin/srv@latest", { files: inBin("srv@latest") }],
    ["npx srv@latest", "node_modules/.bin/node", { files: inBin("node") }],
    ["npx srv@latest", "node_modules/.bin/sh", { files: inBin("sh") }],
    ["npx srv", "package.json", { files: json({ name: "@a/srv", bin: "x" }) }],
    ["npx srv", "package.json", { files: json({ bin: { srv: "x" } }) }],
    ["npx srv", "package.json", { files: { ...json({ directories: { bin: "d" } }), "d/srv": "" } }],
    ["npx srv", "package.json", { files: json({ name: "srv", bin: { other: "x" } }), from: "a" }],
    ["npx srv", "node_modules/srv/package.json", { files: installed({}) }],
    ["npx srv@1.2.3", "node_modules/srv/package.json", { files: installed({}) }],
    ["npx srv@^1.2", "node_modules/srv/package.json", { files: installed({}) }],
    ["npx -p srv other", "node_modules/srv/package.json", { files: installed({}) }],
    ["npx @a/srv", "node_modules/@a/srv/package.json", { files: installed({ name: "@a/srv" }, "@a/srv") }],
    ["npx srv", "node_modules/zzz/package.json", { files: installed({}, "zzz") }],
    ["npx srv", "node_modules/a/node_modules/b/package.json", { files: installed({}, "a/node_modules/b") }],
    ["npx srv@latest", "node_modules/srv/package.json", { files: installed({ resolved: "https://r/srv.tgz" }) }],
    [
      "npx srv",
      "node_modules/.package-lock.json",
      {
        files: {
          "node_modules/.package-lock.json": JSON.stringify({ packages: { "node_modules/srv": { version: "1.0.0" } } }),
        },
      },
    ],
    ["npx srv", "w/package.json", { files: { "w/package.json": JSON.stringify({ bin: { srv: "x" } }) }, from: "w" }],
    ["bunx srv", "node_modules/.bin/srv", { files: inBin("srv"), from: "a" }],
    ["bunx @a/srv", "node_modules/.bin/srv", { files: inBin("srv") }],
    ["bunx srv@1", "node_modules/.bin/node", { files: inBin("node") }],
    ["bunx srv", "node_modules/srv/package.json", { files: installed({}) }],
    ["pnpm dlx srv", "node_modules/.bin/srv", { files: inBin("srv") }],
    ["yarn dlx @a/srv", "node_modules/.bin/srv", { files: inBin("srv") }],
    ["pnpm exec srv", "node_modules/.bin/srv", { files: inBin("srv") }],
    ["yarn srv", "node_modules/.bin/srv", { files: inBin("srv") }],
    ["npm run serve", "package.json", { files: json({ scripts: { serve: "x" } }) }],
    ["python -m srv.main", "srv.py", { files: { "srv.py": "" } }],
    ["python -m srv.main", "srv/__init__.py", { files: { "srv/__init__.py": "" } }],
    ["python -m srv", "srv.abi3.so", { files: { "srv.abi3.so": "" } }],
    ["uv run srv", "pyproject.toml", { files: { "pyproject.toml": "" }, from: "a" }],
    ["uv run srv.py", ".venv", { files: { ".venv/x": "", "srv.py": "import mcp\n" } }],
    ["pipx run srv", "srv", { files: { srv: "" } }],
  ])("%s: %s", (line, file, given) => {
    expect(problemOf(line, given)).toContain(`"WORK/${file}"`);
  });

  test.each<[string, string, Readonly<Record<string, string>>]>([
    ["npx srv", "registry", { ".npmrc": "# x\nregistry = http://evil\n" }],
    ["npx srv", "registry", { ".npmrc": '"registry"=http://evil\n' }],
    ["npx @a/srv", "@a:registry", { ".npmrc": "@a:registry=http://evil\n" }],
    ["npx srv", "@modelcontextprotocol:registry", { ".npmrc": "@modelcontextprotocol:registry=http://evil\n" }],
    ["npx srv", "script-shell", { ".npmrc": "script-shell=./x\n" }],
    ["npx srv", "package", { ".npmrc": "package[]=./x\n" }],
    ["pnpm dlx srv", "registry", { ".npmrc": "registry=http://evil\n" }],
    ["pnpm dlx srv", "registries", { "pnpm-workspace.yaml": "registries:\n  default: http://evil\n" }],
    ["yarn dlx srv", "yarnPath", { ".yarnrc.yml": "yarnPath: .yarn/releases/yarn.cjs\n" }],
    ["yarn dlx srv", "plugins", { ".yarnrc.yml": "plugins: [./x]\n" }],
    ["yarn srv", "yarn-path", { ".yarnrc": 'yarn-path "./x"\n' }],
    ["uvx srv", "index-url", { "uv.toml": 'index-url = "http://evil"' }],
    ["uv tool run srv", "find-links", { "pyproject.toml": '[tool.uv]\nfind-links = ["x"]' }],
    ["bunx --bun srv", "preload", { "bunfig.toml": 'preload = ["./x"]\n' }],
  ])("%s: the setting %s", (line, key, files) => {
    const [file = ""] = Object.keys(files);
    expect(problemOf(line, { files: { "package.json": "{}", ...files }, from: "a" })).toContain(
      `would follow \`${key}\` in "WORK/${file}"`,
    );
  });
});

describe("nothing of the repository's", () => {
  test.each<[string, string, Case]>([
    ["another name", "npx srv", { files: { ...inBin("other"), ...installed({ name: "x" }) } }],
    ["another version", "npx srv@2.0.0", { files: { ...inBin("srv"), ...installed({}) } }],
    ["another range", "npx srv@^2", { files: installed({}) }],
    ["a tag", "npx srv@latest", { files: { ...inBin("srv"), ...installed({}) } }],
    ["a package that is fetched", "npx -p other srv", { files: inBin("srv") }],
    ["a version for bun", "bunx srv@latest", { files: { ...inBin("srv"), ...installed({}) } }],
    ["pnpm dlx looks nowhere", "pnpm dlx srv", { files: installed({}) }],
    ["yarn dlx looks nowhere", "yarn dlx srv@1", { files: { ...inBin("srv"), ...installed({}) } }],
    ["a link that leads in a circle", "npx srv", { files: { "node_modules/a/node_modules": "-> .." } }],
    [
      "the public registry",
      "npx srv",
      { files: { ".npmrc": "registry=https://registry.npmjs.org/\nsave-exact=true\n" } },
    ],
    [
      "the user's own registry",
      "npx srv",
      { files: { ".npmrc": "registry=http://work\n" }, own: { ".npmrc": "registry=http://work\n" } },
    ],
    ["another scope's registry", "npx srv", { files: { ".npmrc": "@a:registry=http://work\n" } }],
    [
      "a registry of a project above",
      "npx srv",
      { files: { ".npmrc": "registry=http://work\n", "a/package.json": "{}" }, from: "a" },
    ],
    ["bun without --bun", "bunx srv", { files: { "bunfig.toml": 'preload = ["./x"]\n' } }],
    ["a preload for tests", "bunx --bun srv", { files: { "bunfig.toml": '[test]\npreload = ["./x"]\n' } }],
    ["another module", "python -m srv", { files: { "other.py": "", "srv/data.txt": "" } }],
    ["a module elsewhere", "python -m srv", { files: { "srv.py": "" }, from: "a" }],
    ["a safe path", "python -m srv", { files: { "srv.py": "" }, safePath: "1" }],
    ["a script apart", "uv run srv.py", { files: { "pyproject.toml": "", "srv.py": "# /// script\n# ///\n" } }],
    ["a path that the user wrote", "npx ./srv", { files: { srv: program } }],
    ["a relative command", "./srv", { files: { srv: program } }],
  ])("%s: %s", (_, line, given) => {
    expect(problemOf(line, given)).toBeUndefined();
  });
});
