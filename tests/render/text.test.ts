import { expect, test } from "vitest";
import type { SandboxPolicy, WorkspaceWritePolicy } from "../../src/protocol/policy.ts";
import { excerpt, firstLine } from "../../src/render/excerpt.ts";
import { formatNumber } from "../../src/render/format-count.ts";
import { formatDuration } from "../../src/render/format-duration.ts";
import { showControls, stripControls } from "../../src/render/printable.ts";
import { sandboxText } from "../../src/render/sandbox-text.ts";
import { shellText } from "../../src/render/shell-text.ts";
import { type ColorChoice, hasColour } from "../../src/render/style.ts";

const workspaceWrite: WorkspaceWritePolicy = {
  mode: "workspace-write",
  writable_roots: [],
  network_access: false,
  exclude_tmpdir_env_var: false,
  exclude_slash_tmp: false,
};

test.each<[SandboxPolicy, string]>([
  [{ mode: "read-only" }, "read-only"],
  [{ mode: "danger-full-access" }, "danger-full-access"],
  [workspaceWrite, "workspace-write [workdir, /tmp, $TMPDIR]"],
  [{ ...workspaceWrite, exclude_slash_tmp: true }, "workspace-write [workdir, $TMPDIR]"],
  [{ ...workspaceWrite, exclude_slash_tmp: true, exclude_tmpdir_env_var: true }, "workspace-write [workdir]"],
  [{ ...workspaceWrite, writable_roots: ["/a", "/b c"] }, "workspace-write [workdir, /tmp, $TMPDIR, /a, /b c]"],
  [{ ...workspaceWrite, network_access: true }, "workspace-write [workdir, /tmp, $TMPDIR] (network access enabled)"],
])("the sandbox %j is told as %s", (policy, text) => {
  expect(sandboxText(policy)).toBe(text);
});

test.each([
  [0, "0ms"],
  [-1, "0ms"],
  [123.9, "123ms"],
  [999.9, "999ms"],
  [1000, "1.00s"],
  [1260, "1.26s"],
  [59_990, "59.99s"],
  [59_996, "1m00s"],
  [62_900, "1m02s"],
  [3_725_000, "62m05s"],
])("%d ms are told as %s", (ms, text) => {
  expect(formatDuration(ms)).toBe(text);
});

test.each([
  [0, "0"],
  [999, "999"],
  [1234, "1,234"],
  [1_234_567, "1,234,567"],
])("%d is told as %s", (value, text) => {
  expect(formatNumber(value)).toBe(text);
});

test.each<[readonly string[], string]>([
  [["bash", "-lc", "echo hi"], "bash -lc 'echo hi'"],
  [["git", "log", "--format=%h", "-n1"], "git log --format=%h -n1"],
  [["echo", ""], "echo ''"],
  [["echo", "it's"], `echo "it's"`],
  [["echo", `it's "$HOME"`], `echo "it's \\"\\$HOME\\""`],
  [["echo", "it's!"], `echo 'it'"'"'s!'`],
  [["grep", "a|b"], "grep a\\|b"],
  [["bash", "-lc", "cat <<EOF\nhi\nEOF"], "bash -lc 'cat <<EOF\nhi\nEOF'"],
  [["echo", "grüß"], "echo grüß"],
])("the command %j is shown as %s", (command, text) => {
  expect(shellText(command)).toBe(text);
});

test.each<[string, string, string]>([
  ["plain text\n\twith tabs", "plain text\n\twith tabs", "plain text\n\twith tabs"],
  ["\u001b[31mred\u001b[0m", "red", "\\x1b[31mred\\x1b[0m"],
  ["\u001b]0;title\u0007x", "x", "\\x1b]0;title\\x07x"],
  ["\u001b", "", "\\x1b"],
  ["a\u009bb", "ab", "a\\x9bb"],
  ["a\r\nb\0\u007f", "a\nb", "a\nb\\x00\\x7f"],
  ["a\u009b\u202eb", "a\u202eb", "a\\x9b\\u{202e}b"],
])("%j loses its control characters, or shows them", (text, stripped, shown) => {
  expect([stripControls(text), showControls(text)]).toEqual([stripped, shown]);
});

test.each([
  ["", ""],
  ["a", "a"],
  ["a\n\nb\n", "a\n\nb"],
  ["10%\r50%\r100%\ndone\r\n", "100%\ndone"],
  ["x".repeat(1003), `${"x".repeat(1000)} … 3 more characters`],
  ["l\n".repeat(1000), `${"l\n".repeat(20)}… 980 more lines`],
])("output is cut to what a person reads (%#)", (output, shown) => {
  expect(excerpt(output)).toBe(shown);
});

test.each([
  ["ls", "ls"],
  ["ls\n", "ls"],
  ["cd a\nls", "cd a …"],
])("a title keeps the first line of %j", (text, title) => {
  expect(firstLine(text)).toBe(title);
});

test.each<{ choice: ColorChoice; env: Record<string, string>; isTerminal: boolean; expected: boolean }>([
  { choice: "always", env: { NO_COLOR: "1" }, isTerminal: false, expected: true },
  { choice: "never", env: { FORCE_COLOR: "1" }, isTerminal: true, expected: false },
  { choice: "auto", env: {}, isTerminal: true, expected: true },
  { choice: "auto", env: {}, isTerminal: false, expected: false },
  { choice: "auto", env: { NO_COLOR: "1" }, isTerminal: true, expected: false },
  { choice: "auto", env: { NO_COLOR: "" }, isTerminal: true, expected: true },
  { choice: "auto", env: { TERM: "dumb" }, isTerminal: true, expected: false },
  { choice: "auto", env: { FORCE_COLOR: "1", NO_COLOR: "1" }, isTerminal: false, expected: true },
  { choice: "auto", env: { FORCE_COLOR: "" }, isTerminal: false, expected: true },
  { choice: "auto", env: { FORCE_COLOR: "0" }, isTerminal: true, expected: false },
])("--color $choice with $env, terminal: $isTerminal", ({ choice, env, isTerminal, expected }) => {
  expect(hasColour(choice, { env, isTerminal })).toBe(expected);
});
