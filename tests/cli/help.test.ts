import { describe, expect, test } from "vitest";
import { runCodex } from "../support/run-codex.ts";

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
