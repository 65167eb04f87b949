import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { callShell, fakeModel, say, think } from "../support/fake-model.ts";
import { closedGate } from "../support/gate.ts";
import { install, installedBinary } from "../support/install.ts";
import { masked } from "../support/mask.ts";
import { codexBinary, configToml } from "../support/run-codex.ts";
import { type CodexTerminal, openTerminal, startCodexOnTerminal } from "../support/terminal.ts";
import { workspace } from "../support/workspace.ts";

const root = path.resolve(import.meta.dirname, "../..");

/** One frame of the spinner, then what the run waits for. */
const waitingFor = (text: string) => new RegExp(`^[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏] ${text}`, "m");

/** Ends when the test makes the file `go`. */
const commandThatWaits = ["bash", "-c", "until [ -e go ]; do sleep 0.05; done; echo done"];

/** The screen from the prompt on. */
function conversationOf({ screen, place }: CodexTerminal): string {
  const text = masked(screen(), place);
  return text.slice(text.indexOf("do it"));
}

describe.concurrent("a run with waits leaves the same text on every terminal", () => {
  test.each([
    { wire: "responses", columns: 200, env: {}, hasColour: true },
    { wire: "responses", columns: 40, env: { NO_COLOR: "1" }, hasColour: false },
    { wire: "responses", columns: 40, env: { CI: "1" }, hasColour: true },
    { wire: "chat", columns: 40, env: {}, hasColour: true },
    { wire: "chat", columns: 200, env: { NO_COLOR: "1" }, hasColour: false },
    { wire: "chat", columns: 200, env: { CI: "1" }, hasColour: true },
  ] as const)("$wire, $columns columns, $env", async ({ wire, columns, env, hasColour }) => {
    const firstByte = closedGate();
    const nextPiece = closedGate();
    await using model = await fakeModel([
      callShell(commandThatWaits, { after: firstByte.opened }),
      say("All done.", {
        deltas: ["All ", "done."],
        gate: (index) => (index === (wire === "chat" ? 1 : 3) ? nextPiece.opened : undefined),
      }),
    ]);
    using terminal = startCodexOnTerminal(["exec", "do it"], { model, wire, columns, env });
    await terminal.shows(waitingFor("Waiting for the model"));
    firstByte.open();
    await terminal.shows(waitingFor("Running bash -c 'until"));
    writeFileSync(path.join(terminal.place.work, "go"), "");
    // The chat wire's text is shown when it is whole, as in Codex 0.34.
    await terminal.shows(wire === "chat" ? waitingFor("Waiting for the model") : /^All/m);
    expect(terminal.screen()).not.toContain("All done.");
    nextPiece.open();

    expect(await terminal.ended()).toBe(0);
    const tokens = (sum: number) => (wire === "chat" ? [] : [`[<TIME>] tokens used: ${sum}`]);
    expect(conversationOf(terminal).split("\n")).toEqual([
      "do it",
      "[<TIME>] exec bash -c 'until [ -e go ]; do sleep 0.05; done; echo done' in <WS>",
      "[<TIME>] bash -c 'until [ -e go ]; do sleep 0.05; done; echo done' succeeded in <DURATION>:",
      "done",
      ...tokens(110),
      "[<TIME>] codex",
      ...(wire === "chat" ? [] : [""]),
      "All done.",
      ...tokens(220),
      `[<TIME>] completed in <DURATION>: ${wire === "chat" ? "" : "220 tokens, "}1 command`,
    ]);
    expect(terminal.output().includes("\u001b[35mexec")).toBe(hasColour);
    expect(terminal.output()).toContain(hasColour ? "\u001b[36m⠋\u001b[39m Waiting" : "⠋ Waiting");
    expect(terminal.output()).not.toContain("\u001b[?25l");
  });
});

test("a log on the terminal and the answer in a file", async () => {
  const firstByte = closedGate();
  await using model = await fakeModel([{ ...think("Thinking."), text: "The answer.", after: firstByte.opened }]);
  using place = workspace({ homeFiles: { "config.toml": configToml({ model }) } });
  using terminal = openTerminal("sh", ["-c", `"${process.execPath}" "${codexBinary}" exec "do it" > answer.txt`], {
    cwd: place.work,
    env: place.env,
  });
  await terminal.shows(waitingFor("Waiting for the model"));
  firstByte.open();
  expect(await terminal.ended()).toBe(0);
  expect(place.files()["answer.txt"]).toBe("The answer.\n");
  expect(terminal.screen()).not.toMatch(waitingFor(""));
});

test("after a resize the line of the wait fits again and nothing of the old one is left", async () => {
  const firstByte = closedGate();
  await using model = await fakeModel([callShell(commandThatWaits), say("All done.", { after: firstByte.opened })]);
  using terminal = startCodexOnTerminal(["exec", "do it"], { model, columns: 100 });
  await terminal.shows(waitingFor("Running bash .* echo done'$"));
  terminal.resize(40, 60);
  await terminal.shows(waitingFor("Running .{27}…$"));
  terminal.resize(120, 60);
  await terminal.shows(waitingFor("Running bash .* echo done'$"));
  writeFileSync(path.join(terminal.place.work, "go"), "");
  await terminal.shows(waitingFor("Waiting for the model"));
  firstByte.open();
  expect(await terminal.ended()).toBe(0);
  expect(terminal.screen()).not.toMatch(waitingFor(""));
  expect(conversationOf(terminal)).toContain("\nAll done.\n");
});

