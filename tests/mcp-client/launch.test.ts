import { describe, expect, test } from "vitest";
import { readLaunch } from "../../src/mcp-client/launch.ts";

/** A command line without quotes of its own; a word that needs blanks is given as one. */
function read(line: string, ...more: readonly string[]) {
  const [command = "", ...args] = line.split(" ");
  return readLaunch(command, [...args, ...more]);
}

const fetched = (launcher: string, word: string) => ({ kind: "fetch", launcher, words: [word], packages: [word] });
const ofPackage = (...packages: string[]) => ({ kind: "fetch", launcher: "npx", words: [], packages });
const project = (launcher: string, program: string) => ({ kind: "project", launcher, program });

describe("a launcher and what it looks for", () => {
  test.each([
    ["npx srv", fetched("npx", "srv")],
    ["/usr/bin/npx -y @a/srv@latest --port 1", fetched("npx", "@a/srv@latest")],
    ["npx.cmd --yes -q --prefer-offline srv", fetched("npx", "srv")],
    ["npx --registry https://r -- srv", fetched("npx", "srv")],
    ["npx -p a --package=b srv", ofPackage("b", "a")],
    ["npm exec srv", fetched("npx", "srv")],
    ["npm exec -y -- srv", fetched("npx", "srv")],
    ["npm --silent x --package a -- srv", ofPackage("a")],
    ["npm run serve", project("npm run", "serve")],
    ["bunx srv@1", fetched("bunx", "srv@1")],
    ["bun x --bun srv", fetched("bunx --bun", "srv")],
    ["bun run serve", project("bun run", "serve")],
    ["pnpm --silent dlx srv", fetched("pnpm dlx", "srv")],
    ["pnpm exec srv", project("pnpm exec", "srv")],
    ["yarn dlx -q srv", fetched("yarn dlx", "srv")],
    ["yarn dlx -p a srv", { kind: "fetch", launcher: "yarn dlx", words: [], packages: [] }],
    ["yarn run srv", project("yarn run", "srv")],
    ["yarn srv", project("yarn", "srv")],
    ["python -m my.srv", { kind: "python", module: "my.srv" }],
    ["python3.12 -u -W ignore -m srv --x", { kind: "python", module: "srv" }],
    ["python3 -umsrv", { kind: "python", module: "srv" }],
    ["uv run srv", { kind: "uv run", program: "srv" }],
    ["uv run --with mcp srv", { kind: "uv run", program: "srv" }],
    ["pipx run --spec a srv", { kind: "pipx run", program: "srv" }],
    ["env -i A=b npx srv", fetched("npx", "srv")],
    ["cmd /c npx srv", fetched("npx", "srv")],
    ["op run --env-file x -- npx srv", fetched("npx", "srv")],
  ])("%s", (line, expected) => {
    expect(read(line)).toEqual(expected);
  });

  test.each([
    ["npx", ["-c", "srv --stdio"], { kind: "fetch", launcher: "npx", words: ["srv"], packages: [] }],
    ["sh", ["-c", "npx 'srv' --stdio"], fetched("npx", "srv")],
    ["bash", ["-lc", ". ~/.nvm/nvm.sh && exec npx -y srv"], fetched("npx", "srv")],
    ["sh", ["-c", "A=b npx srv; true"], fetched("npx", "srv")],
    ["env", ["-S", "A=b npx srv"], fetched("npx", "srv")],
  ])("%s %j", (command, args, expected) => {
    expect(read(command, ...args)).toEqual(expected);
  });
});

describe("anything else is as the user wrote it", () => {
  test.each([
    ["srv --stdio"],
    ["node srv.js"],
    ["npx"],
    ["npm install srv"],
    ["npx --prefix /opt/srv srv"],
    ["pnpm -C /opt/srv exec srv"],
    ["yarn --cwd /opt/srv run srv"],
    ["python srv.py"],
    ["python -P -m srv"],
    ["python -Im srv"],
    ["python -c pass -m srv"],
    ["uv --directory /opt/srv run srv"],
    ["uv run --project /opt/srv srv"],
    ["uv run --no-project srv"],
    ["env -C /opt/srv npx srv"],
    ["env PYTHONSAFEPATH=1 python -m srv"],
  ])("%s", (line) => {
    expect(read(line)).toBeUndefined();
  });

  test("a script that changes its folder", () => {
    expect(read("sh", "-c", "cd /opt/srv && npx srv")).toBeUndefined();
  });
});
