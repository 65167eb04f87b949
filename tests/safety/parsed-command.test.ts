import { describe, expect, test } from "vitest";
import type { ParsedCommand } from "../../src/protocol/event.ts";
import { parseCommandSummary } from "../../src/safety/parsed-command.ts";

const summaryOf = (script: string) => parseCommandSummary(["bash", "-lc", script]);

const read = (cmd: string, name: string): ParsedCommand => ({ type: "read", cmd, name });
const list = (cmd: string, path: string | null): ParsedCommand => ({ type: "list_files", cmd, path });
const search = (cmd: string, query: string | null, path: string | null): ParsedCommand => ({
  type: "search",
  cmd,
  query,
  path,
});
const unknown = (cmd: string): ParsedCommand => ({ type: "unknown", cmd });

test.each<[string, readonly ParsedCommand[]]>([
  ["cat webview/README.md", [read("cat webview/README.md", "README.md")]],
  ["cd foo && cat foo.txt", [read("cat foo.txt", "foo.txt")]],
  ["nl -ba core/src/x.rs | sed -n '1200,1720p'", [read("nl -ba core/src/x.rs | sed -n '1200,1720p'", "x.rs")]],
  ["rg --files webview/src | sed -n", [search("rg --files webview/src", null, "webview")]],
  ['rg -n "BUG|FIXME" -S | head -n 200', [search("rg -n 'BUG|FIXME' -S", "BUG|FIXME", null), unknown("head -n 200")]],
  ["git status | wc -l", [unknown("git status")]],
  ["ls -la | sed -n '1,120p'", [list("ls -la", null)]],
  ['find . -name "*.rs"', [search("find . -name '*.rs'", "*.rs", ".")]],
  ["fd -t f src/", [search("fd -t f src/", null, "src")]],
  ["grep -R TODO src/lib", [search("grep -R TODO src/lib", "TODO", "lib")]],
  ['ls -I "*.js" dist', [list("ls -I '*.js' dist", "dist")]],
  ["cat f | head -n 3", [read("cat f", "f"), unknown("head -n 3")]],
  ["yes | rm x", [unknown("rm x")]],
  ["cat a b", [unknown("cat a b")]],
  ["for i in a; do echo $i; done", [unknown("for i in a; do echo $i; done")]],
])("%s", (script, expected) => {
  expect(summaryOf(script)).toEqual(expected);
});

describe("other commands", () => {
  test.each<[string, readonly ParsedCommand[]]>([
    ["", [unknown("")]],
    ["echo a && echo b", [unknown("echo b")]],
    ["echo start; ls || true", [list("ls", null)]],
    ["true && true", [unknown("true")]],
    ["cat f | nl -ba", [read("cat f", "f")]],
    ["ls && ls", [list("ls", null)]],
    ["sort x | uniq -c", [unknown("sort x | uniq -c")]],
    ["cd a", [unknown("cd a")]],
    ["cat -- -x", [read("cat -- -x", "-x")]],
    ["cat -", [unknown("cat -")]],
    ["head -n 5 a/b", [read("head -n 5 a/b", "b")]],
    ["head -n5 b", [read("head -n5 b", "b")]],
    ["head -n +5 b", [unknown("head -n +5 b")]],
    ["tail -n +5 b", [read("tail -n +5 b", "b")]],
    ["tail -n 5 b c", [unknown("tail -n 5 b c")]],
    ["sed -n 1,5p a/b", [read("sed -n '1,5p' a/b", "b")]],
    ["grep -E -A 2 'a|b' a/src", [search("grep -E -A 2 'a|b' a/src", "a|b", "a")]],
    ["grep x .", [search("grep x .", "x", ".")]],
    ["grep x /", [search("grep x /", "x", "/")]],
    ["rg -g '*.ts' foo src", [search("rg -g '*.ts' foo src", "foo", "src")]],
    ["rg -e foo src/a", [search("rg -e foo src/a", "foo", "a")]],
    ["rg foo -- -x", [search("rg foo -- -x", "foo", "-x")]],
    ["fd main", [search("fd main", "main", null)]],
    ["fd main lib", [search("fd main lib", "main", "lib")]],
    ["find -type f", [search("find -type f", null, null)]],
    ["ls a/node_modules/dist", [list("ls a/node_modules/dist", "a")]],
    ["ls $HOME", [unknown("ls $HOME")]],
  ])("%j", (script, expected) => {
    expect(summaryOf(script)).toEqual(expected);
  });

  test.each<[readonly string[], readonly ParsedCommand[]]>([
    [["ls", "&&", "pwd"], [list("ls '&&' pwd", "&&")]],
    [["sed", "-i", "s/a/b/", "x"], [unknown("sed -i s/a/b/ x")]],
    [["bash", "-c", "echo hi; exit 3"], [unknown("echo 'hi;' exit 3")]],
    [
      ["bash", "-c", "cat a && ls ; pwd"],
      [read("cat a", "a"), list("ls", null), unknown("pwd")],
    ],
    [["bash", "-c", "echo 'a"], [unknown(`bash -c "echo 'a"`)]],
    [["sh", "-lc", "ls"], [unknown("sh -lc ls")]],
    [["bash", "-lc", "echo hello && echo err >&2"], [unknown("echo hello && echo err >&2")]],
    [[], [unknown("")]],
  ])("%j", (command, expected) => {
    expect(parseCommandSummary(command)).toEqual(expected);
  });
});

describe("as the reference reported them", () => {
  test.each<[readonly string[], readonly ParsedCommand[]]>([
    [["bash", "-c", "echo hello"], [unknown("echo hello")]],
    [["bash", "-c", "echo hello; echo err >&2"], [unknown("echo 'hello;' echo err '>&2'")]],
    [["bash", "-c", "echo in > inside.txt; echo status=$?"], [unknown("echo in '>' 'inside.txt;' echo 'status=$?'")]],
    [
      ["bash", "-c", "echo in > inside.txt; echo out > ../outside.txt; echo status=$?"],
      [unknown("echo in '>' 'inside.txt;' echo out '>' '../outside.txt;' echo 'status=$?'")],
    ],
    [["bash", "-c", "echo out; echo bad >&2; exit 3"], [unknown("echo 'out;' echo bad '>&2;' exit 3")]],
    [["bash", "-c", "echo early; sleep 20"], [unknown("echo 'early;' sleep 20")]],
    [["bash", "-c", "echo one"], [unknown("echo one")]],
    [["bash", "-lc", "echo hello"], [unknown("echo hello")]],
    [["touch", "made.txt"], [unknown("touch made.txt")]],
    [["git", "init", "made repo"], [unknown("git init 'made repo'")]],
    [["sleep", "30"], [unknown("sleep 30")]],
    [["cat", "a.txt"], [read("cat a.txt", "a.txt")]],
    [["pwd"], [unknown("pwd")]],
    [
      ["bash", "-lc", "ls && git status --short | head -n 1"],
      [list("ls", null), unknown("git status --short"), unknown("head -n 1")],
    ],
  ])("%j", (command, expected) => {
    expect(parseCommandSummary(command)).toEqual(expected);
  });
});
