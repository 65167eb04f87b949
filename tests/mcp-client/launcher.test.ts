import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { foundInstead } from "../../src/mcp-client/launcher.ts";
import { fakeModel, say } from "../support/fake-model.ts";
import { fullAccess, startMcp } from "../support/mcp-session.ts";
import { runCodex } from "../support/run-codex.ts";
import type { Workspace } from "../support/workspace.ts";

function folderWith(files: Readonly<Record<string, string>>): string {
  const folder = realpathSync(mkdtempSync(path.join(os.tmpdir(), "codex-launcher-")));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    writeFileSync(path.join(folder, name), text, { mode: 0o755 });
  }
  return folder;
}

const found = (folder: string, words: readonly string[], options: object = {}) =>
  foundInstead({ command: words[0] ?? "", args: words.slice(1), cwd: folder, env: {}, isCwdOfCall: false, ...options });

const bin = { "node_modules/.bin/srv": "" };

describe("a launcher is found to take what the working directory has of that name", () => {
  test.each<[string, readonly string[], Readonly<Record<string, string>>, string]>([
    ["npx", ["npx", "srv"], bin, "node_modules/.bin/srv"],
    ["npx with flags", ["npx", "-y", "--quiet", "srv", "--port", "1"], bin, "node_modules/.bin/srv"],
    ["a version", ["npx", "-y", "srv@1.2.3"], bin, "node_modules/.bin/srv"],
    ["a scope", ["npx", "-y", "@scope/srv@latest"], bin, "node_modules/.bin/srv"],
    ["an installed package", ["npx", "@scope/srv"], { "node_modules/@scope/srv/x": "" }, "node_modules/@scope/srv"],
    ["a package of its own", ["npx", "--package=@scope/x", "srv"], bin, "node_modules/.bin/srv"],
    ["-p", ["npx", "-p", "srv", "other"], bin, "node_modules/.bin/srv"],
    ["-c", ["npx", "-p", "x", "-c", "srv --now"], bin, "node_modules/.bin/srv"],
    ["a path to npx", ["/usr/bin/npx", "srv"], bin, "node_modules/.bin/srv"],
    ["npm exec", ["npm", "exec", "--", "srv"], bin, "node_modules/.bin/srv"],
    ["npm x", ["npm", "--silent", "x", "srv"], bin, "node_modules/.bin/srv"],
    ["bunx", ["bunx", "srv"], bin, "node_modules/.bin/srv"],
    ["bun x", ["bun", "x", "srv"], bin, "node_modules/.bin/srv"],
    ["pnpm dlx", ["pnpm", "dlx", "srv"], bin, "node_modules/.bin/srv"],
    ["yarn dlx", ["yarn", "dlx", "-q", "srv"], bin, "node_modules/.bin/srv"],
    ["env", ["env", "A=b", "npx", "srv"], bin, "node_modules/.bin/srv"],
    ["a shell", ["sh", "-c", "exec npx -y srv"], bin, "node_modules/.bin/srv"],
    ["cmd", ["cmd", "/c", "npx.cmd", "srv"], bin, "node_modules/.bin/srv"],
    [
      "its own package",
      ["npx", "srv"],
      { "package.json": '{"name":"a","bin":{"srv":"./x"}}' },
      'package.json (its "bin")',
    ],
    [
      "a package that is called so",
      ["npx", "srv"],
      { "package.json": '{"name":"srv","bin":"x"}' },
      'package.json (its "bin")',
    ],
    ["another registry", ["npx", "srv"], { ".npmrc": "registry=http://127.0.0.1" }, ".npmrc"],
    ["another package", ["npx", "srv"], { ".npmrc": "save-exact=true\npackage = other" }, ".npmrc"],
    ["another yarn", ["yarn", "dlx", "srv"], { ".yarnrc.yml": "yarnPath: evil.js" }, ".yarnrc.yml"],
    ["a script for bun", ["bunx", "srv"], { "bunfig.toml": 'preload = ["./x.ts"]' }, "bunfig.toml"],
    ["another index", ["uvx", "srv"], { "uv.toml": 'index-url = "http://127.0.0.1"' }, "uv.toml"],
    ["a module", ["python3", "-m", "srv.cli"], { "srv/__init__.py": "" }, "srv"],
    ["a module in a file", ["/usr/bin/python3.12", "-um", "srv"], { "srv.py": "" }, "srv.py"],
  ])("%s", (_, words, files, name) => {
    const folder = folderWith(files);
    expect(found(folder, words)).toBe(`${folder}/${name}`);
  });

  test("above the working directory too, but not in the home folder", () => {
    const folder = folderWith({ ...bin, "a/b/c": "" });
    const cwd = path.join(folder, "a/b");
    expect(found(cwd, ["npx", "srv"])).toBe(`${folder}/node_modules/.bin/srv`);
    expect(found(cwd, ["npx", "srv"], { env: { HOME: folder } })).toBeUndefined();
  });

  test.each<[string, readonly string[], Readonly<Record<string, string>>]>([
    ["another name", ["npx", "-y", "other"], bin],
    ["an argument of the server", ["npx", "-y", "other", "srv"], bin],
    ["a path that the user wrote", ["npx", "./node_modules/.bin/srv"], bin],
    ["a script that the user wrote", ["node", "server.js"], { "server.js": "" }],
    ["a program of that name", ["srv"], { srv: "", ...bin }],
    ["a script of the package", ["npm", "run", "srv"], bin],
    ["a container", ["docker", "run", "image", "npx", "srv"], bin],
    ["settings that decide nothing", ["npx", "srv"], { ".npmrc": "; note\nsave-exact=true\n//host/:_authToken=x\n" }],
    ["a package without programs", ["npx", "srv"], { "package.json": '{"name":"srv"}' }],
    ["a package file that is none", ["npx", "srv"], { "package.json": "[" }],
    ["a module of another name", ["python3", "-m", "srv"], { "other.py": "" }],
    ["python that looks elsewhere", ["python3", "-P", "-m", "srv"], { "srv.py": "" }],
    ["an argument of a script", ["python3", "x.py", "-m", "srv"], { "srv.py": "" }],
  ])("and not %s", (_, words, files) => {
    expect(found(folderWith(files), words)).toBeUndefined();
  });
});

