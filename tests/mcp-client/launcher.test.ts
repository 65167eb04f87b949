import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { fakeModel, say } from "../support/fake-model.ts";
import { fullAccess, startMcp } from "../support/mcp-session.ts";
import { runCodex } from "../support/run-codex.ts";
import type { Workspace } from "../support/workspace.ts";

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
  `npx would run "${work}/node_modules/.bin/srv" of the working directory in the place of the server, outside the sandbox: write the absolute path of the server's program as its command, or set mcp_servers.tst.cwd to the folder that it shall start in`;

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

  test.each([
    ["relative", () => "node_modules/.bin:.:"],
    ["absolute", (work: string) => path.join(work, "node_modules/.bin")],
  ])("is not taken from the repository by a folder of PATH that is %s", async (_, folders) => {
    await using model = await fakeModel([say("done")]);
    const configTables = ["[mcp_servers.tst]", 'command = "srv"'];
    const setup = (place: Workspace) => {
      withOwn(place);
      writeFileSync(path.join(place.home, ".env"), `PATH=${folders(place.work)}:${process.env["PATH"]}\n`);
    };
    const run = await runCodex(["exec", "--json", "go"], { model, setup, configTables });
    expect(Object.keys(run.files)).not.toContain("ran");
    expect(run.stdout).toContain(`srv would run \\"${run.work}/node_modules/.bin/srv\\" of the working directory`);
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
    expect(message).toContain(`sh would run "${other}/server.sh" of the working directory`);
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
