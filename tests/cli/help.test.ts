import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { codexBinary, runCodex } from "../support/run-codex.ts";

const run = (...args: readonly string[]) => runCodex(args, { git: false });

describe("codex help", () => {
  test.each([
    ["help", ""],
    ["help exec", "exec"],
    ["help exec resume", "exec resume"],
    ["help e fork", "exec fork"],
    ["help mcp", "mcp"],
    ["help mcp serve", "mcp"],
    ["help sessions list", "sessions list"],
    ["help completion", "completion"],
    ["help sandbox ls --help", "sandbox"],
    ["help debug landlock", "debug landlock"],
  ])("%s says what the command with --help says", async (line, command) => {
    const words = command.split(" ").filter((word) => word !== "");
    const help = await run(...line.split(" "));
    expect(help).toMatchObject({ exitCode: 0, stderr: "", stdout: (await run(...words, "--help")).stdout });
    expect(help.stdout).toMatch(new RegExp(`^Usage: ${["codex", ...words].join(" ")}[ |]`));
  });

  test.each([
    ["help nonsense", "nonsense"],
    ["help sessions nope", "nope"],
    ["help doctor now", "now"],
  ])("%s is a usage error", async (line, word) => {
    expect(await run(...line.split(" "))).toMatchObject({
      exitCode: 2,
      stdout: "",
      stderr: `error: unknown command '${word}'\n`,
    });
  });
});

test("what a usage error quotes steers no terminal", async () => {
  const wrong = await run("sessions", "list", "-n", "\u001b]0;title\u0007");
  const text = "error: option '-n, --limit <n>' argument '\\x1b]0;title\\x07' is invalid.";
  expect(wrong).toMatchObject({ exitCode: 2, stdout: "", stderr: expect.stringContaining(text) });
});

const prints = [
  ["help"],
  ["help", "exec"],
  ["mcp", "--help"],
  ["exec", "--version"],
  ["completion", "zsh"],
  ["--help"],
];

test.runIf(existsSync("/dev/full")).each(prints)("a full disk is no success: %s %s", (...args) => {
  const script = '"$0" "$@" > /dev/full';
  const full = spawnSync("sh", ["-c", script, process.execPath, codexBinary, ...args], { encoding: "utf8" });
  expect(full.stderr).toBe("Error: Cannot write to stdout: No space left on device (os error 28)\n");
  expect(full.status).toBe(1);
});

test.each(prints)("a reader that is gone is told by status 141: %s %s", async (...args) => {
  const child = spawn(process.execPath, [codexBinary, ...args], { stdio: ["ignore", "pipe", "ignore"] });
  child.stdout.destroy();
  expect(await once(child, "close")).toEqual([141, null]);
});

const hasPython = spawnSync("python3", ["--version"]).status === 0;

test.runIf(hasPython)("a pipe that does not block gets everything, however slowly it is read", async () => {
  const script = `
import os, subprocess, sys
r, w = os.pipe()
os.set_blocking(w, False)
while True:
    try: os.write(w, b"x" * 4096)
    except BlockingIOError: break
p = subprocess.Popen(sys.argv[1:], stdout=w)
os.close(w)
try: p.wait(1)
except subprocess.TimeoutExpired: pass
while b := os.read(r, 1000): sys.stdout.buffer.write(b)
sys.exit(p.wait())`;
  const args = ["completion", "zsh"];
  const slow = spawnSync("python3", ["-c", script, process.execPath, codexBinary, ...args], { encoding: "utf8" });
  expect(slow.status).toBe(0);
  expect(slow.stdout.replace(/^x+/, "")).toBe((await run(...args)).stdout);
});