/** A repository whose own program of the name leaves a mark. */
function withOwn({ work }: Workspace): void {
  mkdirSync(path.join(work, "node_modules/.bin"), { recursive: true });
  writeFileSync(path.join(work, "node_modules/.bin/srv"), "#!/bin/sh\ntouch ran\n", { mode: 0o755 });
}

const table = (...lines: readonly string[]) => [
  "[mcp_servers.tst]",
  'command = "npx"',
  'args = ["-y", "srv"]',
  ...lines,
];

const problem = (work: string) =>
  `npx would take "${work}/node_modules/.bin/srv" of the working directory for the server, and run it outside the sandbox: write the absolute path of the server's program as its command, or set mcp_servers.tst.cwd to the folder that it shall start in`;

describe("a server whose place the repository has taken", () => {
  test("is not started, and the error and doctor say why and what to write", async () => {
    await using model = await fakeModel([say("done")]);
    const options = { setup: withOwn, configTables: table() };
    const run = await runCodex(["exec", "--json", "go"], { model, ...options });
    expect(run).toMatchObject({ exitCode: 0, files: { "node_modules/.bin/srv": expect.any(String) } });
    expect(Object.keys(run.files)).not.toContain("ran");
    expect(run.lines.filter((line) => line["id"] === "").map((line) => line["msg"])).toEqual([
      { type: "error", message: `MCP client for \`tst\` failed to start: ${problem(run.work)}` },
    ]);
    const doctor = await runCodex(["doctor", "--json"], options);
    const { checks } = JSON.parse(doctor.stdout);
    expect(checks.mcp_servers).toMatchObject({ status: "warning", servers: [{ problem: problem(doctor.work) }] });
  });

  test("is started where the user's configuration says where", async () => {
    await using model = await fakeModel([say("done")]);
    const run = await runCodex(["exec", "go"], { model, setup: withOwn, configTables: table('cwd = "."') });
    expect(Object.keys(run.files)).toContain("ran");
  });

  test("is not taken from a relative folder of PATH", async () => {
    await using model = await fakeModel([say("done")]);
    const env = { PATH: `node_modules/.bin:.::${process.env["PATH"]}` };
    const configTables = ["[mcp_servers.tst]", 'command = "srv"'];
    const run = await runCodex(["exec", "--json", "go"], { model, setup: withOwn, configTables, env });
    expect(Object.keys(run.files)).not.toContain("ran");
    expect(run.stdout).toContain(`srv would take \\"${run.work}/node_modules/.bin/srv\\" of the working directory`);
  });
});

describe("a folder that a call of codex mcp has chosen", () => {
  const server = (...lines: readonly string[]) => [
    "[mcp_servers.tst]",
    'command = "sh"',
    'args = ["server.sh"]',
    ...lines,
  ];
  const setup = ({ work, root }: Workspace) => {
    for (const folder of [work, path.join(root, "other")]) {
      mkdirSync(folder, { recursive: true });
      writeFileSync(path.join(folder, "server.sh"), "touch ran\n");
      writeFileSync(path.join(folder, "notify.sh"), "touch notified\n");
    }
  };

  test("does not decide which file a relative name means, and notify runs where the server was started", async () => {
    await using model = await fakeModel([say("one"), say("two")]);
    const config = [...fullAccess, 'notify = ["sh", "notify.sh"]'];
    await using mcp = startMcp({ model, config, configTables: server(), setup });
    const other = path.join(mcp.codex.place.root, "other");
    await mcp.call("codex", { prompt: "x", cwd: other });
    const { message } = (await mcp.event("error")).params.msg;
    expect(message).toContain(`sh would take "${other}/server.sh" of the working directory for the server`);
    await expect.poll(() => Object.keys(mcp.codex.place.files())).toContain("notified");
    await mcp.call("codex", { prompt: "x" });
    expect(Object.keys(mcp.codex.place.files())).toContain("ran");
  });

  test("is one that allow_call_programs trusts", async () => {
    await using model = await fakeModel([say("one")]);
    const args = ["-c", "mcp.allow_call_programs=true"];
    await using mcp = startMcp({ model, config: fullAccess, configTables: server(), setup, args });
    const sub = path.join(mcp.codex.place.work, "sub");
    mkdirSync(sub);
    writeFileSync(path.join(sub, "server.sh"), "touch ran\n");
    await mcp.call("codex", { prompt: "x", cwd: sub });
    expect(Object.keys(mcp.codex.place.files())).toContain("sub/ran");
  });
});