test("Ctrl-C in the wait interrupts the run", async () => {
  await using model = await fakeModel([{ hang: "headers" }]);
  using terminal = startCodexOnTerminal(["exec", "do it"], { model });
  await terminal.shows(waitingFor("Waiting for the model"));
  terminal.type("\u0003");
  expect(await terminal.ended()).toBe(130);
  expect(conversationOf(terminal)).toMatch(/^\[<TIME>\] interrupted after <DURATION>$/m);
  expect(terminal.screen()).not.toMatch(waitingFor(""));
});

test("a run that is stopped with Ctrl-Z finishes after fg", async () => {
  const firstByte = closedGate();
  await using model = await fakeModel([say("All done.", { after: firstByte.opened })]);
  using place = workspace({ homeFiles: { "config.toml": configToml({ model }) } });
  using terminal = openTerminal("bash", ["--norc", "--noprofile", "-i"], {
    cwd: place.work,
    env: { ...place.env, PS1: "shell> ", BASH_SILENCE_DEPRECATION_WARNING: "1" },
  });
  await terminal.shows(/^shell>$/m);
  terminal.type(`"${process.execPath}" "${codexBinary}" exec "do it"\r`);
  await terminal.shows(waitingFor("Waiting for the model"));
  terminal.type("\u001a");
  await terminal.shows(/Stopped[^\n]*\n(.*\n)*shell>$/m);
  terminal.type("fg\r");
  await terminal.shows(/^shell> fg\n(.*\n)*[^\n]*Waiting for the model$/m);
  firstByte.open();
  await terminal.shows(/^All done\.\n(.*\n)*shell>$/m);
  terminal.type('echo "status $?"\r');
  await terminal.shows(/^status 0$/m);
  const afterFg = terminal.screen().split("shell> fg\n")[1];
  expect(afterFg).not.toMatch(waitingFor(""));
});

describe("a spinner that fails does not end the run", () => {
  test.each(["cursorTo", "clearLine"])("because %s throws", async (method) => {
    const firstByte = closedGate();
    await using model = await fakeModel([say("All done.", { after: firstByte.opened })]);
    const preload = `process.stderr.${method} = () => { process.stderr.write("faulty\\n"); throw new Error("fault"); };`;
    using place = workspace({ files: { "preload.cjs": preload }, homeFiles: { "config.toml": configToml({ model }) } });
    using terminal = openTerminal(process.execPath, ["-r", "./preload.cjs", codexBinary, "exec", "do it"], {
      cwd: place.work,
      env: place.env,
    });
    await terminal.shows(/faulty/);
    firstByte.open();
    expect(await terminal.ended()).toBe(0);
    expect(terminal.screen()).toContain("\nAll done.\n");
    expect(terminal.screen()).not.toContain("internal error");
  });

  test("because ora is missing", async () => {
    await using model = await fakeModel([callShell(["sleep", "1"]), say("All done.")]);
    using place = workspace({ homeFiles: { "config.toml": configToml({ model }) } });
    writeFileSync(path.join(install(place), "ora.cjs"), "");
    using terminal = openTerminal(process.execPath, [installedBinary, "exec", "do it"], {
      cwd: place.work,
      env: place.env,
    });
    expect(await terminal.ended()).toBe(0);
    expect(terminal.screen()).toContain("\nAll done.\n");
  });
});

describe("npm run demo ends with status 0 on a terminal", () => {
  const runDemo = async (folder: string, env: Readonly<Record<string, string>>) => {
    using terminal = openTerminal("npm", ["run", "demo"], { cwd: folder, env });
    expect(await terminal.ended()).toBe(0);
    expect(terminal.screen()).toContain("The sample's own test passes now.");
  };

  test("in a clone", async () => {
    using place = workspace({ git: false });
    await runDemo(root, place.env);
  });

  test("from the packed file", async () => {
    using place = workspace({ git: false });
    // Without scripts, for `prepare` would build dist again under the other tests.
    const packed = execFileSync("npm", ["pack", "--ignore-scripts", "--silent", "--pack-destination", place.work], {
      cwd: root,
      env: place.env,
      encoding: "utf8",
    });
    execFileSync("tar", ["-xzf", packed.trim()], { cwd: place.work });
    const folder = path.join(place.work, "package");
    mkdirSync(path.join(folder, "node_modules"));
    symlinkSync(path.join(root, "node_modules/@koromix"), path.join(folder, "node_modules/@koromix"));
    expect(readdirSync(path.join(folder, "dist")).filter((name) => name.endsWith(".map"))).toEqual([]);
    await runDemo(folder, place.env);
  });
});
